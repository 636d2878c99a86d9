//! Twin of `protocol::risk_row`: one referenced instrument.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::InstrumentRow;
use zkmargin_protocol::domain::Tag;
use zkmargin_protocol::instrument::{InstrumentSpec, OptionKind};
use zkmargin_protocol::risk_row::{LOSSES_PER_WORD, RiskRow, SCENARIOS};
use zkmargin_protocol::tree::{ARITY, INSTRUMENT_TREE_DEPTH};
use zkmargin_protocol::units::{
    INSTRUMENT_BITS, InstrumentIndex, LOSS_BITS, Loss, PRICE_BITS, Price, TIME_BITS, Time,
    UNDERLYING_BITS, Underlying,
};

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Bits, Uint};
use crate::gadgets::poseidon;
use crate::packing::{pack, power_of_two};
use crate::statement::HeaderVar;
use crate::trade::enforce_nonzero_if;
use crate::{Cs, Wire, shifted, tree};

/// One instrument.
pub struct RiskRowVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Index, 16 bits, not 0 in a row in use.
    pub instrument: Wire,
    /// Packed specification.
    pub spec: Wire,
    /// Whether it has expired and the mark is what a contract pays.
    pub is_settled: Bool<Fr>,
    /// Mark price, 32 bits.
    pub mark: Wire,
    /// Loss of one contract long by scenario, signed 34 bits.
    pub losses: Vec<Wire>,
    /// Least requirement of one contract short, 32 bits.
    pub short_minimum: Wire,
    /// Isolated initial charge of one contract short, 32 bits.
    pub isolated_initial: Wire,
    /// Maintenance margin of one contract short on its own.
    pub isolated_maintenance: Wire,
    expiry: Wire,
    loss_words: Vec<Wire>,
}

/// The row padding is made of.
fn padding() -> InstrumentRow {
    let row = RiskRow {
        instrument: InstrumentIndex::default(),
        spec: InstrumentSpec {
            underlying: Underlying::default(),
            expiry: Time::default(),
            strike: Price::default(),
            kind: OptionKind::Put,
        },
        is_settled: false,
        mark: Price::default(),
        losses: vec![Loss::default(); SCENARIOS],
        short_minimum: Price::default(),
        isolated_initial: Price::default(),
        isolated_maintenance: Price::default(),
    };
    let path = vec![[Fr::ZERO; ARITY - 1]; usize::from(INSTRUMENT_TREE_DEPTH)];
    InstrumentRow { row, path }
}

impl RiskRowVar {
    /// Allocates a row and enforces that it stands in the risk table and is live or settled; `None` is padding.
    pub fn new(cs: &mut Cs, input: Option<&InstrumentRow>, header: &HeaderVar) -> Self {
        let is_active = Bool::witness(cs, "instrument row in use", input.is_some());
        let padding = padding();
        let InstrumentRow { row, path } = input.unwrap_or(&padding);
        let index = u128::from(row.instrument.get());
        let bits = Bits::external(cs, "instrument", index, INSTRUMENT_BITS);
        let (spec, expiry) = witness_spec(cs, &row.spec);
        let price = |cs: &mut Cs, name, price: Price| {
            Uint::external(cs, name, price.get().into(), PRICE_BITS).lc().clone()
        };
        let is_settled = Bool::external(cs, "instrument is settled", row.is_settled);
        let mark = price(cs, "mark", row.mark);
        let short_minimum = price(cs, "short minimum", row.short_minimum);
        let isolated_initial = price(cs, "isolated initial", row.isolated_initial);
        let isolated_maintenance = price(cs, "isolated maintenance", row.isolated_maintenance);
        let (losses, loss_words) = witness_losses(cs, &row.losses);
        let var = Self {
            is_active,
            instrument: bits.recompose(),
            spec,
            is_settled,
            mark,
            losses,
            short_minimum,
            isolated_initial,
            isolated_maintenance,
            expiry,
            loss_words,
        };
        cs.under(Rule::InstrumentLive, |cs| {
            var.enforce_live(cs, header);
            let leaf = var.leaf(cs);
            let root = tree::root_of_path(cs, bits.as_slice(), &leaf, path);
            let difference = root.minus(&header.risk_root);
            let zero = cs.zero();
            cs.enforce("row stands in the risk table", var.is_active.lc(), &difference, &zero);
        });
        var
    }

    /// Poseidon of tag, index, specification, price word and loss words.
    fn leaf(&self, cs: &mut Cs) -> Wire {
        let prices = pack(&[
            (&self.mark, PRICE_BITS),
            (&self.short_minimum, PRICE_BITS),
            (&self.isolated_initial, PRICE_BITS),
            (&self.isolated_maintenance, PRICE_BITS),
            (self.is_settled.lc(), 1),
        ]);
        let tag = cs.constant(Tag::RiskRow.field());
        let mut inputs = vec![tag, self.instrument.clone(), self.spec.clone(), prices];
        inputs.extend(self.loss_words.iter().cloned());
        poseidon::hash(cs, &inputs)
    }

    /// The instrument is listed; it expires after the batch's time, or is settled and does not.
    fn enforce_live(&self, cs: &mut Cs, header: &HeaderVar) {
        enforce_nonzero_if(cs, "index 0 is no instrument", &self.instrument, &self.is_active);
        let since = header.time.minus(&self.expiry);
        let left = shifted(cs, &since.negated(), -Fr::from(1u64));
        let time = self.is_settled.select(cs, &since, &left);
        let time = cs.product("time of a row in use", self.is_active.lc(), &time);
        Uint::range_check(cs, "settled exactly from expiry on", &time, TIME_BITS);
    }
}

/// underlying (4) ‖ expiry (40) ‖ strike (32) ‖ is a call (1), and the expiry.
fn witness_spec(cs: &mut Cs, spec: &InstrumentSpec) -> (Wire, Wire) {
    let underlying = u128::from(spec.underlying.get());
    let underlying = Uint::external(cs, "spec underlying", underlying, UNDERLYING_BITS);
    let expiry = Uint::external(cs, "spec expiry", spec.expiry.get().into(), TIME_BITS);
    let strike = Uint::external(cs, "spec strike", spec.strike.get().into(), PRICE_BITS);
    let is_call = Bool::external(cs, "spec is a call", spec.kind == OptionKind::Call);
    let packed = pack(&[
        (underlying.lc(), UNDERLYING_BITS),
        (expiry.lc(), TIME_BITS),
        (strike.lc(), PRICE_BITS),
        (is_call.lc(), 1),
    ]);
    (packed, expiry.lc().clone())
}

/// The losses, signed, and seven to a word, each loss + 2^33.
fn witness_losses(cs: &mut Cs, losses: &[Loss]) -> (Vec<Wire>, Vec<Wire>) {
    let half = power_of_two(LOSS_BITS - 1);
    let values: Vec<_> = losses
        .iter()
        .map(|loss| {
            let shifted = (loss.get() + (1 << (LOSS_BITS - 1))) as u128;
            Uint::external(cs, "loss of a contract", shifted, LOSS_BITS).lc().clone()
        })
        .collect();
    let words = values
        .chunks(LOSSES_PER_WORD)
        .map(|word| pack(&word.iter().map(|loss| (loss, LOSS_BITS)).collect::<Vec<_>>()))
        .collect();
    (values.iter().map(|loss| shifted(cs, loss, -half)).collect(), words)
}
