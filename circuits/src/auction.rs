//! Twin of `protocol::auction`: what a two-sided row shows of its account's auction.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::auction::{Auction, SHARE_BITS, SHORTFALL_BITS};
use zkmargin_protocol::parameters::PPM;
use zkmargin_protocol::units::{CASH_BITS, TIME_BITS};

use crate::account::AccountVar;
use crate::auction_parameters::AuctionParametersVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::is_zero;
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::integer::{Int, Uint};
use crate::margin::{EXCESS_BITS, MarginVar};
use crate::packing::pack;
use crate::parameters::ParametersVar;
use crate::trade::enforce_nonzero_if;
use crate::{Cs, Wire, shifted, sum};

/// Width in bits of the fee, sign included.
const FEE_BITS: u32 = CASH_BITS + 1;
/// Width in bits of the shortfall with what is sold for it.
const WHOLE_BITS: u32 = SHORTFALL_BITS + 1;

/// The auction of a leaf; zeros without one.
pub struct AuctionVar {
    /// When it started, 40 bits.
    pub start: Wire,
    /// Whether equity was not above zero then.
    pub is_insolvent: Bool<Fr>,
    /// Cash that bids have paid, or the deficit counted of an account without equity, 63 bits.
    pub reserve: Wire,
}

impl AuctionVar {
    /// The auction of a stored leaf.
    pub fn external(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = Uint::external(cs, "old auction start", start, TIME_BITS);
        let is_insolvent = Bool::external(cs, "old auction is insolvent", is_insolvent == 1);
        let reserve = Uint::external(cs, "old auction reserve", reserve, CASH_BITS - 1);
        Self { start: start.lc().clone(), is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The auction of a new leaf; what it is [`AuctionStepVar::enforce_result`] says.
    pub fn witness(cs: &mut Cs, auction: Option<&Auction>) -> Self {
        let [start, is_insolvent, reserve] = Auction::parts(auction).map(|part| part.value);
        let start = cs.witness("new auction start", Fr::from(start));
        let is_insolvent = cs.witness("new auction is insolvent", Fr::from(is_insolvent));
        let reserve = Uint::witness(cs, "new auction reserve", reserve, CASH_BITS - 1);
        let is_insolvent = Bool::new_unchecked(is_insolvent);
        Self { start, is_insolvent, reserve: reserve.lc().clone() }
    }

    /// The deficit counted of the account.
    pub fn counted(&self, cs: &mut Cs) -> Wire {
        cs.product("deficit of an auction", self.is_insolvent.lc(), &self.reserve)
    }

    /// start (40) ‖ is insolvent (1) ‖ reserve (63).
    pub fn word(&self) -> Wire {
        pack(&[
            (&self.start, TIME_BITS),
            (self.is_insolvent.lc(), 1),
            (&self.reserve, CASH_BITS - 1),
        ])
    }
}

/// What happens to the auction of a row's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    None,
    /// It starts, or starts anew.
    Start,
    /// It ends.
    End,
    /// A part of the account is sold.
    Bid,
    /// Its deficit is counted.
    Count,
}

/// Flags of a row.
pub struct AuctionStepVar {
    /// Whether the auction starts or starts anew.
    pub is_start: Bool<Fr>,
    /// Whether it ends.
    pub is_end: Bool<Fr>,
    /// Whether a part of the account is sold; `argument` asks for the bid.
    pub is_bid: Bool<Fr>,
    /// Whether the account's deficit is counted.
    pub is_count: Bool<Fr>,
    /// Whether the account was in auction.
    was: Bool<Fr>,
    /// Whether the account was or is in auction, so that nothing it signed is applied.
    pub is_frozen: Bool<Fr>,
}

impl AuctionStepVar {
    /// Allocates the flags, at most one of them in a row in use and none in others, and enforces [`Rule::Frozen`].
    pub fn new(cs: &mut Cs, step: Step, account: &AccountVar, old: &AuctionVar) -> Self {
        let flag = |cs: &mut Cs, name, of| Bool::external(cs, name, step == of);
        let is_start = flag(cs, "auction starts", Step::Start);
        let is_end = flag(cs, "auction ends", Step::End);
        let is_bid = flag(cs, "account is bid for", Step::Bid);
        let is_count = flag(cs, "deficit is counted", Step::Count);
        let zero = cs.zero();
        let flags = sum([is_start.lc(), is_end.lc(), is_bid.lc(), is_count.lc()]);
        let was = is_zero(cs, &old.start).not(cs);
        let is_frozen = was.or(cs, &is_start);
        cs.under(Rule::AuctionPhase, |cs| {
            // The sum is 0 to 4, and nothing but 0 or 1 is its flag for rows in use.
            cs.enforce("one step a batch", &flags, &account.is_active.lc().minus(&flags), &zero);
            cs.enforce("a bid is for an account in auction", is_bid.lc(), was.not(cs).lc(), &zero);
        });
        cs.under(Rule::AuctionEnd, |cs| {
            cs.enforce("what ends has started", is_end.lc(), was.not(cs).lc(), &zero);
        });
        cs.under(Rule::Frozen, |cs| {
            let signed = sum(account.nonces.newly_used.iter().map(Bool::lc));
            cs.enforce("an account in auction signs nothing", is_frozen.lc(), &signed, &zero);
        });
        Self { is_start, is_end, is_bid, is_count, was, is_frozen }
    }

