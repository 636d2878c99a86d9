//! What an audit found, for people and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};
use zkmargin_circuits::cs::{Label, R1cs};

use crate::jacobian::{Kind, column_name};
use crate::{AuditError, Determinacy, Split, Tangent, deletion, matrices, mutation};

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// At each witness every derived variable is locally determined and none can change alone.
    Proven,
    /// The same, but for free hints that reach no derived variable.
    AllowListedHint,
    /// Some derived variable is free, a hint leaks, or a variable is unused or unbound.
    Fail,
}

/// A name and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Variable name or constraint label.
    pub name: String,
    /// Occurrences.
    pub count: usize,
}

/// The findings of one circuit, over all witnesses it was audited at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the circuit.
    pub circuit: String,
    /// The answer.
    pub verdict: Verdict,
    /// Witnesses audited.
    pub witnesses: usize,
    /// Rows.
    pub constraints: usize,
    /// Columns, the constant one and public inputs included.
    pub variables: usize,
    /// Public inputs, the constant one not counted.
    pub public_inputs: usize,
    /// Entries of the three matrices.
    pub nonzeros: usize,
    /// BLAKE3 of the canonical matrices, hexadecimal.
    pub digest: String,
    /// Columns that must be determined, hints included.
    pub derived: usize,
    /// Of these, determined at every witness.
    pub determined: usize,
    /// Most columns that had to be eliminated rather than peeled.
    pub core: usize,
    /// Rows minus rank, at each witness.
    pub assertions: Vec<usize>,
    /// Labels of the assertion rows at the first witness.
    pub assertion_labels: Vec<Count>,
    /// Labels of the rows whose deletion determinacy survives at every witness.
    pub survivors: Vec<Count>,
    /// Derived variables that some kernel vector moves.
    pub undetermined: Vec<Count>,
    /// Free hints that reach no derived variable.
    pub free_hints: Vec<Count>,
    /// Hints that move a derived variable.
    pub leaking_hints: Vec<Count>,
    /// Variables, public inputs included, that can change alone.
    pub mutable: Vec<Count>,
    /// Externals that can change alone: nothing in this circuit binds them there.
    pub unbound_externals: Vec<Count>,
    /// Variables in no row.
    pub unused: Vec<Count>,
    /// Witnesses taken as given because an argument ties them down.
    pub claims: Vec<Count>,
}

fn count(names: impl Iterator<Item = String>) -> Vec<Count> {
    let mut counts = BTreeMap::<String, usize>::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().map(|(name, count)| Count { name, count }).collect()
}

/// A label as text: the rule if any, and what the constraint says.
pub fn label_text(label: Label) -> String {
    match label.rule {
        Some(rule) => format!("{}: {}", rule.name(), label.what),
        None => label.what.to_owned(),
    }
}

/// Findings as sets of columns and rows, over witnesses.
#[derive(Default)]
struct Findings {
    undetermined: BTreeSet<usize>,
    free: BTreeSet<usize>,
    leaking: BTreeSet<usize>,
    mutable: BTreeSet<usize>,
    survivors: Option<BTreeSet<usize>>,
    assertions: Vec<usize>,
    assertion_rows: Vec<usize>,
    core: usize,
}

impl Findings {
    fn add<F: PrimeField>(
        &mut self,
        r1cs: &R1cs<F>,
        assignment: &[F],
        split: &Split<'_>,
        seed: &[u8],
    ) -> Result<(), AuditError> {
        let tangent = Tangent::new(r1cs, assignment)?;
        let found = Determinacy::new(&tangent, split)?;
        self.undetermined.extend(&found.undetermined);
        self.free.extend(&found.free);
        self.leaking.extend(&found.leaking);
        self.core = self.core.max(found.core);
        if self.assertions.is_empty() {
            self.assertion_rows.clone_from(&found.assertions);
        }
        self.assertions.push(found.rows - found.rank);
        let survivors = deletion::survivors(&tangent, &found, seed);
        self.survivors = Some(match self.survivors.take() {
            None => survivors.into_iter().collect(),
            Some(before) => survivors.into_iter().filter(|row| before.contains(row)).collect(),
        });
        drop(found);
        self.mutable.extend(mutation::find(&tangent).iter().map(|mutation| mutation.column));
        Ok(())
    }
}

