//! Twin of `protocol::account::standing`: how the account of a two-sided row stands whose auction
//! takes a step.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::standing::SHORTFALL_BITS;
use zkmargin_protocol::market::auction_parameters::SHARE_BITS;
use zkmargin_protocol::value::units::{CASH_BITS, PPM};

use crate::account::margin::MarginVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Signed, Uint};
use crate::market::auction_parameters::AuctionParametersVar;
use crate::market::parameters::ParametersVar;
use crate::{Cs, shifted};

/// Width in bits of the fee, sign included.
const FEE_BITS: u32 = CASH_BITS + 1;
/// Width in bits of the shortfall with what is sold for it.
const WHOLE_BITS: u32 = SHORTFALL_BITS + 1;

/// Equity and margin of an account whose auction takes a step; zeros in other rows.
#[derive(Getters)]
pub struct StandingVar {
    /// Equity.
    equity: Int,
    /// Maintenance margin in 10^-12 USDC.
    maintenance: Unranged,
    /// What equity is short of buffered margin, in 10^-18 USDC; negative where it covers it.
    shortfall: Int,
    /// Whether there is a shortfall.
    is_short: Bool,
    /// Whether equity is not above zero.
    is_insolvent: Bool,
    /// Whether equity is below zero.
    is_negative: Bool,
}

impl StandingVar {
    /// Of the side before the batch, with its `cash` and claims of `margin`.
    pub fn new(
        cs: &mut Cs,
        is_stepping: &Bool,
        cash: &Unranged,
        is_standard: &Bool,
        margin: &MarginVar,
        parameters: &ParametersVar,
    ) -> Self {
        let ppm = Fr::from(PPM);
        cs.under(Rule::Range, |cs| {
            let equity = cash.plus(margin.mark_value());
            let equity = cs.product("equity of a step", is_stepping, &equity);
            let equity = Signed::range_check(cs, "equity fits", &equity, CASH_BITS);
            let factor = parameters.maintenance_factor_ppm();
            let maintenance = margin.maintenance(cs, is_standard, factor);
            let maintenance = cs.product("margin of a step", is_stepping, &maintenance);
            let buffered = shifted(cs, parameters.auction().buffer(), ppm);
            let buffered = cs.product("buffered margin", &buffered, &maintenance);
            let shortfall = buffered.minus(&equity.lc().scaled(ppm * ppm));
            let shortfall =
                Signed::range_check(cs, "shortfall fits", &shortfall, SHORTFALL_BITS + 1);
            let is_exact = is_zero(cs, shortfall.lc());
            let covers = shortfall.is_negative().or(cs, &is_exact);
            let is_nothing = is_zero(cs, equity.lc());
            Self {
                is_short: covers.not(cs),
                is_insolvent: equity.is_negative().or(cs, &is_nothing),
                is_negative: equity.is_negative().clone(),
                equity: equity.int().clone(),
                maintenance: Unranged::new(maintenance, Rule::MarginMatrix),
                shortfall: shortfall.int().clone(),
            }
        })
    }

    /// The least fraction, in parts per million, whose sale at `discount` covers buffered margin
    /// when `reserve` is not for sale; 0 unless `is_priced`, which rows with a shortfall and equity
    /// above zero may be.
    pub fn fraction_ceil(
        &self,
        cs: &mut Cs,
        is_priced: &Bool,
        discount: &Uint,
        reserve: &Uint,
    ) -> Int {
        let ppm = Fr::from(PPM);
        cs.under(Rule::BidFraction, |cs| {
            let shortfall = cs.product("shortfall priced", is_priced.lc(), &self.shortfall);
            let full = cs.constant(ppm);
            let sold = cs.product("equity at a discount", &self.equity, discount);
            let kept = cs.product("reserve that is kept", reserve, &full.minus(discount));
            let kept = cs.product("equity priced", is_priced.lc(), &sold.plus(&kept));
            let one = cs.one();
            // A row without a price divides nothing by one.
            let is_free = one.minus(is_priced.lc());
            let whole = shortfall.plus_scaled(&kept, ppm).plus(&is_free);
            let numerator = shortfall.scaled(ppm).plus(&whole).minus(&one);
            let widths = Widths { quotient: SHARE_BITS + 1, remainder: WHOLE_BITS };
            let fraction = div_floor(cs, "fraction to sell", &numerator, &whole, widths);
            fraction.int().clone()
        })
    }

    /// The fee of an auction that starts with equity: `fraction` is what would be sold of it
    /// without discount.
    pub fn fee_floor(
        &self,
        cs: &mut Cs,
        is_due: &Bool,
        fraction: &Int,
        parameters: &AuctionParametersVar,
    ) -> Int {
        cs.under(Rule::AuctionStart, |cs| {
            let sold = cs.product("equity sold", &self.equity, fraction);
            let rate = cs.product("fee that is due", is_due.lc(), parameters.fee());
            let fee = cs.product("fee", &sold, &rate);
            let divisor = cs.constant(Fr::from(PPM) * Fr::from(PPM));
            let widths = Widths { quotient: FEE_BITS, remainder: 2 * SHARE_BITS };
            div_floor(cs, "fee is rounded down", &fee, &divisor, widths).int().clone()
        })
    }
}
