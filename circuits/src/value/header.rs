//! Twin of `protocol::batch::statement::Header`: what the whole batch is about, which most rows
//! look at.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::batch::statement::{CLOCK, HEADER_WORDS, Header, TIMES, VERSION};
use zkmargin_protocol::market::oracle::{EPOCH_BITS, TERMS};
use zkmargin_protocol::pricing::black76::PRICE_UNITS;
use zkmargin_protocol::value::units::{NUMBER_BITS, PRICE_BITS, TIME_BITS, Time};

use crate::gadgets::boolean::Bool;
use crate::gadgets::element::Element;
use crate::gadgets::integer::Uint;
use crate::value::custody::CustodyVar;
use crate::value::packing::pack_as;
use crate::{Cs, Wire};

/// The header of the statement.
#[derive(Getters)]
pub struct HeaderVar {
    /// Domain of signatures.
    domain: Element,
    /// Account root before.
    old_root: Element,
    /// Account root after.
    new_root: Element,
    /// Root of the instrument registry.
    registry_root: Element,
    /// Root of the risk table.
    risk_root: Element,
    /// Epoch of the risk table.
    epoch: Uint,
    /// Time of the risk table's data.
    oracle_time: Uint,
    /// Time of the batch.
    time: Uint,
    /// Number of the batch.
    number: Uint,
    /// Hash of the oracle's members.
    signer_set: Element,
    /// Hash of the parameters.
    parameters: Element,
    /// Hash of the parameters of the batch before.
    parameters_before: Element,
    /// Whether a forward has left its band.
    is_outside_band: Bool,
    /// Epoch of the batch before.
    epoch_before: Uint,
    /// Oracle time of the batch before.
    oracle_time_before: Uint,
    /// Cash held on L1 and deficits counted.
    custody: CustodyVar,
    /// Open-interest root before.
    old_interest_root: Element,
    /// Open-interest root after.
    new_interest_root: Element,
}

impl HeaderVar {
    /// Allocates the header. The roots are tied to the tables by the caller.
    pub fn new(cs: &mut Cs, header: &Header) -> Self {
        let time =
            |cs: &mut Cs, name, time: Time| Uint::external(cs, name, time.get().into(), TIME_BITS);
        let epoch =
            |cs: &mut Cs, name, epoch: u64| Uint::external(cs, name, epoch.into(), EPOCH_BITS);
        Self {
            domain: Element::external(cs, "domain", header.domain),
            old_root: Element::argued(cs, "old root", header.old_root),
            new_root: Element::argued(cs, "new root", header.new_root),
            registry_root: Element::external(cs, "registry root", header.registry_root),
            risk_root: Element::external(cs, "risk root", header.risk_root),
            epoch: epoch(cs, "epoch", header.epoch),
            oracle_time: time(cs, "oracle time", header.oracle_time),
            time: time(cs, "batch time", header.time),
            number: Uint::external(cs, "number", header.number.into(), NUMBER_BITS),
            signer_set: Element::external(cs, "signer set", header.signer_set),
            parameters: Element::external(cs, "parameters", header.parameters),
            parameters_before: Element::external(cs, "parameters before", header.parameters_before),
            is_outside_band: Bool::external(cs, "outside of the band", header.is_outside_band),
            epoch_before: epoch(cs, "epoch before", header.before.epoch),
            oracle_time_before: time(cs, "oracle time before", header.before.time),
            custody: CustodyVar::external(cs, &header.custody, header.deficit_after),
            old_interest_root: Element::argued(cs, "old root", header.old_interest_root),
            new_interest_root: Element::argued(cs, "new root", header.new_interest_root),
        }
    }

    /// What the oracle signs besides the roots.
    pub fn oracle_terms(&self, cs: &Cs) -> Uint {
        let units = Uint::constant(cs, PRICE_UNITS.into(), PRICE_BITS);
        pack_as(&TERMS, [&self.epoch, &self.oracle_time, &self.is_outside_band, &units])
    }

    /// When the batch and its market data are.
    fn times(&self) -> Uint {
        let HeaderVar { epoch, oracle_time, time, number, is_outside_band, .. } = self;
        pack_as(&TIMES, [epoch, oracle_time, time, number, is_outside_band])
    }

    /// The header's words.
    pub fn words(&self, cs: &Cs) -> Vec<Wire> {
        let before = pack_as(&CLOCK, [&self.epoch_before, &self.oracle_time_before]);
        let words: [&Wire; HEADER_WORDS] = [
            &cs.constant(Fr::from(VERSION)),
            &self.domain,
            &self.old_root,
            &self.new_root,
            &self.registry_root,
            &self.risk_root,
            &self.times(),
            &self.signer_set,
            &self.parameters,
            &before,
            &self.custody.word(),
            &self.parameters_before,
            &self.old_interest_root,
            &self.new_interest_root,
        ];
        words.map(Wire::clone).to_vec()
    }
}
