//! Twin of `protocol::ledger::forced::reduction`: contracts that an owner forces on another
//! account, in the account's two-sided row.
//!
//! A refused row keeps its positions and pays nothing, so its margin before the batch bounds
//! nothing: that side shows a book that could not be held instead.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::operation::forced::reduction::{Reduced, Refusal};
use zkmargin_protocol::value::units::{
    FORCED_BITS, INSTRUMENT_BITS, PENALTY_BITS, PPM, PRICE_BITS, Price, QUANTITY_BITS,
};

use crate::account::AccountVar;
use crate::account::margin::{EXCESS_BITS, MarginVar};
use crate::account::positions::SlotVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::{enforce_nonzero_if, is_equal, is_less_than, is_zero};
use crate::gadgets::division::{Widths, div_floor};
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint, ranged};
use crate::ledger::forced::counterparty::{CounterpartyInput, CounterpartyVar};
use crate::market::parameters::ParametersVar;
use crate::{Cs, Wire, shifted, sum};

/// Width in bits of a penalty, sign included: 2^(22 + 32 + 20) / 10^6 is below 2^55.
const PENALTY_CASH_BITS: u32 = 56;

/// What the witness of one reduction is made from.
#[derive(Clone, Debug)]
pub struct ForcedReductionInput {
    /// The answer.
    pub answer: Reduced,
    /// Mark and forward of the instrument, if contracts are held.
    pub prices: [Price; 2],
    /// The counterparty after the batch.
    pub counterparty: CounterpartyInput,
}

/// The answer to a forced reduction; zeros in rows without one.
#[derive(Getters)]
pub struct ForcedReductionVar {
    /// Whether there is one.
    is_asked: Bool,
    /// Instrument.
    instrument: Uint,
    /// Contracts asked for.
    quantity: Uint,
    /// Who is to take them.
    counterparty: CounterpartyVar,
    /// Whether any are held.
    is_held: Bool,
    /// Whether they stay.
    is_refused: Bool,
    /// Why: the counterparty is not available, the account or the counterparty could not bear it.
    reasons: [Bool; 3],
    /// Mark of the instrument.
    mark: Uint,
    /// Forward of the instrument.
    forward: Uint,
    /// Cash the account would receive for them.
    proceeds: Int,
    /// Whether they are taken.
    is_done: Bool,
    /// Who takes contracts, 0 if nobody does.
    taker: Uint,
    /// Cash the account receives from the taker.
    received: Int,
    /// By slot the contracts taken.
    shares: Vec<Int>,
    /// The book of the row's side before the batch: the account's, or what a refusal shows.
    shown_slots: Vec<SlotVar>,
}

impl ForcedReductionVar {
    /// Allocates the answer of a row. That a refusal is right is for [`Self::enforce_refusal`],
    /// once the margin of `shown_slots` is claimed; legs and look-ups are for `argument`.
    pub fn new(
        cs: &mut Cs,
        input: Option<&ForcedReductionInput>,
        account: &AccountVar,
        parameters: &ParametersVar,
    ) -> Self {
        cs.under(Rule::ForcedReduction, |cs| {
            let is_asked = Bool::external(cs, "reduction is forced", input.is_some());
            let terms = input.map(|input| input.answer.terms);
            let instrument = terms.map_or(0, |terms| terms.instrument.get().into());
            let instrument = ranged(cs, "instrument forced", instrument, INSTRUMENT_BITS);
            let quantity = terms.map_or(0, |terms| terms.quantity.get().into());
            let quantity = ranged(cs, "contracts forced", quantity, FORCED_BITS);
            let counterparty =
                CounterpartyVar::external(cs, input.map(|input| &input.counterparty));
            enforce_terms(cs, &is_asked, &counterparty, account, [&instrument, &quantity]);
            let slots = account.opening_slots();
            let held = HeldVar::new(cs, &instrument, &quantity, slots);
            let is_held = is_zero(cs, &held.size).not(cs);
            let reasons = witness_reasons(cs, input, &is_held);
            // One reason at most, and only where contracts are held.
            let is_refused = Bool::new_unchecked(sum(reasons.each_ref().map(Bool::lc)));
            let is_done = Bool::new_unchecked(is_held.minus(&is_refused));
            let [mark, forward] =
                input.map_or([0; 2], |input| input.prices.map(|p| p.get().into()));
            // Nothing is made of them where no contracts are held.
            let mark = ranged(cs, "mark of a reduction", mark, PRICE_BITS);
            let forward = ranged(cs, "forward of a reduction", forward, PRICE_BITS);
            let penalty = parameters.forced_penalty_ppm();
            let proceeds = proceeds_floor(cs, &held, &mark, &forward, penalty);
            let taken = held.contracts.only_if(cs, "contracts taken", &is_done);
            Self {
                taker: counterparty.index().only_if(cs, "taker of contracts", &is_done),
                received: proceeds.only_if(cs, "received for contracts", &is_done),
                shares: held.by_slot(cs, &taken),
                shown_slots: show(cs, &held, &reasons, slots),
                is_asked,
                instrument,
                quantity,
                counterparty,
                is_held,
                is_refused,
                reasons,
                mark,
                forward,
                proceeds,
                is_done,
            }
        })
    }

