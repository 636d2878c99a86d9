//! Nothing comes from nowhere, and nobody but the parties is touched.

use std::collections::BTreeMap;

use zkmargin_protocol::account::{INSURANCE_FUND, fee_account};
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::action::Action;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex};

use super::forced::taken;
use super::margin::value_at_marks;
use super::memory::Memory;
use super::observation::{Holding, Step};
use super::parties::{parties, payout};
use super::{Finding, demand};

/// [`crate::invariants::Invariant::RefusedChangesNothing`]
pub fn refused_changes_nothing(_: &Memory, step: &Step) -> Finding {
    demand!(step.after == step.before, "accounts differ after a refusal");
    let [before, after] = step.counts;
    demand!(before == after, "{after} operations after a refusal, {before} before");
    Ok(())
}

/// [`crate::invariants::Invariant::RefusedAgain`]
pub fn refused_again(_: &Memory, step: &Step) -> Finding {
    demand!(step.verdict == step.again, "{:?}, then {:?}", step.verdict, step.again);
    Ok(())
}

/// [`crate::invariants::Invariant::CashConserved`]
pub fn cash_conserved(memory: &Memory, step: &Step) -> Finding {
    let cash: i128 = step.after.values().map(|account| i128::from(account.cash)).sum();
    let expected = memory.deposited - memory.withdrawn + memory.settled_cash;
    demand!(cash == expected, "cash of all {cash}, expected {expected}");
    Ok(())
}

/// [`crate::invariants::Invariant::ContractsConserved`]
pub fn contracts_conserved(memory: &Memory, step: &Step) -> Finding {
    let mut sums: BTreeMap<InstrumentIndex, i128> = BTreeMap::new();
    for account in step.after.values() {
        for (instrument, quantity) in account.positions.iter() {
            *sums.entry(instrument).or_default() += i128::from(quantity);
        }
    }
    for (instrument, sum) in &sums {
        let settled = memory.specs.get(instrument).and_then(|spec| memory.paid.get(spec));
        let settled = settled.map_or(0, |paid| paid.contracts);
        demand!(sum + settled == 0, "{sum} held, {settled} settled of {instrument}");
    }
    let is_held = |spec| sums.keys().any(|index| memory.specs.get(index) == Some(spec));
    for (spec, paid) in &memory.paid {
        let is_whole = paid.contracts == 0 || is_held(spec);
        demand!(is_whole, "{} settled of {spec:?}, none held", paid.contracts);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::ValueConserved`]
pub fn value_conserved(memory: &Memory, step: &Step) -> Finding {
    let value = |account| value_at_marks(&Holding::of(account), step.market);
    let value: i128 = step.after.values().map(value).sum();
    let expected = memory.deposited - memory.withdrawn;
    demand!(value == expected, "equity of all {value}, expected {expected}");
    Ok(())
}

/// [`crate::invariants::Invariant::OnlyParties`]
pub fn only_parties(_: &Memory, step: &Step) -> Finding {
    let parties = parties(step.operation);
    let all = step.before.keys().chain(step.after.keys());
    for index in all.filter(|index| !parties.contains(index)) {
        let is_same = step.before.get(index) == step.after.get(index);
        demand!(is_same, "account {index} is not named and changed");
    }
    Ok(())
}

/// Cash and contracts of these parties are what the operation makes of them.
fn exact(memory: &Memory, step: &Step, who: &[AccountIndex]) -> Finding {
    let expected = memory.expected(step);
    for index in who {
        let found = step.after.get(index).map(Holding::of).unwrap_or_default();
        let wanted = expected.get(index).cloned().unwrap_or_default();
        demand!(found == wanted, "account {index} has {found:?}, expected {wanted:?}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::DepositExact`]
pub fn deposit_exact(memory: &Memory, step: &Step) -> Finding {
    let Operation::Deposit(deposit) = step.operation else { return Ok(()) };
    exact(memory, step, &[deposit.account])
}

fn action<'a>(step: &'a Step) -> Option<(AccountIndex, &'a Action)> {
    let Operation::Request(signed) = step.operation else { return None };
    Some((signed.request.account, &signed.request.action))
}