    /// Whether any step is taken.
    pub fn flags(&self) -> Wire {
        sum([self.is_start.lc(), self.is_end.lc(), self.is_bid.lc(), self.is_count.lc()])
    }

    /// Whether a fraction is asked for: of a first start the one its fee is of, or that of a bid, if there is equity.
    pub fn is_priced(&self, cs: &mut Cs, is_solvent: &Bool<Fr>) -> Bool<Fr> {
        let is_fresh = self.is_fresh(cs);
        let is_asked = Bool::new_unchecked(is_fresh.lc().plus(self.is_bid.lc()));
        is_asked.and(cs, is_solvent)
    }

    /// Whether an auction starts where there was none.
    fn is_fresh(&self, cs: &mut Cs) -> Bool<Fr> {
        self.was.not(cs).and(cs, &self.is_start)
    }

    /// The auction after the batch: it is new, gone, or what it was but for what a bid leaves of the reserve.
    pub fn enforce_result(
        &self,
        cs: &mut Cs,
        [old, new]: [&AuctionVar; 2],
        standing: &StandingVar,
        (time, reserve): (&Wire, &Wire),
    ) {
        cs.under(Rule::AuctionPhase, |cs| {
            let is_kept = cs.one().minus(self.is_start.lc()).minus(self.is_end.lc());
            let stays = cs.product("start that stays", &is_kept, &old.start);
            let start = cs.product("start of an auction", self.is_start.lc(), time).plus(&stays);
            cs.enforce_equal("auction start", &new.start, &start);
            let stays = cs.product("insolvency that stays", &is_kept, old.is_insolvent.lc());
            let is_insolvent = standing.is_insolvent.and(cs, &self.is_start);
            let is_insolvent = is_insolvent.lc().plus(&stays);
            cs.enforce_equal("auction is insolvent", new.is_insolvent.lc(), &is_insolvent);
        });
        cs.under(Rule::BidPrice, |cs| {
            // What is counted of a deficit outlasts a bid.
            let is_outlasting = standing.is_insolvent.and(cs, &self.is_bid);
            let is_kept = cs.one().minus(&self.flags()).plus(is_outlasting.lc());
            let stays = cs.product("reserve that stays", &is_kept, &old.reserve);
            cs.enforce_equal("auction reserve", &new.reserve, &stays.plus(reserve));
        });
    }
}

/// Equity and margin of an account whose auction takes a step; zeros in other rows.
pub struct StandingVar {
    /// Equity, signed 64 bits.
    pub equity: Wire,
    /// Maintenance margin in 10^-12 USDC.
    pub maintenance: Wire,
    /// What equity is short of buffered margin, in 10^-18 USDC; negative where it covers it.
    pub shortfall: Wire,
    /// Whether there is a shortfall.
    pub is_short: Bool<Fr>,
    /// Whether equity is not above zero.
    pub is_insolvent: Bool<Fr>,
    /// Whether equity is below zero.
    is_negative: Bool<Fr>,
}

impl StandingVar {
    /// Of the side before the batch.
    pub fn new(
        cs: &mut Cs,
        step: &AuctionStepVar,
        account: &AccountVar,
        margin: &MarginVar,
        parameters: &ParametersVar,
    ) -> Self {
        let is_stepping = step.flags();
        let ppm = Fr::from(PPM);
        cs.under(Rule::Range, |cs| {
            let equity = account.opening_cash().plus(&margin.mark_value);
            let equity = cs.product("equity of a step", &is_stepping, &equity);
            let equity = Int::range_check(cs, "equity fits", &equity, CASH_BITS);
            let factor = &parameters.maintenance_factor_ppm;
            let maintenance = margin.maintenance(cs, &account.book.is_standard, factor);
            let maintenance = cs.product("margin of a step", &is_stepping, &maintenance);
            let buffered = shifted(cs, &parameters.auction.buffer, ppm);
            let buffered = cs.product("buffered margin", &buffered, &maintenance);
            let shortfall = buffered.minus(&equity.lc().scaled(ppm * ppm));
            let shortfall = Int::range_check(cs, "shortfall fits", &shortfall, SHORTFALL_BITS + 1);
            let is_exact = is_zero(cs, shortfall.lc());
            let covers = shortfall.is_negative().or(cs, &is_exact);
            let is_nothing = is_zero(cs, equity.lc());
            Self {
                is_short: covers.not(cs),
                is_insolvent: equity.is_negative().or(cs, &is_nothing),
                is_negative: equity.is_negative().clone(),
                equity: equity.lc().clone(),
                maintenance,
                shortfall: shortfall.lc().clone(),
            }
        })
    }

