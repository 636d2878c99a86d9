//! Keys changed, orders cancelled, settled options cashed.

use rand::Rng;
use zkmargin_protocol::account::nonce::WINDOW;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::settle::Settle;
use zkmargin_protocol::value::units::{AccountIndex, Nonce, Time};

use crate::desk::Desk;
use crate::view::View;

/// New keys, or a new base of nonces.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = desk.anyone();
    if desk.one_in(2) {
        let keys = desk.spare();
        let action = Action::Rekey { key: keys.secret.public(), view_key: keys.view };
        let operation = desk.request(view, account, action)?;
        desk.offered.insert(keys.secret.public(), keys);
        return Some(operation);
    }
    let base = view.accounts.get(&account)?.nonces.base.get() + WINDOW + desk.rng.gen_range(0..3);
    desk.request(view, account, Action::CancelAll { base: Nonce::new(base).ok()? })
}

/// Touches an account for an expiry that is settled.
pub fn settle(desk: &mut Desk, view: &View) -> Option<Operation> {
    let due: Vec<(AccountIndex, Time)> = view
        .accounts
        .iter()
        .flat_map(|(&index, account)| account.positions.iter().map(move |(k, _)| (index, k)))
        .filter_map(|(index, k)| {
            let row = view.market.settled_row(k, view.time)?;
            Some((index, row.spec.expiry))
        })
        .collect();
    let (account, expiry) = desk.pick(&due)?;
    Some(Operation::Settle(Settle { account, expiry }))
}
