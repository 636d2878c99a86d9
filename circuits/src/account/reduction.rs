//! Twin of `protocol::account::reduction`: what a two-sided row shows besides a one-sided one.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::Margin;
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::value::units::{QUANTITY_BITS, Quantity};

use crate::account::AccountVar;
use crate::account::margin::{EXCESS_BITS, MarginVar, enforce_initial};
use crate::account::positions::SlotVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Int, Uint};
use crate::value::packing::pack_words;
use crate::{Cs, Wire};

/// Kept quantities packed into one absorbed element.
const KEPT_PER_WORD: usize = 6;

/// What the witness of the side before the batch is made from.
#[derive(Clone, Debug)]
pub struct SideBeforeInput {
    /// The account's margin before the batch, or that of the book which a refusal shows.
    pub old_margin: Margin,
    /// Whether the row is bound to be no worse instead of to initial margin.
    pub is_reducing: bool,
    /// Of each slot before the batch, what is kept after it.
    pub kept: [Quantity; SLOTS],
}

/// What binds a two-sided row to initial margin, or frees it.
#[derive(Clone, Copy)]
pub struct RowModes<'a> {
    /// Whether the account is in auction.
    pub is_frozen: &'a Bool,
    /// Whether it pays for a forced request.
    pub is_paying: &'a Bool,
    /// Whether a forced reduction is refused.
    pub is_refused: &'a Bool,
}

/// The side before the batch, or where a forced reduction is refused, the book that could not be
/// held.
#[derive(Getters)]
pub struct SideBeforeVar {
    /// Whether the row is bound to be no worse instead of to initial margin.
    is_reducing: Bool,
    /// Claims of margin before the batch.
    margin: MarginVar,
    /// The slots before the batch, settled ones empty, with what is short of each.
    slots: Vec<SlotVar>,
    /// Of each slot before the batch what is kept: of its sign and no larger.
    kept: Vec<Int>,
}

impl SideBeforeVar {
    /// Allocates the side before the batch, of these slots. The claims of margin are checked by
    /// `argument`, and so is that `kept` is what a reducing row holds after the batch.
    pub fn new(cs: &mut Cs, input: &SideBeforeInput, slots: &[SlotVar]) -> Self {
        let is_reducing = Bool::witness(cs, "row is reducing", input.is_reducing);
        let margin = MarginVar::evaluate(cs, &input.old_margin);
        let (mut before, mut kept) = (Vec::new(), Vec::new());
        for (slot, &quantity) in slots.iter().zip(&input.kept) {
            let slot = slot.with_short(cs);
            kept.push(witness_kept(cs, &slot, quantity));
            before.push(slot);
        }
        Self { is_reducing, margin, slots: before, kept }
    }

    /// A reducing row is short of initial margin by no more than before; any other row in use
    /// covers it, but for an account in auction, which signs nothing, and one whose forced
    /// reduction is refused, whose positions stay and whose cash only grows. One that pays for a
    /// forced request covers it in any case. `after` is the row's excess over initial margin after
    /// the batch.
    pub fn enforce_no_worse(
        &self,
        cs: &mut Cs,
        account: &AccountVar,
        modes: &RowModes,
        after: &Unranged,
        factor_ppm: &Uint,
    ) {
        let RowModes { is_frozen, is_paying, is_refused } = *modes;
        let (cash, is_standard) = (account.opening_cash(), &account.book.is_standard);
        let before = self.margin.initial_excess(cs, &cash, is_standard, factor_ppm);
        let is_bound = self.is_reducing.or(cs, is_frozen).not(cs).or(cs, is_paying);
        let is_bindable = account.is_active.lc().minus(is_refused);
        let is_bound = cs.product("bound to initial margin", &is_bindable, is_bound.lc());
        // A row is refused only in use: one minus a bit, times a bit.
        enforce_initial(cs, &Bool::new_unchecked(is_bound), after);
        cs.under(Rule::RiskReduction, |cs| {
            let (is_reducing, zero) = (self.is_reducing.lc(), cs.zero());
            cs.enforce("a refused row shows no old margin", is_reducing, is_refused, &zero);
            let gain = after.minus(&before);
            let gain = cs.product("gain of a reducing row", is_reducing, &gain);
            Uint::range_check(cs, "excess is not lower", &gain, EXCESS_BITS + 1);
        });
    }

    /// The elements the transcript absorbs: the claims before the batch, the flag, what is kept.
    pub fn absorbed(&self, cs: &Cs) -> Vec<Wire> {
        let mut words = self.margin.absorbed([]);
        let mut kept: Vec<_> = self.kept.iter().map(|kept| kept.offset(cs)).collect();
        kept.insert(KEPT_PER_WORD, Uint::from_bit(&self.is_reducing));
        words.extend(pack_words(&kept).iter().map(|word| word.lc().clone()));
        words
    }
}

/// A quantity of the slot's sign and no larger: `|slot| = |kept| + |closed|`.
fn witness_kept(cs: &mut Cs, slot: &SlotVar, kept: Quantity) -> Int {
    cs.under(Rule::RiskReduction, |cs| {
        let size = slot.quantity().plus_scaled(slot.short(), Fr::from(2u64));
        let kept = kept.get().unsigned_abs().into();
        let kept = Uint::witness(cs, "quantity kept", kept, QUANTITY_BITS);
        let closed = size.minus(kept.lc());
        Uint::range_check(cs, "no more is kept than held", &closed, QUANTITY_BITS);
        let twice = kept.lc().scaled(Fr::from(2u64));
        let negative = cs.product("kept short", slot.is_negative().lc(), &twice);
        // Of the slot's sign, and no larger.
        Int::new_unchecked(kept.minus(&negative), QUANTITY_BITS)
    })
}
