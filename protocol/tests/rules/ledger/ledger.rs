use std::collections::BTreeMap;

use super::super::auction_world::{MILLION, ceil};
use zkmargin_fixtures::build::random_batch;
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::Account;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::{AccountRow, BatchTrace};
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::operation::bid::AuctionStep;
use zkmargin_protocol::operation::forced::ForcedAnswer;

pub const RULE: Rule = Rule::Ledger;

/// Cash under instrument −1, else quantity, by account and instrument.
type Book = BTreeMap<(u32, i32), i128>;

fn credit(book: &mut Book, account: u32, instrument: i32, change: i128) {
    *book.entry((account, instrument)).or_default() += change;
}

/// What the operations of a batch move, computed from their terms alone, and what is settled.
fn legs(trace: &BatchTrace) -> Book {
    let mut book = Book::new();
    for row in &trace.accounts {
        credit(&mut book, row.index.get(), -1, row.settlement.cash);
        for &instrument in &row.settlement.instruments {
            let held = row.old.as_ref().expect("held").positions.quantity(instrument);
            credit(&mut book, row.index.get(), instrument.get().into(), -i128::from(held.get()));
        }
    }
    for row in trace.deposits.iter().filter(|row| !row.is_refused) {
        credit(&mut book, row.deposit.account.get(), -1, row.deposit.amount.get().into());
    }
    for row in &trace.accounts {
        let taken = row.answer.map_or(0, |answer| i128::from(answer.paid()));
        credit(&mut book, row.index.get(), -1, -taken);
        credit(&mut book, 0, -1, taken - payout(trace, taken));
        forced_legs(&mut book, trace, row);
    }
    for trade in &trace.trades {
        let [price, buyer_fee, seller_fee] =
            [trade.price, trade.buyer_fee, trade.seller_fee].map(|p| i128::from(p.get()));
        let quantity = i128::from(trade.quantity.get());
        let (buyer, seller) = (trade.buy.order.account.get(), trade.sell.order.account.get());
        let instrument = i32::from(trade.buy.order.instrument.get());
        credit(&mut book, buyer, instrument, quantity);
        credit(&mut book, seller, instrument, -quantity);
        credit(&mut book, buyer, -1, -price * quantity - buyer_fee * quantity);
        credit(&mut book, seller, -1, price * quantity - seller_fee * quantity);
        credit(&mut book, 1, -1, (buyer_fee + seller_fee) * quantity);
    }
    for signed in &trace.requests {
        let account = signed.request.account.get();
        match signed.request.action {
            Action::Transfer { to, amount } => {
                credit(&mut book, account, -1, -i128::from(amount.get()));
                credit(&mut book, to.get(), -1, amount.get().into());
            }
            Action::Withdrawal { amount, .. } => {
                let amount = i128::from(amount.get());
                credit(&mut book, account, -1, -amount);
                credit(&mut book, 0, -1, amount - payout(trace, amount));
            }
            // What a bid moves is read from the row of the account in auction.
            Action::Rekey { .. } | Action::CancelAll { .. } | Action::Bid(_) => {}
        }
    }
    for row in &trace.accounts {
        auction_legs(&mut book, row);
    }
    book.retain(|_, change| *change != 0);
    book
}

/// What leaves of a withdrawal, the rest is for the insurance fund: its share of what L1 holds.
fn payout(trace: &BatchTrace, amount: i128) -> i128 {
    let [held, deficit] = [trace.custody.held(), trace.custody.deficit()];
    if deficit == 0 { amount } else { amount * held / (held + deficit) }
}

/// What a forced reduction that is honoured moves: contracts at their mark, less a penalty rounded
/// up.
fn forced_legs(book: &mut Book, trace: &BatchTrace, row: &AccountRow) {
    let Some(ForcedAnswer::Reduction(answer)) = row.answer else { return };
    if answer.refusal.is_some() {
        return;
    }
    let terms = answer.terms;
    let is_settled = row.settlement.instruments.contains(&terms.instrument);
    let found = row.old.as_ref().filter(|_| !is_settled);
    let found = found.map_or(0, |old| old.positions.quantity(terms.instrument).get());
    let asked = i64::from(terms.quantity.get());
    let contracts = i128::from(found.clamp(-asked, asked));
    let listed = trace.risk_row(terms.instrument);
    // Of none there need be no row.
    let [mark, forward] = listed.map_or([0; 2], |row| [row.mark, row.forward].map(i128::from));
    let penalty_e12 = contracts.abs() * forward * i128::from(trace.parameters.forced_penalty_ppm);
    let proceeds = contracts * mark - ceil(penalty_e12, MILLION);
    for (account, sign) in [(row.index, -1), (terms.counterparty, 1)] {
        credit(book, account.get(), terms.instrument.get().into(), sign * contracts);
        credit(book, account.get(), -1, -sign * proceeds);
    }
}

