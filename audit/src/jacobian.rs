//! Determinacy: is every derived variable locally fixed by the inputs?
//!
//! The columns of `J = diag(Bz)A + diag(Az)B − C` that belong to derived variables are peeled: a
//! row with one undetermined column determines it. What is left is eliminated exactly. A kernel
//! vector names the variables that can move together; full column rank says that none can.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use ark_ff::PrimeField;
use rayon::prelude::*;
use zkmargin_circuits::cs::{R1cs, Role};

use crate::elimination::Elimination;
use crate::{AuditError, Tangent};

/// The largest connected core that is eliminated.
pub const CORE_CAP: usize = 20_000;

/// Which columns are inputs and which must follow from them, beyond the roles the circuit declares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Split<'a> {
    /// Instance columns (from 1) that the circuit derives; the others are inputs.
    pub outputs: &'a [usize],
}

/// What a column is to the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The constant, a public input, an external: given.
    Input,
    /// A witness that an identity at a random point ties down: given here, for its soundness is the
    /// argument's.
    Claim,
    /// Must follow from the inputs.
    Derived,
    /// May be free, but must reach no derived variable.
    Hint,
}

impl Split<'_> {
    /// The kind of each column `[1, instances…, witnesses…]`.
    pub fn kinds<F: PrimeField>(&self, r1cs: &R1cs<F>) -> Result<Vec<Kind>, AuditError> {
        let instances = r1cs.instances;
        let mut kinds = vec![Kind::Input; instances + r1cs.witnesses];
        for &column in self.outputs {
            if column == 0 || column >= instances {
                return Err(AuditError::Output { column, instances });
            }
            kinds[column] = Kind::Derived;
        }
        for (k, &(first, _, role)) in r1cs.names.iter().enumerate() {
            let end = r1cs.names.get(k + 1).map_or(r1cs.witnesses, |next| next.0);
            let kind = match role {
                Role::External => Kind::Input,
                Role::Argued => Kind::Claim,
                Role::Derived => Kind::Derived,
                Role::FreeHint => Kind::Hint,
            };
            kinds[instances + first..instances + end].fill(kind);
        }
        Ok(kinds)
    }
}

/// A connected part of the core: its rows and columns, and its echelon form.
pub(crate) struct Core<F> {
    pub(crate) rows: Vec<u32>,
    pub(crate) elimination: Elimination<F>,
}

/// The answer, and what deletion needs to go on from it.
pub struct Determinacy<F> {
    /// Rows of the circuit.
    pub rows: usize,
    /// Derived columns and hints.
    pub derived: usize,
    /// Rank of the Jacobian on them.
    pub rank: usize,
    /// Columns left after peeling that stand in some row.
    pub core: usize,
    /// Derived columns that some kernel vector moves. Must be empty.
    pub undetermined: Vec<usize>,
    /// Free hints that move, alone or with other hints only: allowed, but listed.
    pub free: Vec<usize>,
    /// Hints that move together with a derived column. Must be empty.
    pub leaking: Vec<usize>,
    /// A row for each local assertion: it follows from the others at this point, `rows − rank` in
    /// number.
    pub assertions: Vec<usize>,
    /// Rows and columns in the order of peeling: the row determines the column from columns before
    /// it.
    pub(crate) peeled: Vec<(u32, u32)>,
    pub(crate) cores: Vec<Core<F>>,
}

/// The non-zero pattern of the Jacobian on derived columns, by column, with the open columns of
/// each row.
struct Pattern {
    starts: Vec<usize>,
    rows: Vec<u32>,
    /// Open columns of a row.
    counts: Vec<u32>,
    /// Exclusive or of them: the column itself once one is left.
    mixed: Vec<u32>,
}

fn is_open(kind: Kind) -> bool {
    matches!(kind, Kind::Derived | Kind::Hint)
}

