//! Twin of `protocol::market::fee_schedule`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::fee_schedule::{
    CAP_BITS, FeeRates, FeeSchedule, PERMILLE, RATE_BITS, TIERS, WORD,
};
use zkmargin_protocol::value::units::{PPM, PRICE_BITS, TIER_BITS, Tier};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Bits, Uint, ranged};
use crate::value::packing::{Packed, pack_as};
use crate::{Cs, Wire};

/// The tier of an account, 2 bits.
pub struct TierVar(Bits);

impl TierVar {
    /// The tier of a stored leaf.
    pub fn external(cs: &mut Cs, tier: Tier) -> Self {
        Self(Bits::external(cs, "tier", tier.get().into(), TIER_BITS))
    }

    /// The tiers of a stored leaf and of the one that follows it, which is not below.
    pub fn raised(cs: &mut Cs, [old, new]: [Tier; 2]) -> [Self; 2] {
        let old = Self::external(cs, old);
        let new = Self(Bits::witness(cs, "new tier", new.get().into(), TIER_BITS));
        new.enforce_not_below(cs, &old);
        [old, new]
    }

    /// The tier as a number.
    pub fn number(&self) -> Uint {
        Uint::new_unchecked(self.0.recompose(), TIER_BITS)
    }

    /// A tier granted is not taken back.
    fn enforce_not_below(&self, cs: &mut Cs, old: &Self) {
        cs.under(Rule::FeeSchedule, |cs| {
            let raise = self.number().minus(&old.number());
            Uint::range_check(cs, "tier does not fall", &raise, TIER_BITS);
        });
    }

    /// The one of four values that the tier names.
    fn select(&self, cs: &mut Cs, values: &[Wire; TIERS]) -> Wire {
        let [low, high] = self.0.as_slice() else { unreachable!("a tier has two bits") };
        let [first, second, third, fourth] = values;
        let below = low.select(cs, second, first);
        let above = low.select(cs, fourth, third);
        high.select(cs, &above, &below)
    }
}

/// The fee that one side of a trade is charged, per contract.
#[derive(Clone, Copy)]
pub struct ChargedVar<'a> {
    /// The fee.
    pub fee: &'a Uint,
    /// The side's tier.
    pub tier: &'a TierVar,
}

/// The schedule: rates of 16 bits in parts per million of the forward, a cap of 10 bits in
/// thousandths of the price. That they make sense is for those who choose them.
pub struct FeeScheduleVar {
    /// Rates of makers by tier.
    makers: [Uint; TIERS],
    /// Rates of takers by tier.
    takers: [Uint; TIERS],
    cap: Uint,
}

impl FeeScheduleVar {
    /// Allocates a schedule.
    pub fn external(cs: &mut Cs, schedule: &FeeSchedule) -> Self {
        let mut rate = |name, of: fn(&FeeRates) -> u16| {
            schedule.tiers.each_ref().map(|rates| ranged(cs, name, of(rates).into(), RATE_BITS))
        };
        let makers = rate("maker rate", |rates| rates.maker_ppm);
        let takers = rate("taker rate", |rates| rates.taker_ppm);
        let cap = ranged(cs, "cap of a fee", schedule.cap_permille.into(), CAP_BITS);
        Self { makers, takers, cap }
    }

    /// [`WORD`].
    pub(crate) fn word(&self) -> Uint {
        let rate = |k: usize| &[&self.makers, &self.takers][k % 2][k / 2];
        let part = |k| if k < 2 * TIERS { rate(k) } else { &self.cap };
        pack_as(&WORD, std::array::from_fn(|k| part(k) as &dyn Packed))
    }

    /// The fees of buyer and seller are at most what the schedule allows in their tiers, at this
    /// forward and price. Nothing is divided: `fee·10^6 ≤ rate·forward` and `fee·10^3 ≤ cap·price`
    /// say the same of whole units as the bound rounded down.
    ///
    /// - Precondition: fees, forward and price have 32 bits.
    /// - Cost: 193 constraints.
    /// - Proof: both products are integers below 2^48 and 2^42, and both left sides below 2^52. A
    ///   negative difference is thus above −2^52, and not congruent to a number of the range it is
    ///   shown to be in.
    pub fn enforce_fees(
        &self,
        cs: &mut Cs,
        fees: [ChargedVar; 2],
        is_buyer_maker: &Bool,
        forward: &Uint,
        price: &Uint,
    ) {
        cs.under(Rule::FeeSchedule, |cs| {
            let rates = self.rates(cs, is_buyer_maker);
            let of_price = cs.product("cap of a trade", &self.cap, price);
            for (ChargedVar { fee, tier }, rates) in fees.into_iter().zip(rates) {
                let rate = tier.select(cs, &rates);
                let of_forward = cs.product("rate of the forward", &rate, forward);
                let room = of_forward.minus(&fee.scaled(Fr::from(PPM)));
                let width = RATE_BITS + PRICE_BITS;
                Uint::range_check(cs, "fee at most the tier's rate", &room, width);
                let room = of_price.minus(&fee.scaled(Fr::from(PERMILLE)));
                Uint::range_check(cs, "fee at most the cap", &room, CAP_BITS + PRICE_BITS);
            }
        });
    }

    /// The rates by tier of buyer and seller, who have the two roles between them: one product a
    /// tier serves both.
    fn rates(&self, cs: &mut Cs, is_buyer_maker: &Bool) -> [[Wire; TIERS]; 2] {
        let discounts: [Wire; TIERS] = std::array::from_fn(|k| {
            let discount = self.makers[k].minus(&self.takers[k]);
            cs.product("rate of the buyer's role", is_buyer_maker.lc(), &discount)
        });
        [
            std::array::from_fn(|k| self.takers[k].plus(&discounts[k])),
            std::array::from_fn(|k| self.makers[k].minus(&discounts[k])),
        ]
    }
}
