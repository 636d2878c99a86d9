//! What was accepted was asked for, once, in these words.

use zkmargin_protocol::account::Account;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::operation::order::{Order, Side};
use zkmargin_protocol::value::units::{AccountIndex, Price};

use super::memory::Memory;
use super::observation::Step;
use super::parties::signers;
use super::{Finding, demand};
use crate::desk::signed;

/// [`crate::invariants::Invariant::Authorised`]
pub fn authorised(memory: &Memory, step: &Step) -> Finding {
    let domain = step.domain;
    let messages: Vec<(AccountIndex, _)> = match step.operation {
        Operation::Trade(trade) => {
            [&trade.buy.order, &trade.sell.order].map(|o| (o.account, o.message(domain))).to_vec()
        }
        Operation::Request(asked) => vec![(asked.request.account, asked.request.message(domain))],
        _ => Vec::new(),
    };
    for (index, message) in messages {
        // An account opened in the batch has the keys it was opened with.
        let account = step.opening.get(&index).or_else(|| step.before.get(&index));
        let is_signed = account.is_some_and(|a| memory.signed.contains(&signed(&a.key, message)));
        demand!(is_signed, "account {index} has not signed this");
    }
    if let Operation::Deposit(deposit) = step.operation {
        let names = |account: &Account| {
            (account.key, account.view_key, account.book)
                == (deposit.key, deposit.view_key, deposit.book)
        };
        let is_named = step.after.get(&deposit.account).is_some_and(names);
        demand!(is_named, "a deposit for other keys than those of {}", deposit.account);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::NonceOnce`]
pub fn nonce_once(memory: &Memory, step: &Step) -> Finding {
    for used in signers(step.operation) {
        let count = memory.nonces.get(&used).copied().unwrap_or(0);
        demand!(count == 1, "nonce {} of account {} used {count} times", used.1, used.0);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::NonceMarked`]
pub fn nonce_marked(_: &Memory, step: &Step) -> Finding {
    let signers = signers(step.operation);
    for (index, account) in step.after {
        let mut expected = step.before.get(index).map(|a| a.nonces).unwrap_or_default();
        for (_, nonce) in signers.iter().filter(|(signer, _)| signer == index) {
            let offset = nonce.get().checked_sub(expected.base.get()).filter(|&k| k < 64);
            let Some(offset) = offset else {
                return Err(format!("nonce {nonce} of account {index} is outside the window"));
            };
            expected.bits |= 1 << offset;
        }
        let found = account.nonces;
        demand!(found == expected, "window {found:?} of account {index}, expected {expected:?}");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::WithinLimits`]
pub fn within_limits(_: &Memory, step: &Step) -> Finding {
    match step.operation {
        Operation::Trade(trade) => {
            let (buy, sell) = (&trade.buy.order, &trade.sell.order);
            demand!(buy.side == Side::Buy && sell.side == Side::Sell, "orders of other sides");
            demand!(buy.account != sell.account, "one account on both sides");
            demand!(trade.price <= buy.limit, "buyer pays {} over {}", trade.price, buy.limit);
            demand!(trade.price >= sell.limit, "seller gets {} of {}", trade.price, sell.limit);
            let filled = i128::from(trade.quantity);
            let charged = |order: &Order, fee: Price| {
                let (min, max) = (order.quantity_min.get(), order.quantity_max.get());
                let is_within = filled > 0 && filled >= min.into() && filled <= max.into();
                demand!(is_within, "{filled} filled of {min} to {max}");
                demand!(fee <= order.fee_limit, "fee {fee} over {}", order.fee_limit);
                Ok(())
            };
            charged(buy, trade.buyer_fee)?;
            charged(sell, trade.seller_fee)
        }
        Operation::Request(signed) => {
            let amount = signed.request.action.amount().map_or(1, |amount| amount.get());
            demand!(amount > 0, "{amount} moved");
            Ok(())
        }
        Operation::Deposit(deposit) => {
            demand!(deposit.amount.get() > 0, "{} deposited", deposit.amount);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// [`crate::invariants::Invariant::WithinExpiry`]
pub fn within_expiry(_: &Memory, step: &Step) -> Finding {
    let expiries = match step.operation {
        Operation::Trade(trade) => vec![trade.buy.order.expiry, trade.sell.order.expiry],
        Operation::Request(signed) => vec![signed.request.expiry],
        _ => Vec::new(),
    };
    for expiry in expiries {
        demand!(step.time <= expiry, "applied at {}, expired at {expiry}", step.time);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::KeysWithinBatch`]
pub fn keys_within_batch(_: &Memory, step: &Step) -> Finding {
    let identity = |account: &Account| (account.key, account.view_key, account.book);
    for (index, account) in step.after {
        let Some(before) = step.before.get(index) else { continue };
        demand!(identity(before) == identity(account), "keys or book of account {index} changed");
    }
    Ok(())
}
