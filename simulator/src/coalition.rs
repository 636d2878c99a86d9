//! Attacks of several accounts of one owner, and a search over their parameters.
//!
//! An attack is played on a small stage by the real rules. It measures what the coalition owns at
//! the end against what it would own had it only held through the same market.
//! `docs/simulation.md` lists the attacks.

pub mod attacks;
mod book;
pub mod ground;
pub mod search;
pub mod stage;

use std::collections::BTreeMap;
use std::fmt;

use zkmargin_protocol::Reject;

use self::ground::Ground;
use self::stage::Stage;

/// A number that an attacker chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name with its unit.
    pub name: &'static str,
    /// The smallest and the largest value.
    pub range: [i64; 2],
    /// The value of the recorded attack.
    pub first: i64,
}

/// A value for each parameter. One that is not set has its first value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point(BTreeMap<&'static str, i64>);

impl Point {
    /// The value of a parameter.
    pub fn get(&self, parameter: &Parameter) -> i64 {
        self.0.get(parameter.name).copied().unwrap_or(parameter.first)
    }

    /// Sets a parameter to the value nearest to `value` within its range.
    pub fn set(&mut self, parameter: &Parameter, value: i64) {
        let [least, most] = parameter.range;
        self.0.insert(parameter.name, value.clamp(least, most));
    }
}

/// What a gain is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Micro-USDC that the coalition owns above what it would own had it only held.
    Money,
    /// Batches in which an account below maintenance margin stayed out of auction.
    Batches,
    /// Parts per million of a book that a block kept from being sold.
    Share,
    /// Rows of a batch that cost nothing and that an honest user then missed.
    Rows,
}

/// What an attack has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was gained.
    pub gain: i128,
    /// More figures.
    pub figures: Vec<(&'static str, Amount)>,
}

impl Outcome {
    /// The gain of the coalition on a stage where the attack has ended.
    ///
    /// # Errors
    /// Those of the rules.
    pub fn of_money(stage: &Stage) -> Result<Self, Reject> {
        let [owned, unpaid] = stage.owned()?;
        let (held, brought) = (stage.would_own()?, stage.brought());
        let losses = stage.losses()?;
        let figures = [
            ("brought", brought),
            ("held", held),
            ("owned", owned),
            ("above brought", owned - brought),
            ("left unpaid", unpaid),
            ("fund lost", losses.fund),
            ("others lost", losses.others),
            ("fees", -losses.fees),
        ];
        let figures = figures.map(|(name, amount)| (name, Amount(amount, Unit::Money)));
        Ok(Self { gain: owned - held, figures: figures.to_vec() })
    }

    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<i128> {
        self.figures.iter().find(|(found, _)| *found == name).map(|(_, figure)| figure.0)
    }
}

/// One attack.
pub trait Attack: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What the coalition does, in one sentence.
    fn sentence(&self) -> &'static str;

    /// What its gain is counted in.
    fn unit(&self) -> Unit {
        Unit::Money
    }

    /// What may be chosen.
    fn parameters(&self) -> Vec<Parameter>;

    /// Plays it. Steps that the rules refuse are left out.
    ///
    /// # Errors
    /// Those of the rules for a point at which the attack cannot begin.
    fn run(&self, ground: &Ground, point: &Point) -> Result<Outcome, Reject>;
}

/// An amount of a unit, money in micro-USDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub i128, pub Unit);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(amount, unit) = *self;
        match unit {
            Unit::Money => {
                let sign = if amount < 0 { "-" } else { "" };
                let size = amount.unsigned_abs();
                write!(f, "{sign}{}.{:06} USDC", size / 1_000_000, size % 1_000_000)
            }
            Unit::Batches => write!(f, "{amount} batches"),
            Unit::Share => write!(f, "{amount} ppm of the book"),
            Unit::Rows => write!(f, "{amount} rows"),
        }
    }
}
