//! Twin of `protocol::account::margin`. The row claims its losses, mark value and short charges;
//! `argument` checks the claims against the risk table.

use ark_bn254::Fr;
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{Margin, SPREAD_BITS};
use zkmargin_protocol::value::packing::signed_field;
use zkmargin_protocol::value::units::PPM;

use crate::gadgets::boolean::Bool;
use crate::gadgets::integer::{Bits, Uint};
use crate::value::packing::{Part, pack_words};
use crate::{Cs, Wire, sum};

/// Width in bits of the excess of equity over initial margin, scaled by 10^6: equity < 2^78, scale
/// < 2^20.
pub const EXCESS_BITS: u32 = 100;

/// Width in bits of a number of spreads.
pub const WIDE_BITS: u32 = 6;

/// The claims of one account row.
pub struct MarginVar {
    /// The larger of scan risk and short floor, 52 bits.
    pub requirement: Wire,
    /// requirement − loss, by scenario, 52 bits each.
    pub spreads: Vec<Uint<Fr>>,
    /// requirement − short floor, 52 bits.
    pub floor_spread: Uint<Fr>,
    /// How many of these reach 2^51, half of their width: 6 bits.
    pub wide: Wire,
    /// `Σ q · mark`, signed.
    pub mark_value: Wire,
    /// `Σ max(0, −q) · isolated initial charge`.
    pub isolated_initial: Wire,
    /// `Σ max(0, −q) · isolated maintenance charge`.
    pub isolated_maintenance: Wire,
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
            let mark_value = cs.argued("mark value", signed_field(margin.mark_value));
            let isolated_initial =
                cs.argued("isolated initial charge", signed_field(margin.isolated_initial));
            let isolated_maintenance =
                cs.argued("isolated maintenance charge", signed_field(margin.isolated_maintenance));
            let claims = Self {
                requirement: requirement.lc().clone(),
                wide: sum(&wide),
                spreads,
                floor_spread,
                mark_value,
                isolated_initial,
                isolated_maintenance,
            };
            claims.enforce_attained(cs);
            claims
        })
    }

    fn enforce_attained(&self, cs: &mut Cs) {
        let mut product = self.requirement.clone();
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
    pub fn losses(&self) -> Vec<Wire> {
        self.spreads.iter().map(|spread| self.requirement.minus(spread.lc())).collect()
    }

    /// `Σ max(0, −q) · short minimum`.
    pub fn short_floor(&self) -> Wire {
        self.requirement.minus(self.floor_spread.lc())
    }

    /// The elements the transcript absorbs; together they fix every claim, and `others`, for which
    /// the last element of spreads has room.
    pub fn absorbed(&self, others: impl IntoIterator<Item = Part>) -> Vec<Wire> {
        let spreads = self.spreads.iter().chain([&self.floor_spread]).map(Uint::lc);
        let ranged = spreads.chain([&self.requirement]);
        let ranged = ranged.map(|value| (value.clone(), SPREAD_BITS));
        let mut words = pack_words(&ranged.chain(others).collect::<Vec<Part>>());
        words.extend([
            self.mark_value.clone(),
            self.isolated_initial.clone(),
            self.isolated_maintenance.clone(),
        ]);
        words
    }

    /// Equity above the initial margin of the account's method, in 10^-12 USDC, signed:
    /// cross-multiplied by 10^6, so nothing is rounded.
    pub fn initial_excess(
        &self,
        cs: &mut Cs,
        cash: &Wire,
        is_standard: &Bool<Fr>,
        factor_ppm: &Wire,
    ) -> Wire {
        let ppm = Fr::from(PPM);
        let portfolio = cs.product("portfolio initial margin", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_initial).scaled(ppm);
        let initial = is_standard.select(cs, &standard, &portfolio);
        cash.plus(&self.mark_value).scaled(ppm).minus(&initial)
    }
}

impl MarginVar {
    /// Maintenance margin by the account's method, in 10^-12 USDC.
    pub fn maintenance(&self, cs: &mut Cs, is_standard: &Bool<Fr>, factor_ppm: &Wire) -> Wire {
        let portfolio = cs.product("portfolio maintenance", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_maintenance).scaled(Fr::from(PPM));
        is_standard.select(cs, &standard, &portfolio)
    }
}

/// Equity covers the initial margin in a row that is bound to it.
pub fn enforce_initial(cs: &mut Cs, is_bound: &Wire, excess: &Wire) {
    cs.under(Rule::InitialMargin, |cs| {
        let excess = cs.product("excess of a bound row", is_bound, excess);
        Uint::range_check(cs, "equity covers initial margin", &excess, EXCESS_BITS);
    });
}
