//! The nonces marked are those of the signed operations. Spec:
//! `docs/spec/batch/argument.md#identity-of-Nonces`.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::nonce::WINDOW;

use super::point::Point;
use super::tables::Tables;
use crate::{Cs, shifted, sum};

/// The nonces newly used are those of the signed operations.
pub fn enforce_nonces(cs: &mut Cs, tables: &Tables, point: &Point) {
    cs.under(Rule::Nonce, |cs| {
        let used = cs.rows("accounts", &tables.accounts, |cs, _, account| {
            let base = point.compress(cs, &[account.nonces().base(), account.index()]);
            let fractions: Vec<_> = (0..WINDOW)
                .zip(account.nonces().newly_used())
                .map(|(k, bit)| {
                    let key = shifted(cs, &base, Fr::from(k));
                    point.fraction(cs, bit.lc(), &key)
                })
                .collect();
            cs.product("nonces of a row in use", account.is_active().lc(), &sum(&fractions))
        });
        let mut signed = Vec::new();
        for trade in &tables.trades {
            for order in [trade.buy(), trade.sell()] {
                let key = point.compress(cs, &[order.nonce(), order.account()]);
                signed.push(point.fraction(cs, trade.fill().is_active().lc(), &key));
            }
        }
        for request in &tables.requests {
            let key = point.compress(cs, &[request.nonce(), request.account()]);
            signed.push(point.fraction(cs, request.is_active().lc(), &key));
        }
        let (used, signed) = (sum(&used), sum(&signed));
        cs.enforce_equal("nonces used are those signed", &used, &signed);
    });
}
