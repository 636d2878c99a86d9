//! Bids for a part of an account in auction. Spec: `docs/spec/operation/bid.md#Bid`.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::account::margin::Margin;
use crate::account::standing::{SHORTFALL, Standing};
use crate::market::auction_parameters::{AuctionParameters, SHARE_BITS};
use crate::value::packing::{Layout, Value, read_part};
use crate::value::units::{
    ACCOUNT_BITS, AccountIndex, CASH_BITS, Cash, InstrumentIndex, PPM, Quantity, Time,
};
use crate::{Reject, Rule};

/// What a bidder signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// Account in auction.
    pub account: AccountIndex,
    /// Least fraction to take, parts per million.
    #[serde(deserialize_with = "read_part::<SHARE_BITS, _, _>")]
    pub fraction_min_ppm: u32,
    /// Greatest fraction to take, parts per million, at most 10^6.
    #[serde(deserialize_with = "read_part::<SHARE_BITS, _, _>")]
    pub fraction_max_ppm: u32,
    /// Highest price for the whole account; negative if the bidder is to be paid.
    pub limit: Cash,
}

/// What a bid takes and pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// Who bids.
    pub bidder: AccountIndex,
    /// What the bidder signed.
    pub bid: Bid,
    /// Fraction taken, parts per million.
    pub fraction_ppm: u32,
    /// Micro-USDC paid by the bidder; negative if the insurance fund pays.
    pub price: i128,
    /// Micro-USDC taken with the positions; negative if a debt is.
    pub cash: i128,
    /// Contracts taken.
    pub shares: BTreeMap<InstrumentIndex, Quantity>,
}

/// What happens to an account's auction in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuctionStep {
    /// It starts, or starts anew, and the insurance fund gets `fee`.
    Start {
        /// Micro-USDC.
        fee: i128,
    },
    /// It ends.
    End,
    /// A part of the account is sold.
    Bid(Fill),
    /// Its deficit is counted, less what the insurance fund gives.
    Count {
        /// Micro-USDC.
        cover: i128,
    },
}

/// What a bid signs.
pub const TERMS: Layout<4> = Layout([
    ("account", ACCOUNT_BITS),
    ("least fraction", SHARE_BITS),
    ("greatest fraction", SHARE_BITS),
    ("limit", CASH_BITS),
]);

impl Bid {
    /// [`TERMS`].
    pub fn word(&self) -> Fr {
        let fraction = |ppm: u32| ppm.min((1 << SHARE_BITS) - 1).into();
        TERMS.pack([
            self.account.get().into(),
            fraction(self.fraction_min_ppm),
            fraction(self.fraction_max_ppm),
            Value::Signed(self.limit.get()),
        ])
    }

    /// The account is in an auction which started for equity of the sign it has now, and not after
    /// the batch.
    ///
    /// # Errors
    /// [`Rule::AuctionPhase`].
    pub fn check_phase(&self, offer: &Offer) -> Result<(), Reject> {
        let refuse = |sentence| Err(Reject::because(Rule::AuctionPhase, sentence).of(self.account));
        let Some(auction) = offer.account.auction else {
            return refuse("the account is not in auction");
        };
        if auction.is_insolvent != offer.standing.is_insolvent() {
            return refuse("its auction has to start anew: equity has changed its sign");
        }
        if auction.start > offer.time {
            let reject = Reject::new(Rule::AuctionPhase, "start of the auction", auction.start);
            return Err(reject.at_most(offer.time).of(self.account));
        }
        Ok(())
    }

    /// The account is short of buffered margin; the fractions signed are in order, at most all and
    /// not below the least a bid may ask for; and what may be had is not less than the bidder
    /// accepts.
    ///
    /// # Errors
    /// [`Rule::BidFraction`].
    pub fn check_fraction(&self, offer: &Offer) -> Result<(), Reject> {
        if offer.standing.shortfall_e18 <= 0 {
            let shortfall = offer.standing.shortfall_e18;
            let reject = Reject::new(Rule::BidFraction, SHORTFALL, shortfall);
            return Err(reject.at_least(1).of(self.account));
        }
        let (min, max) = (self.fraction_min_ppm, self.fraction_max_ppm);
        let range = offer.parameters.bid_minimum_ppm..=PPM;
        if !range.contains(&max) {
            let reject = Reject::new(Rule::BidFraction, "maximum fraction in ppm", max);
            return Err(reject.within(range));
        }
        let fraction_ppm = self.fraction_of(offer);
        if fraction_ppm < min {
            let what = "fraction for sale in ppm";
            return Err(Reject::new(Rule::BidFraction, what, fraction_ppm).at_least(min));
        }
        Ok(())
    }

