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
    /// Scan risk and short charge together.
    requirement: Uint,
    /// The worst scenario's loss, not below zero.
    scan_risk: Uint,
    /// scan risk − loss, by scenario.
    spreads: Vec<Uint>,
    /// `Σ max(0, −q) · short charge`.
    short_charge: Uint,
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
    /// Allocates the claims of a row. Scan risk is the largest of all losses and zero: it is not
    /// below any of them, and equals one of them. The short charge has a range of its own, so the
    /// requirement, their sum, is below 2^53.
    pub fn evaluate(cs: &mut Cs, margin: &Margin) -> Self {
        cs.under(Rule::MarginSpread, |cs| {
            let scan_risk = cs.witness("scan risk", signed_field(margin.scan_risk));
            let mut wide = Vec::new();
            let mut ranged = |cs: &mut Cs, what, value: &Wire| {
                let bits = Bits::decompose(cs, what, value, SPREAD_BITS);
                wide.push(bits.as_slice().last().expect("52 bits").lc().clone());
                Uint::new_unchecked(value.clone(), SPREAD_BITS)
            };
            let scan_risk = ranged(cs, "scan risk fits", &scan_risk);
            let losses = margin.losses.iter();
            let spreads: Vec<_> = losses
                .map(|&loss| {
                    let loss = cs.argued("loss", signed_field(loss));
                    let spread = scan_risk.lc().minus(&loss);
                    ranged(cs, "scan risk is not below", &spread)
                })
                .collect();
            let short_charge = cs.argued("short charge", signed_field(margin.short_charge));
            let short_charge = ranged(cs, "short charge fits", &short_charge);
            let mut claim =
                |name, value| Unranged::argued(cs, name, signed_field(value), Rule::MarginMatrix);
            let claims = Self {
                mark_value: claim("mark value", margin.mark_value),
                isolated_initial: claim("isolated initial charge", margin.isolated_initial),
                isolated_maintenance: claim(
                    "isolated maintenance charge",
                    margin.isolated_maintenance,
                ),
                requirement: scan_risk.add(&short_charge),
                scan_risk,
                // 37 bits at most.
                wide: Uint::new_unchecked(sum(&wide), WIDE_BITS),
                spreads,
                short_charge,
            };
            claims.enforce_attained(cs);
            claims
        })
    }

    /// Scan risk equals zero or a loss.
    fn enforce_attained(&self, cs: &mut Cs) {
        let mut product = self.scan_risk.lc().clone();
        let zero = cs.zero();
        for (place, spread) in self.spreads.iter().enumerate() {
            if place + 1 == self.spreads.len() {
                cs.enforce("scan risk is attained", &product, spread.lc(), &zero);
            } else {
                product = cs.product("product of spreads", &product, spread.lc());
            }
        }
    }

    /// scan risk − spread: the loss in each scenario.
    pub fn losses(&self) -> Vec<Int> {
        self.spreads.iter().map(|spread| self.scan_risk.sub(spread)).collect()
    }

    /// The elements the transcript absorbs; together they fix every claim, and `others`, for which
    /// the last element of spreads has room.
    pub fn absorbed(&self, others: impl IntoIterator<Item = Uint>) -> Vec<Wire> {
        let ranged = self.spreads.iter().chain([&self.short_charge, &self.scan_risk]).cloned();
        let words = pack_words(&ranged.chain(others).collect::<Vec<_>>());
        let claims = [&self.mark_value, &self.isolated_initial, &self.isolated_maintenance];
        let words = words.iter().map(|word| word.lc().clone());
        words.chain(claims.map(|claim| claim.lc().clone())).collect()
    }

    /// Equity with `cash`, and initial margin by the account's method.
    pub fn initial(
        &self,
        cs: &mut Cs,
        cash: &Wire,
        is_standard: &Bool,
        factor_ppm: &Uint,
    ) -> InitialVar {
        let portfolio = cs.product("portfolio initial margin", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_initial).scaled(Fr::from(PPM));
        let initial = is_standard.select(cs, &standard, &portfolio);
        InitialVar {
            equity: Unranged::new(cash.plus(&self.mark_value), Rule::MarginMatrix),
            initial: Unranged::new(initial, Rule::MarginMatrix),
        }
    }

    /// Maintenance margin by the account's method, in 10^-12 USDC.
    pub fn maintenance(&self, cs: &mut Cs, is_standard: &Bool, factor_ppm: &Uint) -> Unranged {
        let portfolio = cs.product("portfolio maintenance", factor_ppm, &self.requirement);
        let standard = self.mark_value.plus(&self.isolated_maintenance).scaled(Fr::from(PPM));
        let margin = is_standard.select(cs, &standard, &portfolio);
        Unranged::new(margin, Rule::MarginMatrix)
    }
}

/// Equity and initial margin of an account.
#[derive(Getters)]
pub struct InitialVar {
    /// Equity, micro-USDC.
    equity: Unranged,
    /// Initial margin, 10^-12 USDC.
    initial: Unranged,
}

impl InitialVar {
    /// Equity above initial margin, in 10^-12 USDC, signed: cross-multiplied by 10^6, so nothing is
    /// rounded.
    pub fn excess(&self) -> Unranged {
        let excess = self.equity.scaled(Fr::from(PPM)).minus(&self.initial);
        Unranged::new(excess, Rule::MarginMatrix)
    }

    /// Equity against initial margin, by how much the ratio is above that of `before`,
    /// cross-multiplied: `E'·IM − E·IM'`, signed.
    pub fn ratio_gain(&self, cs: &mut Cs, before: &Self) -> Unranged {
        let kept = cs.product("equity at the margin before", &self.equity, &before.initial);
        let asked = cs.product("equity before at the margin", &before.equity, &self.initial);
        Unranged::new(kept.minus(&asked), Rule::MarginMatrix)
    }
}

/// The margin of an account row after the batch.
#[derive(Getters)]
pub struct RowMarginVar {
    /// What the row claims.
    claims: MarginVar,
    /// Its equity and initial margin.
    initial: InitialVar,
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
        let initial = claims.initial(cs, cash, is_standard, factor_ppm);
        Self { claims, initial }
    }
}

/// Equity covers the initial margin in a row that is bound to it.
pub fn enforce_initial(cs: &mut Cs, is_bound: &Bool, margin: &InitialVar) {
    cs.under(Rule::InitialMargin, |cs| {
        let excess = cs.product("excess of a bound row", is_bound.lc(), &margin.excess());
        Uint::range_check(cs, "equity covers initial margin", &excess, EXCESS_BITS);
    });
}
