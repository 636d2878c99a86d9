//! What is absorbed before each challenge. Spec: `docs/spec/batch/argument.md`.
//!
//! Every key and every numerator of an identity is a function of these elements, in every mode of
//! its row. The names are those of the page's table; `tests/determinacy` withholds each element
//! and compares what is then free with the table.

use zkmargin_protocol::crypto::domain::Tag;

use super::claims::InstrumentClaims;
use super::multiplicities::Multiplicities;
use super::tables::Tables;
use crate::crypto::poseidon::Sponge;
use crate::crypto::tree::NodeVar;
use crate::crypto::tree::opening::OpenedNodeVar;
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;
use crate::operation::deposit::DepositVar;
use crate::operation::request::RequestVar;
use crate::operation::trade::TradeVar;
use crate::value::packing::pack_words;
use crate::{Cs, Wire};

/// The elements of one round, in order; ranged parts are packed behind them.
#[derive(Default)]
struct Round {
    elements: Vec<Wire>,
    parts: Vec<Uint>,
}

impl Round {
    fn element(&mut self, cs: &mut Cs, name: &'static str, element: &Wire) {
        self.elements.push(cs.absorbed(name, element));
    }

    fn elements<'a>(
        &mut self,
        cs: &mut Cs,
        name: &'static str,
        elements: impl IntoIterator<Item = &'a Wire>,
    ) {
        elements.into_iter().for_each(|element| self.element(cs, name, element));
    }

    fn parts(&mut self, cs: &mut Cs, name: &'static str, parts: impl IntoIterator<Item = Uint>) {
        self.parts.extend(parts.into_iter().map(|part| absorbed_part(cs, name, part)));
    }

    /// Three challenges that depend on everything absorbed.
    fn squeeze(mut self, cs: &mut Cs) -> [Wire; 3] {
        self.elements.extend(pack_words(&self.parts).iter().map(|word| word.lc().clone()));
        cs.note_round(&self.elements);
        let mut sponge = Sponge::new(Tag::Transcript.field(), self.elements.len());
        sponge.absorb(cs, &self.elements);
        let lanes = sponge.squeeze(cs, 3);
        // Lanes of a permutation are long combinations; as variables they make every use short.
        std::array::from_fn(|k| {
            let one = cs.one();
            let challenge = cs.product("challenge", &lanes[k], &one);
            cs.note_determined(&[&challenge], &self.elements.iter().collect::<Vec<_>>());
            challenge
        })
    }
}

fn absorbed_part(cs: &mut Cs, name: &'static str, part: Uint) -> Uint {
    Uint::new_unchecked(cs.absorbed(name, &part), part.bits())
}

/// First round: everything the rows claim. `commitment` is that of the statement's words.
pub fn absorb_rows(
    cs: &mut Cs,
    tables: &Tables,
    multiplicities: &Multiplicities,
    commitment: &Element,
) -> [Wire; 3] {
    let mut round = Round::default();
    round.element(cs, "commitment", commitment);
    absorb_accounts(cs, &mut round, tables);
    for deposit in &tables.deposits {
        round.elements(cs, "deposit", &DepositVar::absorbed(deposit));
    }
    for trade in &tables.trades {
        round.elements(cs, "order challenges", trade.challenges().each_ref().map(Element::lc));
    }
    for request in &tables.requests {
        let [challenge, rest] = RequestVar::absorbed(request);
        round.element(cs, "request challenge", &challenge);
        round.element(cs, "request flags", &rest);
    }
    for node in &tables.nodes {
        round.elements(cs, "node hashes", node.hashes().map(Element::lc));
    }
    let leaves = tables.instruments.iter().map(|instrument| instrument.leaf().lc());
    round.elements(cs, "risk leaf", leaves);
    round.elements(cs, "risk node hash", tables.risk_nodes.iter().map(|node| node.hash().lc()));
    for node in &tables.interest_nodes {
        round.elements(cs, "interest node hashes", node.hashes().map(Element::lc));
    }
    absorb_parts(cs, &mut round, tables, multiplicities);
    round.squeeze(cs)
}

/// The accounts, and of two-sided rows what they show besides.
fn absorb_accounts(cs: &mut Cs, round: &mut Round, tables: &Tables) {
    for (account, margin) in tables.accounts.iter().zip(&tables.margins) {
        round.element(cs, "old leaf", account.opened_leaf());
        round.element(cs, "settlement cash", account.settlement().cash());
        let used = absorbed_part(cs, "nonces newly used", account.nonces().used());
        round.elements(cs, "margin claims", &margin.claims().absorbed([used]));
    }
    for row in &tables.two_sided {
        let before = row.before();
        round.elements(cs, "margin before and what is kept", &before.absorbed(cs));
    }
    for row in &tables.two_sided {
        // What is paid is absorbed with the step; the rest of the answer is in the statement.
        let (step, answer) = (row.liquidation(), row.forced());
        round.element(cs, "auction step", &step.absorbed(cs, answer.paid()));
        let excess = answer.reduction().counterparty().excess();
        round.element(cs, "excess of a counterparty", excess);
    }
}

/// Flags, places and counts of the rows: what is ranged and has no hash.
fn absorb_parts(cs: &mut Cs, round: &mut Round, tables: &Tables, counts: &Multiplicities) {
    for (k, account) in tables.accounts.iter().enumerate() {
        let of = [&counts.signatures[k], &counts.deposits[k], &counts.counterparties[k]];
        round.parts(cs, "look-ups of an account", of.map(Uint::clone));
        round.parts(cs, "account in use", [Uint::from_bit(account.is_active())]);
        round.parts(cs, "settled slots", [account.settlement().flags().clone()]);
        round.parts(cs, "account is new", [Uint::from_bit(account.is_new())]);
        let changes = [account.is_rekeyed(), account.nonces().is_cancelled()];
        round.parts(cs, "account changes", changes.map(Uint::from_bit));
    }
    for trade in &tables.trades {
        round.parts(cs, "fill", TradeVar::fill_parts(trade));
    }
    for node in &tables.nodes {
        round.parts(cs, "node place", NodeVar::place_parts(node));
    }
    for row in &tables.two_sided {
        round.parts(cs, "forced reduction", row.forced().reduction().parts());
    }
    for (k, row) in tables.instruments.iter().enumerate() {
        let index = row.instrument().clone();
        round.parts(cs, "instrument", [Uint::from_bit(row.is_active()), index]);
        let of = [&counts.trades[k], &counts.reductions[k]];
        round.parts(cs, "look-ups of an instrument", of.map(Uint::clone));
        let held = &tables.open_interest[k];
        let holders = [held.old_holders(), held.new_holders()];
        round.parts(cs, "holders", holders.map(Uint::clone));
    }
    for node in &tables.risk_nodes {
        round.parts(cs, "risk node place", OpenedNodeVar::place_parts(node));
    }
    for node in &tables.interest_nodes {
        round.parts(cs, "interest node place", NodeVar::place_parts(node));
    }
}

/// Second round: what the instruments claim to be held.
pub fn absorb_claims(cs: &mut Cs, chain: &Wire, claims: &InstrumentClaims) -> [Wire; 3] {
    let mut round = Round::default();
    round.element(cs, "link", chain);
    for k in 0..claims.held.len() {
        let of = [&claims.held[k], &claims.short[k], &claims.settled[k]];
        round.elements(cs, "holdings claimed", of.map(Element::lc));
    }
    round.squeeze(cs)
}
