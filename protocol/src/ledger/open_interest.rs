//! Which instruments are held, and by how many accounts. Spec:
//! `docs/spec/ledger/open_interest.md#OpenInterest`.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::account::Account;
use crate::crypto::tree::{INSTRUMENT_TREE_DEPTH, NodeUpdate, SparseTree};
use crate::market::instrument::{InstrumentSpec, SPEC_BITS};
use crate::market::risk_row::{RiskRow, RiskRows};
use crate::value::packing::Layout;
use crate::value::units::{HOLDERS_BITS, Holders, InstrumentIndex};
use crate::{Reject, Rule};

/// An instrument that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    spec: InstrumentSpec,
    holders: Holders,
}

/// The instruments held, and the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInterest {
    holdings: BTreeMap<InstrumentIndex, Holding>,
    tree: SparseTree,
}

/// What a leaf says of an index that is held.
pub const LEAF: Layout<2> = Layout([("specification", SPEC_BITS), ("holders", HOLDERS_BITS)]);

/// [`LEAF`]; zero without a holder, so that the index is free for another specification.
pub fn leaf(spec: &InstrumentSpec, holders: Holders) -> Fr {
    if holders == Holders::MIN {
        return Fr::ZERO;
    }
    LEAF.pack([spec.packed().into(), holders.get().into()])
}

impl OpenInterest {
    /// Counts who holds what in `accounts`. `specs` says what the instruments are; of one that
    /// nobody holds nothing is kept.
    ///
    /// # Errors
    /// [`Rule::IndexReuse`] for an instrument held that `specs` does not have.
    pub(crate) fn count<'a>(
        accounts: impl IntoIterator<Item = &'a Account>,
        specs: &BTreeMap<InstrumentIndex, InstrumentSpec>,
    ) -> Result<Self, Reject> {
        let mut counts: BTreeMap<InstrumentIndex, i64> = BTreeMap::new();
        for (instrument, _) in accounts.into_iter().flat_map(|account| account.positions.iter()) {
            *counts.entry(instrument).or_default() += 1;
        }
        let tree = SparseTree::new(INSTRUMENT_TREE_DEPTH);
        let mut counted = Self { holdings: BTreeMap::new(), tree };
        counted.change(&counts, |instrument| specs.get(&instrument).copied())?;
        Ok(counted)
    }

    /// Root of the tree of arity 4 over the 16-bit instrument index.
    pub fn root(&self) -> Fr {
        self.tree.root()
    }

    /// The tree over the leaves of what is held.
    pub fn tree(&self) -> &SparseTree {
        &self.tree
    }

    /// Number of accounts that hold an instrument.
    pub fn holders(&self, instrument: InstrumentIndex) -> Holders {
        self.holdings.get(&instrument).map_or(Holders::MIN, |holding| holding.holders)
    }

    /// What is held.
    pub fn specs(&self) -> BTreeMap<InstrumentIndex, InstrumentSpec> {
        self.holdings.iter().map(|(&instrument, holding)| (instrument, holding.spec)).collect()
    }

    /// The index of a row of the risk table stands for the option that its holders hold, if it has
    /// any.
    ///
    /// # Errors
    /// [`Rule::IndexReuse`].
    pub fn check_spec(&self, row: &RiskRow) -> Result<(), Reject> {
        let held = self.holdings.get(&row.instrument);
        if held.is_some_and(|holding| holding.spec != row.spec) {
            let reject = Reject::new(Rule::IndexReuse, "instrument index", row.instrument);
            return Err(reject.only("one whose holders hold the option listed"));
        }
        Ok(())
    }

    /// Follows a batch that turns accounts into others (before, after) under the `rows` of a risk
    /// table. Returns the nodes above `shown` and all that changes, the root last and always.
    ///
    /// # Errors
    /// [`Rule::IndexReuse`] for a new instrument without a row; [`Rule::Range`] for a count beyond
    /// its width.
    pub(crate) fn update<'a>(
        &mut self,
        accounts: impl IntoIterator<Item = (Option<&'a Account>, &'a Account)>,
        rows: &RiskRows,
        shown: &BTreeSet<InstrumentIndex>,
    ) -> Result<Vec<NodeUpdate>, Reject> {
        let mut changes: BTreeMap<_, _> = shown.iter().map(|&instrument| (instrument, 0)).collect();
        count_changes(&mut changes, accounts);
        self.change(&changes, |instrument| rows.get(&instrument).map(|row| row.spec))
    }

    /// The numbers of holders stay within their width when accounts turn into others (before,
    /// after).
    ///
    /// # Errors
    /// [`Rule::Range`].
    pub(crate) fn check_update<'a>(
        &self,
        accounts: impl IntoIterator<Item = (Option<&'a Account>, &'a Account)>,
    ) -> Result<(), Reject> {
        let mut changes = BTreeMap::new();
        count_changes(&mut changes, accounts);
        changes
            .iter()
            .try_for_each(|(&instrument, &change)| self.holders_after(instrument, change).map(drop))
    }

    fn holders_after(&self, instrument: InstrumentIndex, change: i64) -> Result<Holders, Reject> {
        Holders::try_from(i128::from(self.holders(instrument).get()) + i128::from(change))
    }

    /// Adds to the numbers of holders; what is held is what `spec` says, or what it was.
    fn change(
        &mut self,
        changes: &BTreeMap<InstrumentIndex, i64>,
        spec: impl Fn(InstrumentIndex) -> Option<InstrumentSpec>,
    ) -> Result<Vec<NodeUpdate>, Reject> {
        let mut holdings = self.holdings.clone();
        let mut leaves = BTreeMap::new();
        for (&instrument, &change) in changes {
            let holders = self.holders_after(instrument, change)?;
            let before = self.holdings.get(&instrument).map(|holding| holding.spec);
            let leaf = match (spec(instrument).or(before), holders) {
                (_, Holders::MIN) => {
                    holdings.remove(&instrument);
                    Fr::ZERO
                }
                (Some(spec), holders) => {
                    holdings.insert(instrument, Holding { spec, holders });
                    leaf(&spec, holders)
                }
                (None, _) => {
                    let reject = Reject::new(Rule::IndexReuse, "instrument held", instrument);
                    return Err(reject.only("one with a specification"));
                }
            };
            leaves.insert(u64::from(instrument.get()), leaf);
        }
        let nodes = self.tree.update_showing_root(&leaves)?;
        self.holdings = holdings;
        Ok(nodes)
    }
}