impl Pattern {
    fn new<F: PrimeField>(tangent: &Tangent<'_, F>, kinds: &[Kind]) -> Self {
        const ROWS_AT_ONCE: usize = 4096;
        let constraints = tangent.r1cs.constraints();
        let blocks: Vec<(Vec<u32>, Vec<u32>)> = (0..constraints.div_ceil(ROWS_AT_ONCE))
            .into_par_iter()
            .map(|block| {
                let (mut entries, mut counts, mut columns) = (Vec::new(), Vec::new(), Vec::new());
                let first = block * ROWS_AT_ONCE;
                for row in first..constraints.min(first + ROWS_AT_ONCE) {
                    tangent.row(row, &mut entries);
                    let before = columns.len();
                    let open = entries
                        .iter()
                        .filter(|e| is_open(kinds[e.column as usize]) && !e.linear.is_zero());
                    columns.extend(open.map(|e| e.column));
                    counts.push((columns.len() - before) as u32);
                }
                (counts, columns)
            })
            .collect();
        let mut starts = vec![0usize; kinds.len() + 1];
        for &column in blocks.iter().flat_map(|(_, columns)| columns) {
            starts[column as usize + 1] += 1;
        }
        for column in 0..kinds.len() {
            starts[column + 1] += starts[column];
        }
        let mut rows = vec![0u32; starts[kinds.len()]];
        let mut next = starts.clone();
        let (mut counts, mut mixed) =
            (Vec::with_capacity(constraints), Vec::with_capacity(constraints));
        for (block_counts, columns) in blocks {
            let mut columns = columns.into_iter();
            for count in block_counts {
                let row = counts.len() as u32;
                let mut mix = 0;
                for column in columns.by_ref().take(count as usize) {
                    rows[next[column as usize]] = row;
                    next[column as usize] += 1;
                    mix ^= column;
                }
                counts.push(count);
                mixed.push(mix);
            }
        }
        Self { starts, rows, counts, mixed }
    }

    fn column(&self, column: usize) -> &[u32] {
        &self.rows[self.starts[column]..self.starts[column + 1]]
    }

    /// Takes rows with one open column, smallest row first, until there is none; returns (row,
    /// column) in order.
    fn peel(&mut self) -> Vec<(u32, u32)> {
        let ready = (0..self.counts.len()).filter(|&row| self.counts[row] == 1);
        let mut queue: BinaryHeap<Reverse<u32>> = ready.map(|row| Reverse(row as u32)).collect();
        let mut order = Vec::new();
        while let Some(Reverse(row)) = queue.pop() {
            if self.counts[row as usize] != 1 {
                continue;
            }
            let column = self.mixed[row as usize];
            order.push((row, column));
            for k in self.starts[column as usize]..self.starts[column as usize + 1] {
                let other = self.rows[k];
                self.counts[other as usize] -= 1;
                self.mixed[other as usize] ^= column;
                if self.counts[other as usize] == 1 {
                    queue.push(Reverse(other));
                }
            }
        }
        order
    }
}

/// Kernel vectors as the columns they move.
type Kernel = Vec<Vec<usize>>;

impl<F: PrimeField> Determinacy<F> {
    /// Decides determinacy at `tangent`.
    ///
    /// Memory: two `u32` a nonzero, four words a row and a column. Fails if a connected core has
    /// more than [`CORE_CAP`] columns.
    pub fn new(tangent: &Tangent<'_, F>, split: &Split<'_>) -> Result<Self, AuditError> {
        let kinds = split.kinds(tangent.r1cs)?;
        let mut pattern = Pattern::new(tangent, &kinds);
        let peeled = pattern.peel();
        let mut closed: Vec<bool> = kinds.iter().map(|&kind| !is_open(kind)).collect();
        let derived = closed.iter().filter(|&&closed| !closed).count();
        let mut is_pivot = vec![false; pattern.counts.len()];
        for &(row, column) in &peeled {
            closed[column as usize] = true;
            is_pivot[row as usize] = true;
        }
        let rows = 0..pattern.counts.len();
        let mut assertions: Vec<usize> =
            rows.filter(|&row| pattern.counts[row] == 0 && !is_pivot[row]).collect();
        let (cores, kernel, core) = solve_cores(tangent, &pattern, &closed)?;
        let mut rank = peeled.len();
        for part in &cores {
            rank += part.elimination.rank();
            let dependent = part.elimination.dependent.iter();
            assertions.extend(dependent.map(|&local| part.rows[local] as usize));
        }
        assertions.sort_unstable();
        let (undetermined, free, leaking) = judge(&kinds, &kernel);
        let rows = tangent.r1cs.constraints();
        Ok(Self {
            rows,
            derived,
            rank,
            core,
            undetermined,
            free,
            leaking,
            assertions,
            peeled,
            cores,
        })
    }

    /// Whether every derived variable is determined and every free hint stays among hints.
    pub fn holds(&self) -> bool {
        self.undetermined.is_empty() && self.leaking.is_empty()
    }
}

