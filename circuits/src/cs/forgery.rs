//! What tests need to play the dishonest prover, and to see what he could choose: lies about
//! variables, faults planted in the circuit, and notes of what the circuit shows. Not part of any
//! circuit.

use std::collections::BTreeSet;

use ark_ff::PrimeField;

use super::{Cs, Lc};

/// Table name and row; `None` outside of all tables.
pub type Place = Option<(&'static str, usize)>;

/// What one variable is changed by.
#[derive(Clone, Debug)]
struct Lie<F> {
    place: Place,
    name: &'static str,
    /// Variables of the name to come before it; `None` once it is told.
    left: Option<usize>,
    change: F,
}

/// The lies that are to be told, and the faults that are planted.
#[derive(Clone, Debug, Default)]
pub(super) struct Prover<F> {
    lies: Vec<Lie<F>>,
    plants: BTreeSet<&'static str>,
}

impl<F: PrimeField> Prover<F> {
    /// Goes on where the row `place` has ended.
    pub(super) fn adopt(&mut self, row: &Self, place: Place) {
        for (lie, told) in self.lies.iter_mut().zip(&row.lies) {
            if told.place == place {
                lie.left = told.left;
            }
        }
    }
}

/// A combination shown to lie in `0..2^bits`.
#[derive(Clone, Debug)]
pub struct Range<F: PrimeField> {
    /// Label of the check.
    pub what: &'static str,
    /// The combination.
    pub wire: Lc<F>,
    /// Its width.
    pub bits: u32,
}

/// Combinations which together fix others, by the proof of the gadget that says so.
#[derive(Clone, Debug)]
pub struct Determined<F: PrimeField> {
    /// What fixes.
    pub causes: Vec<Lc<F>>,
    /// What is fixed.
    pub effects: Vec<Lc<F>>,
}

/// What a circuit says of itself besides its matrices, in [`super::Mode::Shape`].
#[derive(Clone, Debug, Default)]
pub struct Notes<F: PrimeField> {
    /// Combinations shown to lie in a range.
    pub ranges: Vec<Range<F>>,
    /// What fixes what.
    pub determined: Vec<Determined<F>>,
    /// Rounds of the transcript: constraints before the elements, and the elements.
    pub rounds: Vec<(usize, Vec<Lc<F>>)>,
    /// Names of what is absorbed, as in the table of `docs/spec/batch/argument.md`.
    pub names: BTreeSet<&'static str>,
    /// Where the witnesses stand: (first witness, place), increasing.
    places: Vec<(usize, Place)>,
}

impl<F: PrimeField> Notes<F> {
    /// Table and row of a witness.
    pub fn place(&self, witness: usize) -> Place {
        let at = self.places.partition_point(|&(first, _)| first <= witness);
        self.places[at - 1].1
    }
}

impl<F: PrimeField> Cs<F> {
    /// Adds `change` to the variable called `name` that comes after `skip` others of the name in
    /// `place`; what is computed from it follows.
    pub fn lie(&mut self, place: Place, name: &'static str, skip: usize, change: F) {
        self.prover.lies.push(Lie { place, name, left: Some(skip), change });
    }

    /// Plants a fault: `name` is that of an element which the transcript then leaves out, or of
    /// one of the places that ask [`Cs::is_planted`].
    pub fn plant(&mut self, name: &'static str) {
        self.prover.plants.insert(name);
    }

    /// Whether the fault called so is planted.
    pub fn is_planted(&self, name: &'static str) -> bool {
        self.prover.plants.contains(name)
    }

    /// What the transcript absorbs under `name`: the wire, or nothing if that fault is planted.
    pub fn absorbed(&mut self, name: &'static str, wire: &Lc<F>) -> Lc<F> {
        if let Some(recorder) = &mut self.recorder {
            recorder.notes.names.insert(name);
        }
        if self.is_planted(name) { self.zero() } else { wire.clone() }
    }

    /// Notes that a round of the transcript absorbs these elements.
    pub fn note_round(&mut self, elements: &[Lc<F>]) {
        let constraint = self.constraints;
        if let Some(recorder) = &mut self.recorder {
            recorder.notes.rounds.push((constraint, elements.to_vec()));
        }
    }

    /// Notes that `wire` is shown to lie in `0..2^bits`.
    pub fn note_range(&mut self, what: &'static str, wire: &Lc<F>, bits: u32) {
        if let Some(recorder) = &mut self.recorder {
            recorder.notes.ranges.push(Range { what, wire: wire.clone(), bits });
        }
    }

    /// Notes that `causes` together fix `effects`: the output of a hash its inputs, for example.
    pub fn note_determined(&mut self, causes: &[&Lc<F>], effects: &[&Lc<F>]) {
        if let Some(recorder) = &mut self.recorder {
            let [causes, effects] =
                [causes, effects].map(|lcs| lcs.iter().map(|&lc| lc.clone()).collect());
            recorder.notes.determined.push(Determined { causes, effects });
        }
    }

    /// The notes so far.
    pub fn notes(&self) -> Option<&Notes<F>> {
        self.recorder.as_ref().map(|recorder| &recorder.notes)
    }

    pub(super) fn note_place(&mut self, witness: usize) {
        let place = self.row;
        if let Some(recorder) = &mut self.recorder
            && recorder.notes.places.last().is_none_or(|&(_, last)| last != place)
        {
            recorder.notes.places.push((witness, place));
        }
    }

    pub(super) fn lied(&mut self, name: &'static str) -> F {
        let place = self.row;
        let lies = self.prover.lies.iter_mut();
        let meant = lies.filter(|lie| lie.place == place && lie.name == name);
        let told = meant.filter_map(|lie| {
            let left = lie.left?;
            lie.left = left.checked_sub(1);
            (left == 0).then_some(lie.change)
        });
        told.sum()
    }
}
