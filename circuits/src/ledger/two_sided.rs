//! What a two-sided row shows besides a one-sided one: its side before the batch, a step of its
//! account's auction and the answer to a forced request, in the order in which they rely on each
//! other.

use derive_getters::Getters;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::ForcedAnswer;

use crate::Cs;
use crate::account::AccountVar;
use crate::account::margin::RowMarginVar;
use crate::account::positions::{self, SlotVar};
use crate::account::reduction::{RowModes, SideBeforeInput, SideBeforeVar};
use crate::ledger::forced::ForcedVar;
use crate::ledger::forced::reduction::{ForcedReductionInput, ForcedReductionVar, RefusalMargins};
use crate::ledger::liquidation::LiquidationVar;
use crate::market::parameters::ParametersVar;
use crate::value::header::HeaderVar;

/// What the witness of one two-sided row is made from, besides its account.
#[derive(Clone, Debug)]
pub struct TwoSidedInput {
    /// The side before the batch.
    pub before: SideBeforeInput,
    /// What happens to the account's auction.
    pub step: Option<AuctionStep>,
    /// How a forced request is answered.
    pub answer: Option<ForcedAnswer>,
    /// The same of a forced reduction, with what it relies on.
    pub forced_reduction: Option<ForcedReductionInput>,
}

/// What a two-sided row shows besides its account.
#[derive(Getters)]
pub struct TwoSidedVar {
    /// The side before the batch.
    before: SideBeforeVar,
    /// The step of the account's auction.
    liquidation: LiquidationVar,
    /// The answer to a forced request.
    forced: ForcedVar,
}

impl TwoSidedVar {
    /// Allocates the row and enforces everything but what `argument` ties to other tables: the
    /// account covers initial margin, or is left no worse, or is in auction. `margin` is the
    /// account's after the batch.
    pub fn new(
        cs: &mut Cs,
        input: &TwoSidedInput,
        account: &AccountVar,
        margin: &RowMarginVar,
        parameters: &ParametersVar,
        header: &HeaderVar,
    ) -> Self {
        let asked = input.forced_reduction.as_ref();
        let taken = ForcedReductionVar::new(cs, asked, account, parameters);
        let before = SideBeforeVar::new(cs, &input.before, taken.shown_slots());
        let step = input.step.as_ref();
        let liquidation = LiquidationVar::new(cs, step, account, &before, parameters, header);
        let step = liquidation.step();
        let (factor, after) = (parameters.initial_factor_ppm(), margin.excess());
        let (shown, margin) = (before.margin(), margin.claims());
        let margins = RefusalMargins { shown, margin, after };
        taken.enforce_refusal(cs, account, step.was_in_auction(), &margins, factor);
        let answer = input.answer.as_ref();
        let forced = ForcedVar::new(cs, answer, account, taken, step, after, header);
        let modes = RowModes {
            is_frozen: step.is_frozen(),
            is_paying: forced.is_bound(),
            is_refused: forced.reduction().is_refused(),
        };
        before.enforce_no_worse(cs, account, &modes, after, factor);
        Self { before, liquidation, forced }
    }

    /// What an auction and a forced reduction leave of the slots. No row has both.
    pub fn left(&self, slots: &[SlotVar]) -> Vec<SlotVar> {
        let left = positions::left(slots, self.forced.reduction().shares());
        positions::left(&left, self.liquidation.sale().shares())
    }
}
