//! What owners force on L1: cash out, orders void, contracts to somebody else.

use rand::Rng;
use zkmargin_protocol::account::INSURANCE_FUND;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::forced::reduction::Reduction;
use zkmargin_protocol::operation::forced::{ForcedAction, ForcedRequest};
use zkmargin_protocol::value::units::{
    AccountIndex, Cash, ForcedQuantity, InstrumentIndex, Quantity,
};

use super::{trader, treasury};
use crate::desk::{Desk, account_index};
use crate::view::View;

/// A cancel-all, all or a part of what an account can spare, or more, or fewer contracts.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = desk.anyone();
    match desk.rng.gen_range(0..10) {
        0 => forced(account, ForcedAction::CancelAll),
        1 => forced(account, ForcedAction::Withdrawal { amount: Cash::MAX }),
        2..4 => {
            let amount = treasury::spare(desk, view, account).unwrap_or_default();
            forced(account, ForcedAction::Withdrawal { amount })
        }
        _ => reduction(desk, view),
    }
}

fn forced(account: AccountIndex, action: ForcedAction) -> Option<Operation> {
    Some(Operation::Forced(ForcedRequest { account, action }))
}

/// A part or all of a position, more than it, nothing, or some of what is not held; of an account
/// in auction as of any other.
fn reduction(desk: &mut Desk, view: &View) -> Option<Operation> {
    let holds = |index: &AccountIndex| view.accounts[index].positions.count() > 0;
    let all: Vec<_> = view.accounts.keys().copied().filter(holds).collect();
    let frozen: Vec<_> = view.auctioned().into_iter().filter(holds).collect();
    let account = if desk.one_in(4) { desk.pick(&frozen) } else { desk.pick(&all) }?;
    let held: Vec<_> = view.accounts[&account].positions.iter().collect();
    let (instrument, held) = if desk.one_in(16) {
        (trader::instrument(desk, view, account)?.instrument, Quantity::default())
    } else {
        desk.pick(&held)?
    };
    let counterparty = counterparty(desk, view, account, instrument);
    let size_e3 = held.get().abs().max(1);
    let quantity_e3 = match desk.rng.gen_range(0..8) {
        0..3 => size_e3,
        3 => size_e3 + desk.rng.gen_range(1..1_000),
        4 if desk.one_in(4) => 0,
        _ => desk.rng.gen_range(1..=size_e3),
    };
    let most = ForcedQuantity::MAX.into();
    let quantity = ForcedQuantity::try_from(i128::from(quantity_e3).min(most)).ok()?;
    forced(account, ForcedAction::Reduction(Reduction { instrument, quantity, counterparty }))
}

/// Mostly one of the book; one on the other side, the fund, one in auction, or nobody that is
/// there.
fn counterparty(
    desk: &mut Desk,
    view: &View,
    account: AccountIndex,
    instrument: InstrumentIndex,
) -> AccountIndex {
    let held = |index: &AccountIndex| {
        let known = view.accounts.get(index);
        known.map_or(0, |account| account.positions.quantity(instrument).get())
    };
    let sign = held(&account).signum();
    let others = view.accounts.keys().copied().filter(|index| held(index).signum() == -sign);
    let others: Vec<_> = others.collect();
    let fellow = desk.fellow(account);
    match desk.rng.gen_range(0..32) {
        0..6 => desk.pick(&others).unwrap_or(fellow),
        6..8 => desk.pick(&view.auctioned()).unwrap_or(fellow),
        8 => INSURANCE_FUND,
        9 => account_index(1 << 20),
        _ => fellow,
    }
}
