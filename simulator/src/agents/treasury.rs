//! Cash in, out and across.

use rand::Rng;
use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::deposit::Deposit;
use zkmargin_protocol::operation::recipient::Recipient;
use zkmargin_protocol::value::units::{AccountIndex, Cash};

use crate::desk::Desk;
use crate::view::View;

/// A deposit, a withdrawal or a transfer.
pub fn draft(desk: &mut Desk, view: &View) -> Option<Operation> {
    for index in [INSURANCE_FUND, fee_account()] {
        if !view.accounts.contains_key(&index) {
            return deposit(desk, view, index);
        }
    }
    match desk.rng.gen_range(0..9) {
        0..3 => {
            let index = if desk.one_in(40) { INSURANCE_FUND } else { desk.anyone() };
            deposit(desk, view, index)
        }
        3..6 => withdrawal(desk, view),
        _ => transfer(desk, view),
    }
}

/// A deposit of a part of a contract's worth, much more for the last accounts, who bid in auctions.
pub fn deposit(desk: &mut Desk, view: &View, account: AccountIndex) -> Option<Operation> {
    let book = desk.book(account);
    let unit_e6 = if book.underlying.get() == 1 { 2_500_000_000 } else { 80_000_000_000 };
    let last = desk.roster.len() - desk.roster.len().min(4);
    let is_rich = desk.roster[last..].contains(&account);
    let most_e6: i64 = if is_rich { unit_e6 * 100 } else { unit_e6 / 4 };
    let amount_e6 = if desk.one_in(20) { 1 } else { desk.rng.gen_range(1..most_e6) };
    let keys = desk.keys.get(&account)?;
    let (key, view_key) = (keys.secret.public(), keys.view);
    let book = view.accounts.get(&account).map_or(book, |known| known.book);
    let amount = Cash::new(amount_e6).ok()?;
    Some(Operation::Deposit(Deposit { account, key, view_key, book, amount }))
}

/// An amount an account can spare: any, or all of it.
pub fn spare(desk: &mut Desk, view: &View, account: AccountIndex) -> Option<Cash> {
    let excess_e6 = view.excess_e6(account)?;
    if excess_e6 <= 0 {
        return None;
    }
    let amount_e6 = match desk.rng.gen_range(0..6) {
        0..3 => excess_e6,
        3 => 1,
        _ => desk.rng.gen_range(1..=(excess_e6 / 3).max(1)),
    };
    Cash::new(amount_e6).ok()
}

fn withdrawal(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = if desk.one_in(30) { fee_account() } else { desk.anyone() };
    let amount = spare(desk, view, account)?;
    let to = recipient(desk);
    // Half of those who leave take what they get.
    let least = desk.one_in(2).then(|| Cash::new(amount.get() / 4)).transpose().ok()?;
    desk.request(view, account, Action::Withdrawal { to, amount, least })
}

/// Any address.
pub fn recipient(desk: &mut Desk) -> Recipient {
    Recipient(desk.rng.r#gen())
}

fn transfer(desk: &mut Desk, view: &View) -> Option<Operation> {
    let account = desk.anyone();
    let amount = spare(desk, view, account)?;
    // Those short of margin are helped as often as anybody.
    let short: Vec<_> = view.accounts.keys().copied().collect();
    let short: Vec<_> = short.into_iter().filter(|&k| view.excess_e6(k) < Some(0)).collect();
    let to = if desk.one_in(2) { desk.anyone() } else { desk.pick(&short)? };
    desk.request(view, account, Action::Transfer { to, amount })
}
