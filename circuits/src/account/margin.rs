//! Twin of `protocol::account::margin`. The row claims its losses, mark value and short charges;
//! `argument` checks the claims against the risk table.

use ark_bn254::Fr;
use derive_getters::Getters;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{Margin, SPREAD_BITS};
use zkmargin_protocol::value::packing::signed_field;
use zkmargin_protocol::value::units::PPM;

use crate::gadgets::boolean::Bool;
use crate::gadgets::element::Unranged;
use crate::gadgets::integer::{Bits, Int, Uint};
use crate::value::packing::pack_words;
use crate::{Cs, Wire, sum};

/// Width in bits of the excess of equity over initial margin, scaled by 10^6: equity < 2^78, scale
/// < 2^20.
pub const EXCESS_BITS: u32 = 100;

/// Width in bits of a number of spreads.
pub const WIDE_BITS: u32 = 6;

/// The claims of one account row.
#[derive(Getters)]
pub struct MarginVar {
    /// The larger of scan risk and short floor.
    requirement: Uint,
    /// requirement − loss, by scenario.
    spreads: Vec<Uint>,
    /// requirement − short floor.
    floor_spread: Uint,
    /// How many of these reach 2^51, half of their width.
    wide: Uint,
    /// `Σ q · mark`, signed.
    mark_value: Unranged,
    /// `Σ max(0, −q) · isolated initial charge`.
    isolated_initial: Unranged,
    /// `Σ max(0, −q) · isolated maintenance charge`.
    isolated_maintenance: Unranged,
}

impl MarginVar {
    /// Allocates the claims of a row. The requirement is the largest of all losses, the short floor
    /// and zero: it is not below any of them, and equals one of them.
    pub fn evaluate(cs: &mut Cs, margin: &Margin) -> Self {
        cs.under(Rule::MarginSpread, |cs| {
            let requirement = cs.witness("requirement", signed_field(margin.requirement));
            let mut wide = Vec::new();
            let mut ranged = |cs: &mut Cs, what, value: &Wire| {
                let bits = Bits::decompose(cs, what, value, SPREAD_BITS);
                wide.push(bits.as_slice().last().expect("52 bits").lc().clone());
                Uint::new_unchecked(value.clone(), SPREAD_BITS)
            };
            let requirement = ranged(cs, "requirement fits", &requirement);
            let mut spread = |cs: &mut Cs, name, below: i128| {
                let below = cs.argued(name, signed_field(below));
                let spread = requirement.lc().minus(&below);
                ranged(cs, "requirement is not below", &spread)
            };
            let losses = margin.losses.iter();
            let spreads: Vec<_> = losses.map(|&loss| spread(cs, "loss", loss)).collect();
            let floor_spread = spread(cs, "short floor", margin.short_floor);
            let mut claim =
                |name, value| Unranged::argued(cs, name, signed_field(value), Rule::MarginMatrix);
            let claims = Self {
                mark_value: claim("mark value", margin.mark_value),
                isolated_initial: claim("isolated initial charge", margin.isolated_initial),
                isolated_maintenance: claim(
                    "isolated maintenance charge",
                    margin.isolated_maintenance,
                ),
                requirement,
                // 39 bits at most.
                wide: Uint::new_unchecked(sum(&wide), WIDE_BITS),
                spreads,
                floor_spread,
            };
            claims.enforce_attained(cs);
            claims
        })
    }

    fn enforce_attained(&self, cs: &mut Cs) {
        let mut product = self.requirement.lc().clone();
        let spreads = self.spreads.iter().chain([&self.floor_spread]);
        let mut remaining = spreads.clone().count();
        let zero = cs.zero();
        for spread in spreads {
            remaining -= 1;
            if remaining == 0 {
                cs.enforce("the requirement is attained", &product, spread.lc(), &zero);
            } else {
                product = cs.product("product of spreads", &product, spread.lc());
            }
        }
    }

    /// requirement − spread: the loss in each scenario.
    pub fn losses(&self) -> Vec<Int> {
        self.spreads.iter().map(|spread| self.requirement.sub(spread)).collect()
    }

    /// `Σ max(0, −q) · short minimum`.
    pub fn short_floor(&self) -> Int {
        self.requirement.sub(&self.floor_spread)
    }

    /// The elements the transcript absorbs; together they fix every claim, and `others`, for which
    /// the last element of spreads has room.
    pub fn absorbed(&self, others: impl IntoIterator<Item = Uint>) -> Vec<Wire> {
        let ranged = self.spreads.iter().chain([&self.floor_spread, &self.requirement]).cloned();
        let words = pack_words(&ranged.chain(others).collect::<Vec<_>>());
        let claims = [&self.mark_value, &self.isolated_initial, &self.isolated_maintenance];
        let words = words.iter().map(|word| word.lc().clone());
        words.chain(claims.map(|claim| claim.lc().clone())).collect()
    }

    /// Equity above the initial margin of the account's method, in 10^-12 USDC, signed:
    /// cross-multiplied by 10^6, so nothing is rounded.
    pub fn initial_excess(
        &self,
        cs: &mut Cs,
        cash: &Wire,
        is_standard: &Bool,
        factor_ppm: &Uint,
    ) -> Unranged {
        let ppm = Fr::from(PPM);
        let portfolio = cs.product("portfolio initial margin", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_initial).scaled(ppm);
        let initial = is_standard.select(cs, &standard, &portfolio);
        let excess = cash.plus(&self.mark_value).scaled(ppm).minus(&initial);
        Unranged::new(excess, Rule::MarginMatrix)
    }

    /// Maintenance margin by the account's method, in 10^-12 USDC.
    pub fn maintenance(&self, cs: &mut Cs, is_standard: &Bool, factor_ppm: &Uint) -> Unranged {
        let portfolio = cs.product("portfolio maintenance", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_maintenance).scaled(Fr::from(PPM));
        let margin = is_standard.select(cs, &standard, &portfolio);
        Unranged::new(margin, Rule::MarginMatrix)
    }
}

/// The margin of an account row after the batch.
#[derive(Getters)]
pub struct RowMarginVar {
    /// What the row claims.
    claims: MarginVar,
    /// Excess over initial margin, 10^-12 USDC, signed.
    excess: Unranged,
}

impl RowMarginVar {
    /// The margin of an account with `cash` after the batch.
    pub fn new(
        cs: &mut Cs,
        margin: &Margin,
        cash: &Int,
        is_standard: &Bool,
        factor_ppm: &Uint,
    ) -> Self {
        let claims = MarginVar::evaluate(cs, margin);
        let excess = claims.initial_excess(cs, cash, is_standard, factor_ppm);
        Self { claims, excess }
    }
}

/// Equity covers the initial margin in a row that is bound to it.
pub fn enforce_initial(cs: &mut Cs, is_bound: &Bool, excess: &Unranged) {
    cs.under(Rule::InitialMargin, |cs| {
        let excess = cs.product("excess of a bound row", is_bound.lc(), excess);
        Uint::range_check(cs, "equity covers initial margin", &excess, EXCESS_BITS);
    });
}
