//! One underlying: a forward that walks and jumps, and the samples its expiries settle by.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use zkmargin_fixtures::keys::{oracle_keys, oracle_set};
use zkmargin_protocol::Reject;
use zkmargin_protocol::market::settlement_price::{
    IndexSample, SettlementParameters, SettlementWindow, SignedSample,
};
use zkmargin_protocol::pricing::black76::PRICE_UNITS;
use zkmargin_protocol::value::units::{Price, Time, Underlying};

/// Length of the settlement window, seconds, as the reference parameters have it.
pub const WINDOW_S: u64 = 1_800;
/// Seconds from a sample to the next.
pub const SPACING_S: u64 = 60;

/// A time.
pub fn time(seconds: u64) -> Time {
    Time::new(seconds).expect("a time of this age")
}

/// A price of 1/1000 USDC.
pub fn price(units: u64) -> Price {
    Price::new(u32::try_from(units).expect("a price of 32 bits")).expect("every such number")
}

/// The settlement window of one expiry.
#[derive(Clone)]
pub struct Window {
    /// What has been delivered, as the rules take it.
    pub taken: SettlementWindow,
    /// The same, as the auditor sees it.
    pub samples: BTreeMap<Time, Price>,
    /// Places whose sample nobody has delivered yet.
    pub missing: BTreeMap<Time, Price>,
    /// Until when samples are held back.
    pub late_until_s: u64,
}

/// One underlying.
#[derive(Clone)]
pub struct Coin {
    /// 1/1000 USDC.
    pub forward_e3: u64,
    /// Where jumps draw it.
    pub home_e3: u64,
    /// Implied volatility of all its options.
    pub volatility_e6: u64,
    /// Settlement windows by expiry.
    pub windows: BTreeMap<Time, Window>,
}

impl Window {
    /// A window without samples; those are held back until `late_s` after it has begun.
    ///
    /// # Errors
    /// [`zkmargin_protocol::Rule::Range`] for parameters that do not fit each other.
    pub fn new(
        underlying: Underlying,
        expiry: Time,
        settlement: SettlementParameters,
        late_s: u64,
    ) -> Result<Self, Reject> {
        let taken = SettlementWindow::new(underlying, expiry, settlement)?;
        let (samples, missing) = Default::default();
        let late_until_s = expiry.get() - WINDOW_S + late_s;
        Ok(Self { taken, samples, missing, late_until_s })
    }

    /// The places passed from the first of two times to the second.
    fn places(expiry: Time, [from_s, to_s]: [u64; 2]) -> impl Iterator<Item = u64> {
        let first_s = expiry.get() - WINDOW_S + SPACING_S;
        let places = (0..WINDOW_S / SPACING_S).map(move |k| first_s + k * SPACING_S);
        places.filter(move |s| (from_s + 1..=to_s).contains(s))
    }

    /// Reads the index at the places passed.
    pub fn pass(&mut self, expiry: Time, forward_e3: u64, times: [u64; 2], rng: &mut ChaCha8Rng) {
        for place_s in Self::places(expiry, times) {
            let noise = rng.gen_range(995..=1_005);
            self.missing.insert(time(place_s), price(forward_e3 * noise / 1_000));
        }
    }

    /// Delivers readings: all of them when the window `is_over`, most of them before.
    ///
    /// # Errors
    /// Those of the rules for samples: none.
    pub fn deliver(
        &mut self,
        underlying: Underlying,
        is_over: bool,
        domain: Fr,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), Reject> {
        for (place, index) in self.missing.clone() {
            if !is_over && rng.gen_ratio(1, 8) {
                continue;
            }
            let units_per_usdc = PRICE_UNITS;
            let sample = IndexSample { underlying, time: place, price: index, units_per_usdc };
            self.taken.take(&signed(sample, domain), domain, &oracle_set())?;
            self.samples.insert(place, index);
            self.missing.remove(&place);
        }
        Ok(())
    }
}

impl Coin {
    /// About half a per cent either way; now and then a jump, which draws back towards home.
    pub fn walk(&mut self, calm: u32, rng: &mut ChaCha8Rng) {
        let small: i64 = (0..4).map(|_| rng.gen_range(-4_000..=4_000)).sum();
        let jump: i64 = match rng.gen_range(0..6 * calm) {
            0..5 => rng.gen_range(30_000..=250_000),
            5 => rng.gen_range(250_000..=500_000),
            _ => 0,
        };
        let is_high = self.forward_e3 > self.home_e3;
        let falls = if is_high { rng.gen_ratio(3, 5) } else { rng.gen_ratio(2, 5) };
        let move_ppm = small + if falls { -jump } else { jump };
        let factor = u64::try_from(1_000_000 + move_ppm).expect("moves below 100 %");
        self.forward_e3 =
            (self.forward_e3 * factor / 1_000_000).clamp(self.home_e3 / 5, self.home_e3 * 5);
        let volatility_e6 = self.volatility_e6 + rng.gen_range(0..=40_000) + jump.unsigned_abs();
        self.volatility_e6 =
            (volatility_e6 - 20_000 - volatility_e6 / 500).clamp(300_000, 2_000_000);
    }
}

/// A sample signed by members 0, 2 and 3.
fn signed(sample: IndexSample, domain: Fr) -> SignedSample {
    let keys = oracle_keys();
    let hash = sample.hash(domain);
    let signatures = std::array::from_fn(|k| [0, 2, 3].contains(&k).then(|| keys[k].sign(hash)));
    SignedSample { sample, signatures }
}