/// What an auction moves between the account, a bidder and the insurance fund.
fn auction_legs(book: &mut Book, row: &AccountRow) {
    let account = row.index.get();
    match &row.step {
        Some(AuctionStep::Start { fee }) => {
            credit(book, account, -1, -fee);
            credit(book, 0, -1, *fee);
        }
        Some(AuctionStep::Bid(fill)) => {
            let bidder = fill.bidder.get();
            for (instrument, share) in &fill.shares {
                let instrument = instrument.get().into();
                credit(book, account, instrument, -i128::from(share.get()));
                credit(book, bidder, instrument, share.get().into());
            }
            // The fund is paid a negative price: it pays the bidder.
            let has_equity = row.old_margin.as_ref().is_some_and(|margin| margin.equity > 0);
            credit(book, if has_equity { account } else { 0 }, -1, fill.price);
            credit(book, account, -1, -fill.cash);
            credit(book, bidder, -1, fill.cash - fill.price);
        }
        Some(AuctionStep::Count { cover }) => {
            credit(book, account, -1, *cover);
            credit(book, 0, -1, -cover);
        }
        Some(AuctionStep::End) | None => {}
    }
}

/// What the account rows of a batch show.
fn changes(trace: &BatchTrace) -> Book {
    let mut book = Book::new();
    for row in &trace.accounts {
        let account = row.index.get();
        let mut add = |side: &Account, sign: i128| {
            credit(&mut book, account, -1, sign * i128::from(side.cash.get()));
            for (instrument, quantity) in side.positions.iter() {
                let change = sign * i128::from(quantity.get());
                credit(&mut book, account, instrument.get().into(), change);
            }
        };
        add(&row.new, 1);
        row.old.iter().for_each(|old| add(old, -1));
    }
    book.retain(|_, change| *change != 0);
    book
}

fn contracts_settled(row: &AccountRow) -> i128 {
    let held = row.old.as_ref().map(|old| &old.positions);
    let gone = row.settlement.instruments.iter().zip(held.into_iter().cycle());
    gone.map(|(&instrument, held)| i128::from(held.quantity(instrument).get())).sum()
}

#[test]
fn accepts_random_batches_whose_changes_are_their_legs() {
    let mut moved = 0;
    for seed in 0..60 {
        let trace = random_batch(seed, Shape::TINY);
        let legs = legs(&trace);
        moved += legs.len();
        assert_eq!(changes(&trace), legs, "seed {seed}");
        // Nothing comes from nowhere: cash changes by deposits less withdrawals, contracts net to
        // zero, but for settlement, whose other side is another account's.
        let total = |is_cash: bool| -> i128 {
            legs.iter().filter(|((_, i), _)| (*i == -1) == is_cash).map(|(_, change)| change).sum()
        };
        let credited = trace.deposits.iter().filter(|row| !row.is_refused);
        let deposits: i128 = credited.map(|row| i128::from(row.deposit.amount)).sum();
        let paid_out = trace.requests.iter().filter(|m| m.request.action.is_withdrawal());
        let withdrawals: i128 = paid_out
            .map(|m| m.request.action.amount().map_or(0, |amount| payout(&trace, amount.into())))
            .sum();
        let answers = trace.accounts.iter().filter_map(|row| row.answer);
        let forced: i128 = answers.map(|answer| payout(&trace, answer.paid().into())).sum();
        let settled: i128 = trace.accounts.iter().map(|row| row.settlement.cash).sum();
        let gone: i128 = trace.accounts.iter().map(contracts_settled).sum();
        let expected = (deposits - withdrawals - forced + settled, -gone);
        assert_eq!((total(true), total(false)), expected, "seed {seed}");
    }
    assert!(moved > 100, "the batches moved something: {moved}");
}

#[test]
fn rejects_ledger_of_forged_batches_and_of_no_others() {
    let mut forged = 0;
    for forgery in forgeries() {
        if forgery.rule == RULE {
            forged += 1;
            assert_ne!(changes(&forgery.trace), legs(&forgery.trace), "{}", forgery.what);
        }
    }
    assert!(forged >= 2, "both a cash and a position forgery");
}
