//! The venue's tariff: what it may charge a contract, by tier and role. Spec:
//! `docs/spec/market/fee_schedule.md#FeeSchedule`.

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::value::packing::Layout;
use crate::value::reading::check_when_read;
use crate::value::units::{PPM, Price, TIER_BITS, Tier};
use crate::{Reject, Rule};

/// Tiers of a schedule.
pub const TIERS: usize = 1 << TIER_BITS;
/// Width in bits of a rate in parts per million of the forward.
pub const RATE_BITS: u32 = 16;
/// Width in bits of the cap in thousandths of the price.
pub const CAP_BITS: u32 = 10;
/// Scale of the cap: thousandths.
pub const PERMILLE: u32 = 1_000;

/// Rates of one tier, parts per million of the forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRates {
    /// Of the side whose order was quoted, 16 bits.
    pub maker_ppm: u16,
    /// Of the side that took it, 16 bits.
    pub taker_ppm: u16,
}

/// The greatest fees: data, never constants of the rules. Reading them from a file checks them by
/// [`FeeSchedule::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct FeeSchedule {
    /// Rates by tier, the dearest first.
    pub tiers: [FeeRates; TIERS],
    /// No fee exceeds this share of the option's price, thousandths, at most 1,000.
    pub cap_permille: u16,
}

check_when_read!(FeeSchedule);

/// The schedule in one word.
pub const WORD: Layout<{ 2 * TIERS + 1 }> = Layout([
    ("maker rate of tier 0", RATE_BITS),
    ("taker rate of tier 0", RATE_BITS),
    ("maker rate of tier 1", RATE_BITS),
    ("taker rate of tier 1", RATE_BITS),
    ("maker rate of tier 2", RATE_BITS),
    ("taker rate of tier 2", RATE_BITS),
    ("maker rate of tier 3", RATE_BITS),
    ("taker rate of tier 3", RATE_BITS),
    ("cap", CAP_BITS),
]);

impl FeeSchedule {
    /// 0.03 % of the forward and an eighth of the price, as Deribit publishes for options; the
    /// discounts are ours.
    pub fn reference() -> Self {
        let rates = [(300, 300), (200, 300), (100, 250), (0, 200)];
        let tiers = rates.map(|(maker_ppm, taker_ppm)| FeeRates { maker_ppm, taker_ppm });
        Self { tiers, cap_permille: 125 }
    }

    /// No rate is above that of the tier before, so that a higher tier is never the dearer one; the
    /// cap is at most the price.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn check(&self) -> Result<(), Reject> {
        for pair in self.tiers.windows(2) {
            let (before, rates) = (&pair[0], &pair[1]);
            if rates.maker_ppm > before.maker_ppm || rates.taker_ppm > before.taker_ppm {
                let pair = |rates: &FeeRates| format!("{}/{}", rates.maker_ppm, rates.taker_ppm);
                let what = "pair of maker and taker rates in ppm";
                return Err(Reject::new(Rule::Range, what, pair(rates)).at_most(pair(before)));
            }
        }
        if u32::from(self.cap_permille) > PERMILLE {
            let reject = Reject::new(Rule::Range, "fee cap in thousandths", self.cap_permille);
            return Err(reject.at_most(PERMILLE));
        }
        Ok(())
    }

    /// [`WORD`].
    pub fn word(&self) -> Fr {
        let [first, second, third, fourth] = &self.tiers;
        WORD.pack([
            first.maker_ppm.into(),
            first.taker_ppm.into(),
            second.maker_ppm.into(),
            second.taker_ppm.into(),
            third.maker_ppm.into(),
            third.taker_ppm.into(),
            fourth.maker_ppm.into(),
            fourth.taker_ppm.into(),
            self.cap_permille.into(),
        ])
    }

    /// Greatest fee per contract of a tier and role at a price, rounded down: for the trader.
    pub fn fee_floor(&self, tier: Tier, is_maker: bool, [forward, price]: [Price; 2]) -> Price {
        let rates = self.tiers[usize::from(tier.get())];
        let rate_ppm = if is_maker { rates.maker_ppm } else { rates.taker_ppm };
        let of_forward = u64::from(forward.get()) * u64::from(rate_ppm) / u64::from(PPM);
        let of_price = u64::from(price.get()) * u64::from(self.cap_permille) / u64::from(PERMILLE);
        let fee = u32::try_from(of_forward.min(of_price)).expect("no more than the price");
        Price::new(fee).expect("every 32-bit number is a price")
    }

    /// A fee is at most what the schedule allows this tier and role, at this forward and price.
    ///
    /// # Errors
    /// [`Rule::FeeSchedule`].
    pub fn check_fee(
        &self,
        fee: Price,
        tier: Tier,
        is_maker: bool,
        [forward, price]: [Price; 2],
    ) -> Result<(), Reject> {
        let most = self.fee_floor(tier, is_maker, [forward, price]);
        if fee > most {
            return Err(Reject::new(Rule::FeeSchedule, "fee per contract", fee).at_most(most));
        }
        Ok(())
    }
}
