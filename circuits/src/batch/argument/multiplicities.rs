//! How often the rows of a table are looked up. Spec:
//! `docs/spec/batch/argument.md#multiplicities`.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use zkmargin_protocol::Rule;

use super::tables::Tables;
use crate::gadgets::integer::Uint;
use crate::{Cs, Wire};

/// Width in bits of a number up to `most`. The identities make a multiplicity the true count; it is
/// ranged to be packed.
fn width_of(most: usize) -> u32 {
    usize::BITS - most.leading_zeros()
}

/// How often the rows of a table are looked up.
pub struct Multiplicities {
    /// By account row: signatures checked against its key.
    pub signatures: Vec<Uint>,
    /// By account row: deposits credited or refused.
    pub deposits: Vec<Uint>,
    /// By account row: forced reductions it is the counterparty of.
    pub counterparties: Vec<Uint>,
    /// By instrument row: trades in it.
    pub trades: Vec<Uint>,
    /// By instrument row: forced reductions of contracts held of it.
    pub reductions: Vec<Uint>,
}

impl Multiplicities {
    pub fn count(cs: &mut Cs, tables: &Tables) -> Self {
        let mut signatures = BTreeMap::new();
        let mut deposits = BTreeMap::new();
        let mut trades = BTreeMap::new();
        let [mut counterparties, mut reductions] = [BTreeMap::new(), BTreeMap::new()];
        let bump = |map: &mut BTreeMap<Fr, u128>, is_active: bool, key: &Wire| {
            if is_active {
                *map.entry(key.value()).or_default() += 1;
            }
        };
        for trade in &tables.trades {
            let is_active = trade.fill().is_active().value();
            bump(&mut signatures, is_active, trade.buy().account());
            bump(&mut signatures, is_active, trade.sell().account());
            bump(&mut trades, is_active, trade.fill().instrument());
        }
        for request in &tables.requests {
            bump(&mut signatures, request.is_active().value(), request.account());
        }
        for deposit in &tables.deposits {
            bump(&mut deposits, deposit.is_active().value(), deposit.account());
        }
        for row in &tables.two_sided {
            let reduction = row.forced().reduction();
            bump(
                &mut counterparties,
                reduction.is_asked().value(),
                reduction.counterparty().index(),
            );
            bump(&mut reductions, reduction.is_held().value(), reduction.instrument());
        }
        // Only rows in use are looked up, and each key has one of those.
        let of = |map: &BTreeMap<Fr, u128>, is_active: bool, key: &Wire| {
            if is_active { map.get(&key.value()).copied().unwrap_or(0) } else { 0 }
        };
        let [signed, deposited, traded, forced] = [
            2 * tables.trades.len() + tables.requests.len(),
            tables.deposits.len(),
            tables.trades.len(),
            tables.two_sided.len(),
        ]
        .map(width_of);
        let mut witness = |counts: Vec<u128>, bits: u32| -> Vec<_> {
            let counts = counts.into_iter();
            counts.map(|count| Uint::witness(cs, "multiplicity", count, bits)).collect()
        };
        let by_account = |map: &BTreeMap<Fr, u128>| -> Vec<u128> {
            tables.accounts.iter().map(|a| of(map, a.is_active().value(), a.index())).collect()
        };
        let by_instrument = |map: &BTreeMap<Fr, u128>| -> Vec<u128> {
            let rows = tables.instruments.iter();
            rows.map(|row| of(map, row.is_active().value(), row.instrument())).collect()
        };
        Self {
            signatures: witness(by_account(&signatures), signed),
            deposits: witness(by_account(&deposits), deposited),
            counterparties: witness(by_account(&counterparties), forced),
            trades: witness(by_instrument(&trades), traded),
            reductions: witness(by_instrument(&reductions), forced),
        }
    }

    /// Nothing settled is traded.
    pub fn enforce_traded_live(&self, cs: &mut Cs, tables: &Tables) {
        let zero = cs.zero();
        cs.under(Rule::InstrumentLive, |cs| {
            for (row, trades) in tables.instruments.iter().zip(&self.trades) {
                let is_settled = row.is_settled().lc();
                cs.enforce("nothing settled is traded", is_settled, trades.lc(), &zero);
            }
        });
    }

    /// An account is opened by a deposit.
    pub fn enforce_opened_by_deposit(&self, cs: &mut Cs, tables: &Tables) {
        cs.under(Rule::AccountExists, |cs| {
            for (account, deposits) in tables.accounts.iter().zip(&self.deposits) {
                let opens = cs.product(
                    "opened in this batch",
                    account.is_active().lc(),
                    account.is_new().lc(),
                );
                let inverse = deposits.lc().value().inverse().unwrap_or(Fr::ZERO) * opens.value();
                let inverse = cs.free_hint("inverse of a guarded value", inverse);
                cs.enforce("an account is opened by a deposit", deposits.lc(), &inverse, &opens);
            }
        });
    }
}
