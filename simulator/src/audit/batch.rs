//! What a batch leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::batch::trace::AccountRow;
use zkmargin_protocol::crypto::poseidon;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::units::{AccountIndex, InstrumentIndex, Tier};

use super::memory::Memory;
use super::observation::{Accounts, Seal};
use super::parties::{auctioned, parties};
use super::{Finding, demand};

/// Levels of the account tree.
const ACCOUNT_LEVELS: u32 = 12;
/// Levels of the open-interest tree.
const INSTRUMENT_LEVELS: u32 = 8;
/// Width in bits of a specification.
const SPEC_BITS: u64 = 77;

/// [`crate::invariants::Invariant::BatchReplays`]
pub fn batch_replays(_: &Memory, seal: &Seal) -> Finding {
    let expected = Ok((seal.after.root, true));
    demand!(*seal.again == expected, "made anew: {:?}, expected {expected:?}", seal.again);
    Ok(())
}

/// [`crate::invariants::Invariant::RootsChain`]
pub fn roots_chain(_: &Memory, seal: &Seal) -> Finding {
    let (before, after, trace) = (seal.before, seal.after, seal.trace);
    let roots = [trace.old_root, trace.new_root];
    demand!(roots == [before.root, after.root], "roots {roots:?}");
    let roots = [trace.old_interest_root, trace.new_interest_root];
    let expected = [before.interest_root, after.interest_root];
    demand!(roots == expected, "open-interest roots {roots:?}");
    let numbers = [trace.number, after.batches];
    demand!(numbers == [before.batches, before.batches + 1], "numbers {numbers:?}");
    demand!(trace.before == before.clock, "clock {:?}", trace.before);
    Ok(())
}

/// Root of a tree over all leaves, level by level; an empty subtree is hashed once a level.
fn root(levels: u32, leaves: BTreeMap<u64, Fr>) -> Fr {
    let (mut level, mut empty) = (leaves, Fr::ZERO);
    for _ in 0..levels {
        let parents: BTreeSet<u64> = level.keys().map(|index| index / 4).collect();
        let hash = |parent: u64| {
            let child = |k| level.get(&(parent * 4 + k)).copied().unwrap_or(empty);
            poseidon::hash(&[child(0), child(1), child(2), child(3)])
        };
        let next = parents.into_iter().map(|parent| (parent, hash(parent))).collect();
        empty = poseidon::hash(&[empty; 4]);
        level = next;
    }
    level.get(&0).copied().unwrap_or(empty)
}

/// [`crate::invariants::Invariant::RootRecomputed`]
pub fn root_recomputed(_: &Memory, seal: &Seal) -> Finding {
    let leaves =
        seal.after.accounts.iter().map(|(k, account)| (u64::from(k.get()), account.leaf()));
    let root = root(ACCOUNT_LEVELS, leaves.collect());
    demand!(seal.after.root == root, "root {}, expected {root}", seal.after.root);
    Ok(())
}

/// [`crate::invariants::Invariant::HoldersCounted`]
pub fn holders_counted(memory: &Memory, seal: &Seal) -> Finding {
    let mut counts: BTreeMap<InstrumentIndex, u64> = BTreeMap::new();
    for account in seal.after.accounts.values() {
        account.positions.iter().for_each(|(index, _)| *counts.entry(index).or_default() += 1);
    }
    let mut leaves = BTreeMap::new();
    for (index, count) in counts {
        let Some(spec) = memory.specs.get(&index) else {
            return Err(format!("{index} is held and was never listed"));
        };
        let leaf = spec.field() + Fr::from(count) * Fr::from(2u64).pow([SPEC_BITS]);
        leaves.insert(index.get().into(), leaf);
    }
    let (found, expected) = (seal.after.interest_root, root(INSTRUMENT_LEVELS, leaves));
    demand!(found == expected, "open-interest root {found}, expected {expected}");
    Ok(())
}

