//! Twin of `protocol::market::risk_row`: one referenced instrument.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::instrument::InstrumentSpec;
use zkmargin_protocol::market::risk_row::{LOSSES_PER_WORD, RiskRow};
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{
    INSTRUMENT_BITS, InstrumentIndex, LOSS_BITS, Loss, PRICE_BITS, Price, TIME_BITS, Time,
    UNDERLYING_BITS, Underlying,
};

use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::integer::{Uint, power_of_two};
use crate::gadgets::poseidon;
use crate::value::header::HeaderVar;
use crate::value::packing::pack;
use crate::{Cs, Wire, shifted};

/// One instrument.
pub struct RiskRowVar {
    /// Whether the row is in use.
    pub is_active: Bool<Fr>,
    /// Index, 16 bits, not 0 in a row in use.
    pub instrument: Wire,
    /// The row's leaf in the risk table, which fixes all that follows.
    pub leaf: Wire,
    /// Packed specification.
    pub spec: Wire,
    /// Whether it has expired and the mark is what a contract pays.
    pub is_settled: Bool<Fr>,
    /// Mark price, 32 bits.
    pub mark: Wire,
    /// Forward price, 32 bits.
    pub forward: Wire,
    /// Loss of one contract long by scenario, signed 34 bits.
    pub losses: Vec<Wire>,
    /// Least requirement of one contract short, 32 bits.
    pub short_minimum: Wire,
    /// Isolated initial charge of one contract short, 32 bits.
    pub isolated_initial: Wire,
    /// Maintenance margin of one contract short on its own.
    pub isolated_maintenance: Wire,
    expiry: Wire,
}

/// The row padding is made of.
fn padding() -> RiskRow {
    RiskRow {
        instrument: InstrumentIndex::default(),
        spec: InstrumentSpec {
            underlying: Underlying::default(),
            expiry: Time::default(),
            strike: Price::default(),
            kind: OptionKind::Put,
        },
        is_settled: false,
        mark: Price::default(),
        forward: Price::default(),
        losses: vec![Loss::default(); SCENARIOS],
        short_minimum: Price::default(),
        isolated_initial: Price::default(),
        isolated_maintenance: Price::default(),
    }
}

impl RiskRowVar {
    /// Allocates a row and enforces that it is live or settled; that it stands in the risk table is
    /// shown by `argument::risk_table`. `None` is padding.
    pub fn new(cs: &mut Cs, input: Option<&RiskRow>, header: &HeaderVar) -> Self {
        let is_active = Bool::witness(cs, "instrument row in use", input.is_some());
        let padding = padding();
        let row = input.unwrap_or(&padding);
        let index = row.instrument.get().into();
        let instrument = Uint::external(cs, "instrument", index, INSTRUMENT_BITS).lc().clone();
        let (spec, expiry) = witness_spec(cs, &row.spec);
        let price = |cs: &mut Cs, name, price: Price| {
            Uint::external(cs, name, price.get().into(), PRICE_BITS).lc().clone()
        };
        let is_settled = Bool::external(cs, "instrument is settled", row.is_settled);
        let mark = price(cs, "mark", row.mark);
        let forward = price(cs, "forward", row.forward);
        let short_minimum = price(cs, "short minimum", row.short_minimum);
        let isolated_initial = price(cs, "isolated initial", row.isolated_initial);
        let isolated_maintenance = price(cs, "isolated maintenance", row.isolated_maintenance);
        let (losses, loss_words) = witness_losses(cs, &row.losses);
        let prices = pack(&[
            (&mark, PRICE_BITS),
            (&short_minimum, PRICE_BITS),
            (&isolated_initial, PRICE_BITS),
            (&isolated_maintenance, PRICE_BITS),
            (is_settled.lc(), 1),
            (&forward, PRICE_BITS),
        ]);
        let leaf = leaf(cs, [&instrument, &spec, &prices], &loss_words);
        let var = Self {
            is_active,
            instrument,
            leaf,
            spec,
            is_settled,
            mark,
            forward,
            losses,
            short_minimum,
            isolated_initial,
            isolated_maintenance,
            expiry,
        };
        cs.under(Rule::InstrumentLive, |cs| var.enforce_live(cs, header));
        var
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

/// Poseidon of tag, index, specification, price word and loss words.
fn leaf(cs: &mut Cs, fields: [&Wire; 3], loss_words: &[Wire]) -> Wire {
    let mut inputs = vec![cs.constant(Tag::RiskRow.field())];
    inputs.extend(fields.into_iter().cloned());
    inputs.extend(loss_words.iter().cloned());
    poseidon::hash(cs, &inputs)
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
    let half: Fr = power_of_two(LOSS_BITS - 1);
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