    /// The price of the whole is within the limit.
    ///
    /// # Errors
    /// [`Rule::BidPrice`].
    pub fn check_price(&self, offer: &Offer) -> Result<(), Reject> {
        if offer.whole_e18 > i128::from(self.limit) * i128::from(PPM) * i128::from(PPM) {
            let price = offer.price_ceil(PPM);
            let reject = Reject::new(Rule::BidPrice, "price of the whole account", price);
            return Err(reject.at_most(self.limit));
        }
        Ok(())
    }

    /// What the bid takes and pays. The fraction is the one asked for, at most what covers buffered
    /// margin; of an account without equity, or with less than the dust, at most all.
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub fn fill(&self, bidder: AccountIndex, offer: &Offer) -> Result<Fill, Reject> {
        let fraction_ppm = self.fraction_of(offer);
        let shares = offer.account.positions.iter();
        let shares = shares.map(|(k, held)| Ok((k, share_floor(held, fraction_ppm)?)));
        let cash = i128::from(offer.account.cash) - offer.reserve;
        Ok(Fill {
            bidder,
            bid: self.clone(),
            fraction_ppm,
            price: offer.price_ceil(fraction_ppm),
            cash: (cash * i128::from(fraction_ppm)).div_euclid(i128::from(PPM)),
            shares: shares.collect::<Result<_, Reject>>()?,
        })
    }

    fn fraction_of(&self, offer: &Offer) -> u32 {
        self.fraction_max_ppm.min(offer.fraction_max_ppm)
    }
}

/// What may be had of an account, as a batch finds it.
pub struct Offer<'a> {
    account: &'a Account,
    parameters: &'a AuctionParameters,
    time: Time,
    standing: Standing,
    /// Greatest fraction.
    fraction_max_ppm: u32,
    /// Cash that is not for sale.
    reserve: i128,
    /// Price of the whole.
    whole_e18: i128,
}

impl<'a> Offer<'a> {
    /// Of `account` with `margin` in a batch at `time`.
    ///
    /// # Errors
    /// Those of [`Standing::new`].
    pub fn new(
        account: &'a Account,
        margin: &Margin,
        parameters: &'a AuctionParameters,
        time: Time,
    ) -> Result<Self, Reject> {
        let standing = Standing::new(margin, parameters)?;
        let (ppm, equity) = (i128::from(PPM), standing.equity);
        let auction = account.auction.as_ref();
        let age_s = auction.map_or(0, |auction| time.get().saturating_sub(auction.start.get()));
        let reserve = auction.map_or(0, |auction| auction.reserve_left(equity));
        let is_dust = equity < i128::from(parameters.dust_e6);
        let (fraction_max_ppm, whole_e18) = if standing.is_insolvent() {
            let payout = i128::from(parameters.payout_floor(age_s));
            (PPM, equity * ppm * ppm - standing.maintenance_e12 * payout)
        } else {
            let discount_ppm = parameters.discount_ceil(age_s);
            let covering = standing.fraction_ceil(discount_ppm, reserve);
            let whole_e18 = (equity - reserve) * i128::from(discount_ppm) * ppm;
            (if is_dust { PPM } else { covering }, whole_e18)
        };
        Ok(Self { account, parameters, time, standing, fraction_max_ppm, reserve, whole_e18 })
    }

    /// Price of a fraction, rounded up: against the bidder.
    fn price_ceil(&self, fraction_ppm: u32) -> i128 {
        let e18 = i128::from(PPM).pow(3);
        -(-self.whole_e18 * i128::from(fraction_ppm)).div_euclid(e18)
    }
}

/// A fraction of a position, rounded down: against the bidder, who gets less of what is long and
/// more of what is short.
fn share_floor(held: Quantity, fraction_ppm: u32) -> Result<Quantity, Reject> {
    let share = i128::from(held) * i128::from(fraction_ppm);
    let share = share.div_euclid(i128::from(PPM));
    Quantity::new(i64::try_from(share).expect("no more than the position"))
}