    /// The counterparty is not available; or the account would be short of initial margin, and more
    /// so than it is unless it is in auction; or the counterparty's excess does not cover the
    /// contracts by themselves. Nobody in auction takes any. `is_in_auction`
    /// says whether the account was.
    pub fn enforce_refusal(
        &self,
        cs: &mut Cs,
        account: &AccountVar,
        is_in_auction: &Bool,
        margins: &RefusalMargins,
        factor_ppm: &Uint,
    ) {
        let RefusalMargins { shown, margin, after } = *margins;
        let zero = cs.zero();
        cs.under(Rule::Frozen, |cs| {
            let is_frozen = self.counterparty.is_frozen().lc();
            cs.enforce("nobody in auction takes contracts", &self.is_done, is_frozen, &zero);
        });
        cs.under(Rule::ForcedReduction, |cs| {
            let [unavailable, of_account, of_counterparty] = &self.reasons;
            let is_available = self.counterparty.is_unavailable(cs, account, margin).not(cs);
            cs.enforce("not available", unavailable.lc(), is_available.lc(), &zero);
            let shown = self.shown_excess(cs, account, shown, factor_ppm);
            let (what, free) = ("excess of a refusing counterparty", self.counterparty.excess());
            let free = cs.product(what, of_counterparty.lc(), free);
            let is_shown = of_account.lc().plus(of_counterparty.lc());
            let lack = shifted(cs, &free.plus(&shown).negated(), -Fr::from(1u64));
            let lack = cs.product("lack of margin", &is_shown, &lack);
            Uint::range_check(cs, "margin would be lacking", &lack, EXCESS_BITS + 2);
            let is_compared = is_in_auction.not(cs).and(cs, of_account);
            let loss = shifted(cs, &after.minus(&shown), -Fr::from(1u64));
            let loss = cs.product("loss of excess", is_compared.lc(), &loss);
            Uint::range_check(cs, "the account would be worse", &loss, EXCESS_BITS + 1);
        });
    }

    /// Excess over initial margin of the book shown: the account's with the contracts gone and
    /// paid, or one of nothing but the contracts, bought, by the counterparty's method.
    fn shown_excess(
        &self,
        cs: &mut Cs,
        account: &AccountVar,
        shown: &MarginVar,
        factor_ppm: &Uint,
    ) -> Unranged {
        let [_, _, of_counterparty] = &self.reasons;
        let (paid, kept) = (self.proceeds.negated(), account.new_cash().plus(&self.proceeds));
        let cash = of_counterparty.select(cs, &paid, &kept);
        let methods =
            [self.counterparty.book(), account.book()].map(|book| book.is_standard().lc());
        let is_standard = of_counterparty.select(cs, methods[0], methods[1]);
        // One of two bits.
        shown.initial_excess(cs, &cash, &Bool::new_unchecked(is_standard), factor_ppm)
    }

    /// What the transcript absorbs besides the statement and the counterparty's excess.
    pub fn parts(&self) -> Vec<Uint> {
        let mut parts =
            vec![self.mark.clone(), self.forward.clone(), self.counterparty.availability()];
        parts.extend(self.reasons.iter().map(Uint::from_bit));
        parts
    }
}

/// The margins that a refusal is judged by.
#[derive(Clone, Copy)]
pub struct RefusalMargins<'a> {
    /// Of the slots shown.
    pub shown: &'a MarginVar,
    /// Of the row after the batch.
    pub margin: &'a MarginVar,
    /// Its excess over initial margin.
    pub after: &'a Unranged,
}

/// Contracts are of a reduction, and somebody else takes them who is not the insurance fund.
fn enforce_terms(
    cs: &mut Cs,
    is_asked: &Bool,
    counterparty: &CounterpartyVar,
    account: &AccountVar,
    [instrument, quantity]: [&Uint; 2],
) {
    let (zero, is_other) = (cs.zero(), is_asked.not(cs));
    let index = counterparty.index();
    let named = sum([instrument, quantity, index].map(Uint::lc));
    cs.enforce("contracts are of a reduction", is_other.lc(), &named, &zero);
    let own = index.minus(account.index());
    enforce_nonzero_if(cs, "somebody else takes them", &own, is_asked);
    enforce_nonzero_if(cs, "not the insurance fund", index, is_asked);
}

