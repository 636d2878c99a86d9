//! Twin of `protocol::market::risk_row`: one referenced instrument.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::domain::Tag;
use zkmargin_protocol::market::instrument::{self, InstrumentSpec};
use zkmargin_protocol::market::risk_row::{LOSSES_PER_WORD, PRICES, RiskRow};
use zkmargin_protocol::pricing::black76::OptionKind;
use zkmargin_protocol::pricing::scenario::SCENARIOS;
use zkmargin_protocol::value::units::{
    INSTRUMENT_BITS, InstrumentIndex, LOSS_BITS, Loss, PRICE_BITS, Price, TIME_BITS, Time,
    UNDERLYING_BITS, Underlying,
};

use crate::crypto::poseidon;
use crate::gadgets::boolean::Bool;
use crate::gadgets::comparator::enforce_nonzero_if;
use crate::gadgets::element::Element;
use crate::gadgets::integer::{Int, Signed, Uint};
use crate::value::header::HeaderVar;
use crate::value::packing::{Packed, pack_all, pack_as};
use crate::{Cs, shifted};

/// One instrument.
#[derive(Getters)]
pub struct RiskRowVar {
    /// Whether the row is in use.
    is_active: Bool,
    /// Index, not 0 in a row in use.
    instrument: Uint,
    /// The row's leaf in the risk table, which fixes all that follows.
    leaf: Element,
    /// Packed specification.
    spec: Uint,
    /// Whether it has expired and the mark is what a contract pays.
    is_settled: Bool,
    /// Mark price.
    mark: Uint,
    /// Forward price.
    forward: Uint,
    /// Loss of one contract long by scenario.
    losses: Vec<Int>,
    /// Least requirement of one contract short.
    short_minimum: Uint,
    /// Isolated initial charge of one contract short.
    isolated_initial: Uint,
    /// Maintenance margin of one contract short on its own.
    isolated_maintenance: Uint,
    expiry: Uint,
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
        let instrument = Uint::external(cs, "instrument", index, INSTRUMENT_BITS);
        let spec = SpecVar::external(cs, &row.spec);
        let price = |cs: &mut Cs, name, price: Price| {
            Uint::external(cs, name, price.get().into(), PRICE_BITS)
        };
        let is_settled = Bool::external(cs, "instrument is settled", row.is_settled);
        let mark = price(cs, "mark", row.mark);
        let forward = price(cs, "forward", row.forward);
        let short_minimum = price(cs, "short minimum", row.short_minimum);
        let isolated_initial = price(cs, "isolated initial", row.isolated_initial);
        let isolated_maintenance = price(cs, "isolated maintenance", row.isolated_maintenance);
        let LossesVar { losses, words } = LossesVar::external(cs, &row.losses);
        let charges = [&short_minimum, &isolated_initial, &isolated_maintenance];
        let [floor, initial, maintenance] = charges;
        let prices = pack_as(&PRICES, [&mark, floor, initial, maintenance, &is_settled, &forward]);
        let leaf = leaf(cs, [&instrument, &spec.word, &prices], &words);
        let var = Self {
            is_active,
            instrument,
            leaf,
            spec: spec.word,
            is_settled,
            mark,
            forward,
            losses,
            short_minimum,
            isolated_initial,
            isolated_maintenance,
            expiry: spec.expiry,
        };
        cs.under(Rule::InstrumentLive, |cs| var.enforce_live(cs, header));
        var
    }

    /// The instrument is listed; it expires after the batch's time, or is settled and does not.
    fn enforce_live(&self, cs: &mut Cs, header: &HeaderVar) {
        enforce_nonzero_if(cs, "index 0 is no instrument", &self.instrument, &self.is_active);
        let since = header.time().minus(&self.expiry);
        let left = shifted(cs, &since.negated(), -Fr::from(1u64));
        let time = self.is_settled.select(cs, &since, &left);
        let time = cs.product("time of a row in use", self.is_active.lc(), &time);
        Uint::range_check(cs, "settled exactly from expiry on", &time, TIME_BITS);
    }
}

/// Poseidon of tag, index, specification, price word and loss words.
fn leaf(cs: &mut Cs, fields: [&Uint; 3], loss_words: &[Uint]) -> Element {
    let mut inputs = vec![cs.constant(Tag::RiskRow.field())];
    inputs.extend(fields.into_iter().chain(loss_words).map(|word| word.lc().clone()));
    Element::new(poseidon::hash(cs, &inputs))
}

/// What a row specifies.
struct SpecVar {
    /// [`instrument::WORD`].
    word: Uint,
    expiry: Uint,
}

impl SpecVar {
    fn external(cs: &mut Cs, spec: &InstrumentSpec) -> Self {
        let underlying = u128::from(spec.underlying.get());
        let underlying = Uint::external(cs, "spec underlying", underlying, UNDERLYING_BITS);
        let expiry = Uint::external(cs, "spec expiry", spec.expiry.get().into(), TIME_BITS);
        let strike = Uint::external(cs, "spec strike", spec.strike.get().into(), PRICE_BITS);
        let is_call = Bool::external(cs, "spec is a call", spec.kind == OptionKind::Call);
        let parts: [&dyn Packed; 4] = [&underlying, &expiry, &strike, &is_call];
        Self { word: pack_as(&instrument::WORD, parts), expiry }
    }
}

/// The losses of one contract.
struct LossesVar {
    losses: Vec<Int>,
    /// Seven to a word, each loss + 2^33.
    words: Vec<Uint>,
}

impl LossesVar {
    fn external(cs: &mut Cs, losses: &[Loss]) -> Self {
        let mut external =
            |loss: &Loss| Signed::external(cs, "loss of a contract", loss.get().into(), LOSS_BITS);
        let losses: Vec<_> = losses.iter().map(|loss| external(loss).int().clone()).collect();
        let offset: Vec<_> = losses.iter().map(|loss| loss.offset(cs)).collect();
        Self { losses, words: offset.chunks(LOSSES_PER_WORD).map(pack_all).collect() }
    }
}
