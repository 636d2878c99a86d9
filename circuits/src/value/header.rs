//! Twin of `protocol::batch::statement::Header`: what the whole batch is about, which most rows
//! look at.

use ark_bn254::Fr;
use zkmargin_protocol::batch::statement::{HEADER_WORDS, Header, VERSION};
use zkmargin_protocol::market::oracle::EPOCH_BITS;
use zkmargin_protocol::pricing::black76::PRICE_UNITS;
use zkmargin_protocol::value::units::{NUMBER_BITS, PRICE_BITS, TIME_BITS, Time};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::Uint;
use crate::value::custody::CustodyVar;
use crate::value::packing::pack;
use crate::{Cs, Wire};

/// The header of the statement.
pub struct HeaderVar {
    /// Domain of signatures.
    pub domain: Wire,
    /// Account root before.
    pub old_root: Wire,
    /// Account root after.
    pub new_root: Wire,
    /// Root of the instrument registry.
    pub registry_root: Wire,
    /// Root of the risk table.
    pub risk_root: Wire,
    /// Epoch of the risk table, 40 bits.
    pub epoch: Wire,
    /// Time of the risk table's data, 40 bits.
    pub oracle_time: Wire,
    /// Time of the batch, 40 bits.
    pub time: Wire,
    /// Number of the batch, 40 bits.
    pub number: Wire,
    /// Hash of the oracle's members.
    pub signer_set: Wire,
    /// Hash of the parameters.
    pub parameters: Wire,
    /// Hash of the parameters of the batch before.
    pub parameters_before: Wire,
    /// Whether a forward has left its band.
    pub is_outside_band: Bool<Fr>,
    /// Epoch of the batch before, 40 bits.
    pub epoch_before: Wire,
    /// Oracle time of the batch before, 40 bits.
    pub oracle_time_before: Wire,
    /// Cash held on L1 and deficits counted.
    pub custody: CustodyVar,
    /// Open-interest root before.
    pub old_interest_root: Wire,
    /// Open-interest root after.
    pub new_interest_root: Wire,
}

impl HeaderVar {
    /// Allocates the header. The roots are tied to the tables by the caller.
    pub fn new(cs: &mut Cs, header: &Header) -> Self {
        let time = |cs: &mut Cs, name, time: Time| {
            Uint::external(cs, name, time.get().into(), TIME_BITS).lc().clone()
        };
        let epoch = |cs: &mut Cs, name, epoch: u64| {
            Uint::external(cs, name, epoch.into(), EPOCH_BITS).lc().clone()
        };
        Self {
            domain: cs.external("domain", header.domain),
            old_root: cs.argued("old root", header.old_root),
            new_root: cs.argued("new root", header.new_root),
            registry_root: cs.external("registry root", header.registry_root),
            risk_root: cs.external("risk root", header.risk_root),
            epoch: epoch(cs, "epoch", header.epoch),
            oracle_time: time(cs, "oracle time", header.oracle_time),
            time: time(cs, "batch time", header.time),
            number: Uint::external(cs, "number", header.number.into(), NUMBER_BITS).lc().clone(),
            signer_set: cs.external("signer set", header.signer_set),
            parameters: cs.external("parameters", header.parameters),
            parameters_before: cs.external("parameters before", header.parameters_before),
            is_outside_band: Bool::external(cs, "outside of the band", header.is_outside_band),
            epoch_before: epoch(cs, "epoch before", header.before.epoch),
            oracle_time_before: time(cs, "oracle time before", header.before.time),
            custody: CustodyVar::external(cs, &header.custody, header.deficit_after),
            old_interest_root: cs.argued("old root", header.old_interest_root),
            new_interest_root: cs.argued("new root", header.new_interest_root),
        }
    }

    /// epoch (40) ‖ oracle time (40) ‖ is outside of the band (1) ‖ price units in one USDC (32):
    /// what the oracle signs beside the roots.
    pub fn oracle_terms(&self, cs: &Cs) -> Wire {
        let units = cs.constant(Fr::from(PRICE_UNITS));
        pack(&[
            (&self.epoch, EPOCH_BITS),
            (&self.oracle_time, TIME_BITS),
            (self.is_outside_band.lc(), 1),
            (&units, PRICE_BITS),
        ])
    }

    /// The header's words.
    pub fn words(&self, cs: &Cs) -> Vec<Wire> {
        let times = pack(&[
            (&self.epoch, EPOCH_BITS),
            (&self.oracle_time, TIME_BITS),
            (&self.time, TIME_BITS),
            (&self.number, NUMBER_BITS),
            (self.is_outside_band.lc(), 1),
        ]);
        let before =
            pack(&[(&self.epoch_before, EPOCH_BITS), (&self.oracle_time_before, TIME_BITS)]);
        let words = vec![
            cs.constant(Fr::from(VERSION)),
            self.domain.clone(),
            self.old_root.clone(),
            self.new_root.clone(),
            self.registry_root.clone(),
            self.risk_root.clone(),
            times,
            self.signer_set.clone(),
            self.parameters.clone(),
            before,
            self.custody.word(),
            self.parameters_before.clone(),
            self.old_interest_root.clone(),
            self.new_interest_root.clone(),
        ];
        debug_assert_eq!(words.len(), HEADER_WORDS);
        words
    }
}
