//! Twin of `protocol::account::reduction`: what a two-sided row shows beside a one-sided one.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::Margin;
use zkmargin_protocol::account::positions::SLOTS;
use zkmargin_protocol::value::units::{QUANTITY_BITS, Quantity};

use crate::account::AccountVar;
use crate::account::margin::{EXCESS_BITS, MarginVar, enforce_initial};
use crate::account::positions::SlotVar;
use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::value::packing::pack;
use crate::{Cs, Wire, shifted};

/// Kept quantities packed into one absorbed element.
const KEPT_PER_WORD: usize = 6;

/// What the witness of the side before the batch is made from.
#[derive(Clone, Debug)]
pub struct ReductionInput {
    /// The account's margin before the batch, or that of the book which a refusal shows.
    pub old_margin: Margin,
    /// Whether the row is bound to be no worse instead of to initial margin.
    pub is_reducing: bool,
    /// Of each slot before the batch, what is kept after it.
    pub kept: [Quantity; SLOTS],
}

/// The side before the batch, or where a forced reduction is refused, the book that could not be
/// held.
pub struct ReductionVar {
    /// Whether the row is bound to be no worse instead of to initial margin.
    pub is_reducing: Bool<Fr>,
    /// Claims of margin before the batch.
    pub old_margin: MarginVar,
    /// The slots before the batch, settled ones empty, with what is short of each.
    pub old_slots: Vec<SlotVar>,
    /// Of each slot before the batch what is kept: of its sign and no larger.
    pub kept: Vec<Wire>,
}

impl ReductionVar {
    /// Allocates the side before the batch, of these slots. The claims of margin are checked by
    /// `argument`, and so is that `kept` is what a reducing row holds after the batch.
    pub fn new(cs: &mut Cs, input: &ReductionInput, slots: &[SlotVar]) -> Self {
        let is_reducing = Bool::witness(cs, "row is reducing", input.is_reducing);
        let old_margin = MarginVar::evaluate(cs, &input.old_margin);
        let mut old_slots = slots.to_vec();
        let kept = old_slots
            .iter_mut()
            .zip(&input.kept)
            .map(|(slot, kept)| {
                slot.short = cs.product("short", slot.is_negative.lc(), &slot.quantity.negated());
                witness_kept(cs, slot, *kept)
            })
            .collect();
        Self { is_reducing, old_margin, old_slots, kept }
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
        (is_frozen, is_paying, is_refused): (&Bool<Fr>, &Bool<Fr>, &Wire),
        after: &Wire,
        factor_ppm: &Wire,
    ) {
        let (cash, is_standard) = (account.opening_cash(), &account.book.is_standard);
        let before = self.old_margin.initial_excess(cs, &cash, is_standard, factor_ppm);
        let is_bound = self.is_reducing.or(cs, is_frozen).not(cs).or(cs, is_paying);
        let is_bindable = account.is_active.lc().minus(is_refused);
        let is_bound = cs.product("bound to initial margin", &is_bindable, is_bound.lc());
        enforce_initial(cs, &is_bound, after);
        cs.under(Rule::RiskReduction, |cs| {
            let zero = cs.zero();
            cs.enforce(
                "a refused row shows no old margin",
                self.is_reducing.lc(),
                is_refused,
                &zero,
            );
            let gain = after.minus(&before);
            let gain = cs.product("gain of a reducing row", self.is_reducing.lc(), &gain);
            Uint::range_check(cs, "excess is not lower", &gain, EXCESS_BITS + 1);
        });
    }

    /// The elements the transcript absorbs: the claims before the batch, the flag, what is kept.
    pub fn absorbed(&self, cs: &Cs) -> Vec<Wire> {
        let mut words = self.old_margin.absorbed([]);
        let half = power_of_two(QUANTITY_BITS - 1);
        for (k, some) in self.kept.chunks(KEPT_PER_WORD).enumerate() {
            let kept: Vec<_> = some.iter().map(|kept| shifted(cs, kept, half)).collect();
            let mut parts: Vec<_> = kept.iter().map(|kept| (kept, QUANTITY_BITS)).collect();
            parts.extend((k == 0).then_some((self.is_reducing.lc(), 1)));
            words.push(pack(&parts));
        }
        words
    }
}

/// A quantity of the slot's sign and no larger: `|slot| = |kept| + |closed|`.
fn witness_kept(cs: &mut Cs, slot: &SlotVar, kept: Quantity) -> Wire {
    cs.under(Rule::RiskReduction, |cs| {
        let size = slot.quantity.plus_scaled(&slot.short, Fr::from(2u64));
        let kept = kept.get().unsigned_abs().into();
        let kept = Uint::witness(cs, "quantity kept", kept, QUANTITY_BITS);
        let closed = size.minus(kept.lc());
        Uint::range_check(cs, "no more is kept than held", &closed, QUANTITY_BITS);
        let twice = kept.lc().scaled(Fr::from(2u64));
        let negative = cs.product("kept short", slot.is_negative.lc(), &twice);
        kept.lc().minus(&negative)
    })
}