/// Adds to `changes` by how many the holders of each instrument grow when accounts turn into others
/// (before, after).
fn count_changes<'a>(
    changes: &mut BTreeMap<InstrumentIndex, i64>,
    accounts: impl IntoIterator<Item = (Option<&'a Account>, &'a Account)>,
) {
    for (old, new) in accounts {
        for (instrument, _) in old.into_iter().flat_map(|account| account.positions.iter()) {
            *changes.entry(instrument).or_default() -= 1;
        }
        for (instrument, _) in new.positions.iter() {
            *changes.entry(instrument).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Book;
    use crate::account::margin::MarginMethod;
    use crate::crypto::eddsa::SecretKey;
    use crate::pricing::black76::OptionKind;
    use crate::value::units::{Price, Quantity, Time, Underlying};

    /// An account that holds `quantity` of the instrument.
    fn holder(instrument: InstrumentIndex, quantity: i64) -> Account {
        let book = Book { underlying: Underlying::MIN, method: MarginMethod::Portfolio };
        let key = SecretKey::from_seed(&[7; 32]).public();
        let mut account = Account::open(key, Fr::ZERO, book);
        let quantity = Quantity::new(quantity).expect("a small quantity");
        account.positions.add(book.underlying, instrument, quantity).expect("a free slot");
        account
    }

    /// The state cannot hold 2^24 accounts in a test, so the number of holders is planted.
    #[test]
    fn accepts_holders_up_to_their_width_and_rejects_range_beyond_before_the_batch_ends() {
        let instrument = InstrumentIndex::of(Underlying::MIN, 1).expect("an instrument");
        let spec = InstrumentSpec {
            underlying: Underlying::MIN,
            expiry: Time::MAX,
            strike: Price::MIN,
            kind: OptionKind::Call,
        };
        let [none, one] = [0, 1].map(|quantity| holder(instrument, quantity));
        for (below, opening, is_accepted) in
            [(1, 1, true), (1, 2, false), (0, 0, true), (0, 1, false)]
        {
            let holders = Holders::new(Holders::MAX.get() - below).expect("24 bits");
            let holdings = [(instrument, Holding { spec, holders })].into();
            let tree = SparseTree::new(INSTRUMENT_TREE_DEPTH);
            let mut counted = OpenInterest { holdings, tree };
            let accounts = || (0..opening).map(|_| (Some(&none), &one));
            let checked = counted.check_update(accounts());
            assert_eq!(checked.is_ok(), is_accepted, "{below} below, {opening} more");
            let rows = RiskRows::new();
            let updated = counted.update(accounts(), &rows, &BTreeSet::new());
            assert_eq!(updated.map(drop), checked, "the same verdict when the batch ends");
        }
        // One account closes its position as another opens one.
        let holdings = [(instrument, Holding { spec, holders: Holders::MAX })].into();
        let counted = OpenInterest { holdings, tree: SparseTree::new(INSTRUMENT_TREE_DEPTH) };
        assert_eq!(counted.check_update([(Some(&none), &one), (Some(&one), &none)]), Ok(()));
    }
}