impl Report {
    /// Audits a circuit at satisfying assignments, which should cover its branches.
    pub fn new<F: PrimeField>(
        circuit: &str,
        r1cs: &R1cs<F>,
        assignments: &[Vec<F>],
        split: &Split<'_>,
    ) -> Result<Self, AuditError> {
        matrices::check_canonical(r1cs)?;
        let kinds = split.kinds(r1cs)?;
        let digest = r1cs.digest();
        let mut findings = Findings::default();
        for assignment in assignments {
            findings.add(r1cs, assignment, split, &digest)?;
        }
        let Findings { undetermined, mut free, leaking, mut mutable, .. } = findings;
        free.retain(|column| !leaking.contains(column));
        mutable.retain(|column| !free.contains(column));
        let is_input = |column: &usize| *column >= r1cs.instances && kinds[*column] == Kind::Input;
        let unbound: Vec<usize> = mutable.iter().copied().filter(is_input).collect();
        mutable.retain(|column| !is_input(column));
        let unused = matrices::unused(r1cs);
        let fail = [undetermined.len(), leaking.len(), mutable.len(), unused.len()];
        let verdict = match (fail.iter().all(|&n| n == 0), free.is_empty()) {
            (true, true) => Verdict::Proven,
            (true, false) => Verdict::AllowListedHint,
            (false, _) => Verdict::Fail,
        };
        let name = |column: &usize| column_name(r1cs, *column).to_owned();
        let label = |row: &usize| label_text(r1cs.label(*row));
        let derived = kinds.iter().filter(|k| matches!(k, Kind::Derived | Kind::Hint)).count();
        let claims = (0..kinds.len()).filter(|&column| kinds[column] == Kind::Claim);
        let open = undetermined.len() + free.len() + leaking.len();
        Ok(Self {
            circuit: circuit.to_owned(),
            verdict,
            witnesses: assignments.len(),
            constraints: r1cs.constraints(),
            variables: r1cs.instances + r1cs.witnesses,
            public_inputs: r1cs.instances - 1,
            nonzeros: r1cs.nonzeros(),
            digest: hex::encode(digest),
            derived,
            determined: derived - open,
            core: findings.core,
            assertions: findings.assertions,
            assertion_labels: count(findings.assertion_rows.iter().map(label)),
            survivors: count(findings.survivors.iter().flatten().map(label)),
            undetermined: count(undetermined.iter().map(name)),
            free_hints: count(free.iter().map(name)),
            leaking_hints: count(leaking.iter().map(name)),
            mutable: count(mutable.iter().map(name)),
            unbound_externals: count(unbound.iter().map(name)),
            unused: count(unused.iter().map(name)),
            claims: count(claims.map(|column| name(&column))),
        })
    }

    /// Determined columns among derived ones, in hundredths of a percent, rounded down.
    pub fn determined_bp(&self) -> usize {
        (self.determined * 10_000).checked_div(self.derived).unwrap_or(10_000)
    }

    /// Rows whose deletion determinacy survives.
    pub fn survivor_count(&self) -> usize {
        self.survivors.iter().map(|entry| entry.count).sum()
    }
}

/// Most names of a list that are printed as text; JSON has them all.
const SHOWN: usize = 24;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bp = self.determined_bp();
        writeln!(f, "{}: {:?}", self.circuit, self.verdict)?;
        writeln!(
            f,
            "  {} constraints, {} variables, {} public inputs, {} nonzeros, digest {}",
            self.constraints, self.variables, self.public_inputs, self.nonzeros, self.digest
        )?;
        writeln!(
            f,
            "  {} of {} derived variables determined ({}.{:02} %) at {} witnesses, core {}",
            self.determined,
            self.derived,
            bp / 100,
            bp % 100,
            self.witnesses,
            self.core
        )?;
        writeln!(
            f,
            "  rows − rank {:?}, {} of {} deletions survive determinacy",
            self.assertions,
            self.survivor_count(),
            self.constraints
        )?;
        let lists = [
            ("assertion", &self.assertion_labels),
            ("survivor", &self.survivors),
            ("UNDETERMINED", &self.undetermined),
            ("free hint", &self.free_hints),
            ("LEAKING HINT", &self.leaking_hints),
            ("MUTABLE", &self.mutable),
            ("unbound external", &self.unbound_externals),
            ("UNUSED", &self.unused),
            ("claim", &self.claims),
        ];
        for (title, list) in lists {
            for Count { name, count } in list.iter().take(SHOWN) {
                writeln!(f, "  {title}: {name} ×{count}")?;
            }
            if let Some(rest) = list.get(SHOWN..).filter(|rest| !rest.is_empty()) {
                let count: usize = rest.iter().map(|entry| entry.count).sum();
                writeln!(f, "  {title}: {} more names ×{count}", rest.len())?;
            }
        }
        Ok(())
    }
}