/// [`crate::invariants::Invariant::OperationsInTrace`]
pub fn operations_in_trace(_: &Memory, seal: &Seal) -> Finding {
    let (mut deposits, mut trades, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for operation in seal.operations {
        match operation {
            Operation::Deposit(deposit) => deposits.push((deposit, false)),
            Operation::RefuseDeposit(deposit) => deposits.push((deposit, true)),
            Operation::Trade(trade) => trades.push(&**trade),
            Operation::Request(signed) => requests.push(signed),
            _ => {}
        }
    }
    let trace = seal.trace;
    let found = trace.deposits.iter().map(|row| (&row.deposit, row.is_refused));
    demand!(found.eq(deposits), "deposits differ");
    demand!(trace.trades.iter().eq(trades), "trades differ");
    demand!(trace.requests.iter().eq(requests), "requests differ");
    let named: BTreeSet<_> = seal.operations.iter().filter_map(auctioned).collect();
    let rows: BTreeSet<_> =
        trace.accounts.iter().filter(|row| row.step.is_some()).map(|row| row.index).collect();
    demand!(rows == named, "rows show steps of {rows:?}, asked for were {named:?}");
    let granted: BTreeSet<_> = seal.operations.iter().filter_map(granted).collect();
    let is_raised =
        |row: &&AccountRow| row.new.tier != row.old.as_ref().map_or(Tier::MIN, |old| old.tier);
    let raised: BTreeSet<_> = trace.accounts.iter().filter(is_raised).map(|r| r.index).collect();
    demand!(raised == granted, "tiers changed of {raised:?}, granted were {granted:?}");
    Ok(())
}

/// The account that an operation grants a tier.
fn granted(operation: &Operation) -> Option<AccountIndex> {
    match operation {
        Operation::GrantTier(grant) => Some(grant.account),
        _ => None,
    }
}

/// [`crate::invariants::Invariant::RowsComplete`]
pub fn rows_complete(_: &Memory, seal: &Seal) -> Finding {
    let (before, after) = (&seal.before.accounts, &seal.after.accounts);
    let mut touched: BTreeSet<_> = seal.operations.iter().flat_map(parties).collect();
    touched.retain(|index| after.contains_key(index));
    let rows: Vec<_> = seal.trace.accounts.iter().map(|row| row.index).collect();
    demand!(touched.iter().eq(&rows), "rows {rows:?}, touched {touched:?}");
    for row in &seal.trace.accounts {
        let is_old = row.old.as_ref() == before.get(&row.index);
        let is_new = Some(&row.new) == after.get(&row.index);
        demand!(is_old && is_new, "row of account {} is of other leaves", row.index);
    }
    for index in before.keys().chain(after.keys()).filter(|index| !touched.contains(index)) {
        demand!(before.get(index) == after.get(index), "account {index} changed unseen");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::KeysAtEnd`]
pub fn keys_at_end(memory: &Memory, seal: &Seal) -> Finding {
    for (index, account) in &seal.after.accounts {
        let Some(standing) = seal.standing.get(index) else { continue };
        let own = (standing.key, standing.view_key);
        let expected = memory.keys.get(index).copied().unwrap_or(own);
        let found = (account.key, account.view_key);
        demand!(found == expected, "keys of account {index} are not those asked for");
    }
    Ok(())
}

/// [`crate::invariants::Invariant::WindowsAtEnd`]
pub fn windows_at_end(memory: &Memory, seal: &Seal) -> Finding {
    for (index, account) in &seal.after.accounts {
        let Some(standing) = seal.standing.get(index) else { continue };
        let (base, bits) = (standing.nonces.base.get(), standing.nonces.bits);
        let is_half = bits << 32 == u64::MAX << 32;
        let expected = match memory.bases.get(index) {
            Some(base) => (base.get(), 0),
            None if is_half => (base + 32, bits >> 32),
            None => (base, bits),
        };
        let found = (account.nonces.base.get(), account.nonces.bits);
        demand!(found == expected, "window of account {index} {found:?}, not {expected:?}");
        demand!(found.0 >= base, "window of account {index} went back to {}", found.0);
    }
    Ok(())
}

/// [`crate::invariants::Invariant::BalancesAtEnd`]
pub fn balances_at_end(_: &Memory, seal: &Seal) -> Finding {
    let same = |accounts: &Accounts| -> Vec<_> {
        let parts = accounts
            .iter()
            .map(|(index, a)| (*index, a.cash, a.positions.clone(), a.auction, a.book, a.tier));
        parts.collect()
    };
    let (standing, after) = (same(seal.standing), same(&seal.after.accounts));
    let differing = standing.iter().zip(&after).find(|(a, b)| a != b);
    demand!(differing.is_none(), "{differing:?}");
    demand!(standing.len() == after.len(), "{} accounts, {}", standing.len(), after.len());
    Ok(())
}