/// [`crate::invariants::Invariant::WithdrawalExact`]
pub fn withdrawal_exact(memory: &Memory, step: &Step) -> Finding {
    let Some((account, Action::Withdrawal { .. })) = action(step) else { return Ok(()) };
    exact(memory, step, &parties(step.operation))?;
    let expected = memory.expected(step);
    demand!(expected.contains_key(&account), "account {account} is no party");
    Ok(())
}

/// [`crate::invariants::Invariant::TransferExact`]
pub fn transfer_exact(memory: &Memory, step: &Step) -> Finding {
    let Some((account, Action::Transfer { to, .. })) = action(step) else { return Ok(()) };
    exact(memory, step, &[account, *to])
}

/// [`crate::invariants::Invariant::TradeExact`]
pub fn trade_exact(memory: &Memory, step: &Step) -> Finding {
    let Operation::Trade(trade) = step.operation else { return Ok(()) };
    exact(memory, step, &[trade.buy.order.account, trade.sell.order.account])
}

/// [`crate::invariants::Invariant::FeesAsCharged`]
pub fn fees_as_charged(memory: &Memory, step: &Step) -> Finding {
    let Operation::Trade(_) = step.operation else { return Ok(()) };
    exact(memory, step, &[fee_account()])
}

/// [`crate::invariants::Invariant::BidExact`]
pub fn bid_exact(memory: &Memory, step: &Step) -> Finding {
    let Some((_, Action::Bid(_))) = action(step) else { return Ok(()) };
    exact(memory, step, &parties(step.operation))
}

/// [`crate::invariants::Invariant::EquityOnlyByTerms`]
pub fn equity_only_by_terms(memory: &Memory, step: &Step) -> Finding {
    let value = |accounts: &super::observation::Accounts, index: &AccountIndex| {
        accounts.get(index).map_or(0, |a| value_at_marks(&Holding::of(a), step.market))
    };
    let mut changes: BTreeMap<AccountIndex, i128> = BTreeMap::new();
    for index in parties(step.operation) {
        changes.insert(index, value(step.after, &index) - value(step.before, &index));
    }
    let mut take = |index: AccountIndex, cash: i128| *changes.entry(index).or_default() -= cash;
    match step.operation {
        Operation::Deposit(deposit) => take(deposit.account, deposit.amount.into()),
        Operation::Trade(trade) => {
            let row = step.market.rows().get(&trade.buy.order.instrument);
            let mark = row.map_or(0, |row| i128::from(row.mark));
            let gain = (mark - i128::from(trade.price)) * i128::from(trade.quantity);
            let fee = |fee: zkmargin_protocol::value::units::Price| {
                i128::from(fee) * i128::from(trade.quantity)
            };
            take(trade.buy.order.account, gain - fee(trade.buyer_fee));
            take(trade.sell.order.account, -gain - fee(trade.seller_fee));
            take(fee_account(), fee(trade.buyer_fee) + fee(trade.seller_fee));
        }
        Operation::Request(signed) => match &signed.request.action {
            Action::Transfer { to, amount } => {
                take(signed.request.account, -i128::from(*amount));
                take(*to, (*amount).into());
            }
            Action::Withdrawal { amount, .. } => {
                take(signed.request.account, -i128::from(*amount));
                let kept = i128::from(*amount) - payout((*amount).into(), step.custody);
                if kept != 0 {
                    take(INSURANCE_FUND, kept);
                }
            }
            _ => {}
        },
        Operation::Forced(request) => {
            if let Some((index, outcome)) = memory.reduction(step).filter(|(_, o)| o.is_done()) {
                let lost = value_at_marks(&outcome.taken(&Holding::default()), step.market);
                take(index, -lost);
                take(outcome.terms.counterparty, lost);
            }
            let taken = taken(&memory.start(request.account, step.before), step, request);
            take(request.account, -taken);
            take(INSURANCE_FUND, taken - payout(taken, step.custody));
        }
        _ => {}
    }
    let is_auction =
        |o: &Operation| matches!(o, Operation::StartAuction(_) | Operation::CountDeficit(_));
    let is_shared = is_auction(step.operation) || matches!(action(step), Some((_, Action::Bid(_))));
    if is_shared {
        let sum: i128 = changes.values().sum();
        demand!(sum == 0, "equity of all parties changed by {sum}");
        return Ok(());
    }
    for (index, change) in changes {
        demand!(change == 0, "equity of account {index} changed by {change} beside the terms");
    }
    Ok(())
}