    /// An auction starts for equity below maintenance margin, and anew when equity has changed its sign; never for account
    /// 0, the insurance fund, whose row would then not be bound to have what it pays.
    pub fn enforce_start(
        &self,
        cs: &mut Cs,
        step: &AuctionStepVar,
        old: &AuctionVar,
        (index, is_changed): (&Wire, &Bool<Fr>),
    ) {
        let (zero, one) = (cs.zero(), cs.one());
        let is_fresh = cs.under(Rule::AuctionStart, |cs| step.is_fresh(cs));
        cs.under(Rule::ParameterChange, |cs| {
            let what = "no auction in the first batch under other parameters";
            cs.enforce(what, is_fresh.lc(), is_changed.lc(), &zero);
        });
        cs.under(Rule::AuctionStart, |cs| {
            enforce_nonzero_if(cs, "the insurance fund itself", index, &step.is_start);
            let is_anew = step.is_start.lc().minus(is_fresh.lc());
            let lack = self.maintenance.minus(&self.equity.scaled(Fr::from(PPM))).minus(&one);
            let lack = cs.product("lack of maintenance margin", is_fresh.lc(), &lack);
            Uint::range_check(cs, "equity is below maintenance margin", &lack, EXCESS_BITS);
            let covers = self.is_short.not(cs);
            cs.enforce("equity is below buffered margin", is_fresh.lc(), covers.lc(), &zero);
            let has_kept = self.has_kept_sign(cs, old);
            cs.enforce("equity has changed its sign", &is_anew, has_kept.lc(), &zero);
        });
    }

    /// An auction ends when equity covers buffered margin.
    pub fn enforce_end(&self, cs: &mut Cs, step: &AuctionStepVar) {
        cs.under(Rule::AuctionEnd, |cs| {
            let zero = cs.zero();
            let is_end = step.is_end.lc();
            cs.enforce("equity covers buffered margin", is_end, self.is_short.lc(), &zero);
        });
    }

    /// The deficit counted of an account in auction without equity: what `cover` leaves of equity below zero.
    pub fn count_deficit(
        &self,
        cs: &mut Cs,
        step: &AuctionStepVar,
        old: &AuctionVar,
        cover: &Wire,
    ) -> Wire {
        cs.under(Rule::Deficit, |cs| {
            let (zero, one) = (cs.zero(), cs.one());
            let is_count = step.is_count.lc();
            let is_solvent = one.minus(old.is_insolvent.lc());
            let is_covered = self.is_negative.not(cs);
            cs.enforce("counted in an auction", is_count, step.was.not(cs).lc(), &zero);
            cs.enforce("counted in an auction without equity", is_count, &is_solvent, &zero);
            cs.enforce("counted of equity below zero", is_count, is_covered.lc(), &zero);
            let missing = self.equity.plus(cover).negated();
            let missing = cs.product("deficit counted", is_count, &missing);
            Uint::range_check(cs, "the fund gives no more than is missing", &missing, CASH_BITS);
            missing
        })
    }

    /// Whether the auction started for equity of the sign it has now.
    pub fn has_kept_sign(&self, cs: &mut Cs, old: &AuctionVar) -> Bool<Fr> {
        let was_solvent = old.is_insolvent.not(cs);
        Bool::new_unchecked(self.is_insolvent.select(cs, old.is_insolvent.lc(), was_solvent.lc()))
    }

    /// The least fraction, in parts per million, whose sale at `discount` covers buffered margin when `reserve` is not for
    /// sale; 0 unless `is_priced`, which rows with a shortfall and equity above zero may be.
    pub fn fraction_ceil(
        &self,
        cs: &mut Cs,
        is_priced: &Bool<Fr>,
        discount: &Wire,
        reserve: &Wire,
    ) -> Wire {
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
            fraction.lc().clone()
        })
    }

    /// The fee of an auction that starts with equity: `fraction` is what would be sold of it without discount.
    pub fn fee_floor(
        &self,
        cs: &mut Cs,
        is_due: &Bool<Fr>,
        fraction: &Wire,
        parameters: &AuctionParametersVar,
    ) -> Wire {
        cs.under(Rule::AuctionStart, |cs| {
            let sold = cs.product("equity sold", &self.equity, fraction);
            let rate = cs.product("fee that is due", is_due.lc(), &parameters.fee);
            let fee = cs.product("fee", &sold, &rate);
            let divisor = cs.constant(Fr::from(PPM) * Fr::from(PPM));
            let widths = Widths { quotient: FEE_BITS, remainder: 2 * SHARE_BITS };
            div_floor(cs, "fee is rounded down", &fee, &divisor, widths).lc().clone()
        })
    }
}
