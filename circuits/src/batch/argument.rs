//! The argument that ties the tables together. Spec: `docs/spec/batch/argument.md`, a file
//! for each heading.
//!
//! Each table row has fixed what it claims before a challenge is squeezed. Every identity then says
//! that two rational functions agree at a random point, so they are the same function.

mod account_requests;
mod account_tree;
mod claims;
mod deposit_key;
mod forced_reduction;
mod index_reuse;
mod instrument_live;
mod instrument_spec;
mod keys;
mod ledger;
mod margin_matrix;
mod multiplicities;
mod nonces;
mod point;
mod risk_reduction;
mod risk_table;
mod settlement;
pub mod tables;
mod transcript;

use crate::Cs;
use crate::batch::argument::claims::InstrumentClaims;
use crate::batch::argument::multiplicities::Multiplicities;
use crate::batch::argument::point::Point;
use crate::batch::argument::tables::Tables;
use crate::gadgets::element::Element;

/// Ties the tables. `commitment` is that of the statement's words.
pub fn enforce_tables(cs: &mut Cs, tables: &Tables, commitment: &Element) {
    let counts = Multiplicities::count(cs, tables);
    counts.enforce_opened_by_deposit(cs, tables);
    counts.enforce_traded_live(cs, tables);
    let [scenario, weight, chain] = transcript::absorb_rows(cs, tables, &counts, commitment);
    let books = tables.books();
    let claims = InstrumentClaims::new(cs, tables, &books, &weight);
    let [gamma, beta, short] = transcript::absorb_claims(cs, &chain, &claims);
    let point = Point::new(gamma, beta);
    account_tree::enforce_tree(cs, tables, &point);
    risk_table::enforce_risk_table(cs, tables, &point);
    index_reuse::enforce_interest_tree(cs, tables, &point);
    index_reuse::enforce_holders(cs, tables, &point);
    let holdings = ledger::enforce_ledger(cs, tables, &point);
    risk_reduction::enforce_reductions(cs, tables, &holdings, &point);
    nonces::enforce_nonces(cs, tables, &point);
    account_requests::enforce_requests(cs, tables, &point);
    keys::enforce_keys(cs, tables, &counts, &point);
    deposit_key::enforce_deposit_keys(cs, tables, &counts, &point);
    instrument_spec::enforce_specs(cs, tables, &counts, &point);
    forced_reduction::enforce_counterparties(cs, tables, &counts, &point);
    forced_reduction::enforce_prices(cs, tables, &counts, &point);
    claims.enforce_settlement(cs, tables, &point);
    claims.enforce_holdings(cs, tables, &books, &point, &short);
    claims.enforce_matrix(cs, tables, &books, &scenario);
}