/// Undetermined derived columns, hints that move among themselves, hints that move a derived
/// column.
fn judge(kinds: &[Kind], kernel: &Kernel) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let (mut undetermined, mut free, mut leaking) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for vector in kernel {
        let only_hints = vector.iter().all(|&column| kinds[column] == Kind::Hint);
        for &column in vector {
            match (kinds[column], only_hints) {
                (Kind::Hint, true) => free.insert(column),
                (Kind::Hint, false) => leaking.insert(column),
                _ => undetermined.insert(column),
            };
        }
    }
    free.retain(|column| !leaking.contains(column));
    let list = |set: BTreeSet<usize>| set.into_iter().collect();
    (list(undetermined), list(free), list(leaking))
}

fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let parent = parents[node as usize];
        parents[node as usize] = parents[parent as usize];
        node = parent;
    }
    node
}

/// Splits the core into connected components and eliminates each; returns them, the kernel and the
/// core's columns.
fn solve_cores<F: PrimeField>(
    tangent: &Tangent<'_, F>,
    pattern: &Pattern,
    closed: &[bool],
) -> Result<(Vec<Core<F>>, Kernel, usize), AuditError> {
    let open: Vec<usize> = (0..closed.len()).filter(|&column| !closed[column]).collect();
    let mut kernel: Kernel = Vec::new();
    let mut members = Vec::new();
    for &column in &open {
        if pattern.column(column).is_empty() {
            kernel.push(vec![column]);
        } else {
            members.push(column);
        }
    }
    let mut parents: Vec<u32> = (0..members.len() as u32).collect();
    let mut first_of_row = BTreeMap::<u32, u32>::new();
    for (local, &column) in members.iter().enumerate() {
        for &row in pattern.column(column) {
            let first = *first_of_row.entry(row).or_insert(local as u32);
            let (a, b) = (root(&mut parents, first), root(&mut parents, local as u32));
            parents[a.max(b) as usize] = a.min(b);
        }
    }
    let mut components = BTreeMap::<u32, (Vec<usize>, Vec<u32>)>::new();
    for (local, &column) in members.iter().enumerate() {
        let component = components.entry(root(&mut parents, local as u32)).or_default();
        component.0.push(column);
    }
    for (&row, &first) in &first_of_row {
        components.entry(root(&mut parents, first)).or_default().1.push(row);
    }
    let solved: Vec<_> = components
        .into_values()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(columns, rows)| eliminate(tangent, columns, rows))
        .collect::<Result<_, _>>()?;
    let mut cores = Vec::new();
    for (core, vectors) in solved {
        cores.push(core);
        kernel.extend(vectors);
    }
    Ok((cores, kernel, members.len()))
}

fn eliminate<F: PrimeField>(
    tangent: &Tangent<'_, F>,
    columns: Vec<usize>,
    rows: Vec<u32>,
) -> Result<(Core<F>, Kernel), AuditError> {
    if columns.len() > CORE_CAP {
        let names = frequent_names(tangent.r1cs, &columns);
        return Err(AuditError::Core { columns: columns.len(), cap: CORE_CAP, names });
    }
    let mut entries = Vec::new();
    let mut matrix = Vec::with_capacity(rows.len());
    for &row in &rows {
        tangent.row(row as usize, &mut entries);
        let local = |e: &crate::tangent::Entry<F>| {
            let column = columns.binary_search(&(e.column as usize)).ok()?;
            (!e.linear.is_zero()).then_some((column, e.linear))
        };
        matrix.push(entries.iter().filter_map(local).collect());
    }
    let elimination = Elimination::new(columns.len(), &matrix)?;
    let kernel = elimination.kernel()?;
    let named = kernel.iter().map(|vector| vector.iter().map(|&k| columns[k]).collect()).collect();
    Ok((Core { rows, elimination }, named))
}

/// The name of a column: `one`, `public input` or the witness's own.
pub fn column_name<F: PrimeField>(r1cs: &R1cs<F>, column: usize) -> &'static str {
    match column.checked_sub(r1cs.instances) {
        Some(witness) => r1cs.name(witness).0,
        None if column == 0 => "one",
        None => "public input",
    }
}

fn frequent_names<F: PrimeField>(r1cs: &R1cs<F>, columns: &[usize]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for &column in columns {
        *counts.entry(column_name(r1cs, column)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (Reverse(count), name));
    let shown = counts.iter().take(8).map(|(name, count)| format!("{name} ×{count}"));
    shown.collect::<Vec<_>>().join(", ")
}