/// One reason at most, and only where contracts are held.
fn witness_reasons(cs: &mut Cs, input: Option<&ForcedReductionInput>, is_held: &Bool) -> [Bool; 3] {
    let found = input.and_then(|input| input.answer.refusal);
    let reasons = [
        ("counterparty is not available", Refusal::Unavailable),
        ("account could not bear it", Refusal::Account),
        ("counterparty could not bear it", Refusal::Counterparty),
    ];
    let reasons = reasons.map(|(name, reason)| Bool::external(cs, name, found == Some(reason)));
    let (zero, count) = (cs.zero(), sum(reasons.each_ref().map(Bool::lc)));
    // The sum is 0 to 3, and nothing but 0 or 1 is the flag.
    cs.enforce("one reason at most", &count, &is_held.lc().minus(&count), &zero);
    reasons
}

/// Contracts at their mark less the penalty, micro-USDC, rounded down.
fn proceeds_floor(
    cs: &mut Cs,
    held: &HeldVar,
    mark: &Uint,
    forward: &Uint,
    penalty_ppm: &Uint,
) -> Int {
    let value = cs.product("value of contracts", &held.contracts, mark);
    // Contracts have 22 bits and a sign, a mark 32.
    let value = Int::new_unchecked(value, FORCED_BITS + 1 + PRICE_BITS);
    let exposure = cs.product("contracts at the forward", &held.size, forward);
    let due = cs.product("penalty due", &exposure, penalty_ppm).negated();
    let divisor = cs.constant(Fr::from(PPM));
    let widths = Widths { quotient: PENALTY_CASH_BITS, remainder: PENALTY_BITS };
    let penalty = div_floor(cs, "penalty is rounded up", &due, &divisor, widths);
    value.add(&penalty)
}

/// The slots whose margin the row claims as that before the batch: the account's; or for the
/// account's own lack of margin without the contracts; or for the counterparty's, nothing but them.
fn show(cs: &mut Cs, held: &HeldVar, reasons: &[Bool; 3], slots: &[SlotVar]) -> Vec<SlotVar> {
    let [_, of_account, of_counterparty] = reasons;
    let is_shown = of_account.lc().plus(of_counterparty.lc());
    // Of two flags one at most is set.
    let is_shown = Bool::new_unchecked(is_shown);
    let gone = held.contracts.only_if(cs, "contracts that would go", &is_shown);
    let gone = held.by_slot(cs, &gone);
    let slots = slots.iter().zip(&gone);
    slots
        .map(|(slot, gone)| {
            let left = slot.quantity().minus(gone);
            let quantity = of_counterparty.select(cs, gone, &left);
            // Of the slot's sign, and no larger.
            slot.with_quantity(Int::new_unchecked(quantity, QUANTITY_BITS))
        })
        .collect()
}

/// The contracts of an account that a request is for.
struct HeldVar {
    /// By slot whether it is the instrument's; where none is named, whether it is empty.
    is_here: Vec<Bool>,
    /// Their number: what is asked for, or all that are held if that is no more.
    size: Uint,
    /// The same with the sign of the position.
    contracts: Int,
}

impl HeldVar {
    /// Instruments of slots in use differ, so in a row in use one position at most is found. What
    /// padding may find is asked of the table under index 0, which no row of it has.
    fn new(cs: &mut Cs, instrument: &Uint, quantity: &Uint, slots: &[SlotVar]) -> Self {
        let two = Fr::from(2u64);
        let is_here: Vec<_> =
            slots.iter().map(|slot| is_equal(cs, slot.instrument(), instrument)).collect();
        let mut found = |name, part: fn(&SlotVar) -> &Wire| {
            let products: Vec<_> = slots
                .iter()
                .zip(&is_here)
                .map(|(slot, is_here)| cs.product(name, is_here.lc(), part(slot)))
                .collect();
            sum(&products)
        };
        let position = found("position found", |slot| slot.quantity().lc());
        let is_short = found("position found is short", |slot| slot.is_negative().lc());
        let short = cs.product("short position", &is_short, &position);
        let all = position.minus(&short.scaled(two));
        let is_part = is_less_than(cs, "a part is asked for", quantity, &all, QUANTITY_BITS);
        let size = is_part.select(cs, quantity, &all);
        let short = cs.product("short contracts", &is_short, &size);
        let contracts = size.minus(&short.scaled(two));
        Self {
            is_here,
            // In a row in use at most what is asked for.
            size: Uint::new_unchecked(size, FORCED_BITS),
            contracts: Int::new_unchecked(contracts, FORCED_BITS + 1),
        }
    }

    /// These contracts where the position is, 0 in other slots.
    fn by_slot(&self, cs: &mut Cs, contracts: &Int) -> Vec<Int> {
        let here = self.is_here.iter();
        here.map(|is_here| contracts.only_if(cs, "contracts of a slot", is_here)).collect()
    }
}
