//! The sparse tree against a full tree hashed anew with a second implementation of the hash.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use light_poseidon::{Poseidon, PoseidonHasher};
use proptest::prelude::*;
use zkmargin_protocol::Rule;
use zkmargin_protocol::crypto::tree::opening::{OpenedNode, nodes_above};
use zkmargin_protocol::crypto::tree::{NodeUpdate, SparseTree, node, verify_path};

const DEPTH: u8 = 3;
const LEAVES: u64 = 1 << (2 * DEPTH);

/// All levels of the full tree of depth 3 over these leaves.
fn full_tree(leaves: &BTreeMap<u64, Fr>) -> Vec<Vec<Fr>> {
    let mut hasher = Poseidon::<Fr>::new_circom(4).unwrap();
    let leaf = |index| leaves.get(&index).copied().unwrap_or(Fr::ZERO);
    let mut levels = vec![(0..LEAVES).map(leaf).collect::<Vec<Fr>>()];
    for level in 0..usize::from(DEPTH) {
        levels.push(levels[level].chunks(4).map(|four| hasher.hash(four).unwrap()).collect());
    }
    levels
}

/// Up to 20 leaves, some of them zero.
fn arb_leaves() -> impl Strategy<Value = BTreeMap<u64, Fr>> {
    proptest::collection::btree_map(0..LEAVES, (0u64..4).prop_map(Fr::from), 0..20)
}

fn tree_of(leaves: &BTreeMap<u64, Fr>) -> SparseTree {
    let mut tree = SparseTree::new(DEPTH);
    tree.set_many(leaves).unwrap();
    tree
}

/// The nodes above `leaves` as they must be traced, from the full trees before and after.
fn expected_trace(
    before: &[Vec<Fr>],
    after: &[Vec<Fr>],
    leaves: &BTreeMap<u64, Fr>,
) -> Vec<NodeUpdate> {
    let touched = |level: u8, index: u64| leaves.keys().any(|leaf| leaf >> (2 * level) == index);
    let mut trace = Vec::new();
    for level in 1..=DEPTH {
        for index in (0..LEAVES >> (2 * level)).filter(|&index| touched(level, index)) {
            let below = usize::from(level) - 1;
            let child = |i: usize| 4 * index as usize + i;
            trace.push(NodeUpdate {
                level,
                index,
                old: std::array::from_fn(|i| before[below][child(i)]),
                new: std::array::from_fn(|i| after[below][child(i)]),
                touched: std::array::from_fn(|i| touched(level - 1, child(i) as u64)),
            });
        }
    }
    trace
}

/// The nodes above `leaves` as they must be opened, from the full tree.
fn expected_opening(full: &[Vec<Fr>], leaves: &BTreeMap<u64, Fr>) -> Vec<OpenedNode> {
    let opened = |update: NodeUpdate| {
        let NodeUpdate { level, index, new, touched, .. } = update;
        OpenedNode { level, index, children: new, opened: touched }
    };
    expected_trace(full, full, leaves).into_iter().map(opened).collect()
}

#[test]
fn empty_trees_have_the_roots_of_zeros() {
    let mut root = Fr::ZERO;
    for depth in 0..=12 {
        let tree = SparseTree::new(depth);
        assert_eq!((tree.depth(), tree.root()), (depth, root));
        root = Poseidon::<Fr>::new_circom(4).unwrap().hash(&[root; 4]).unwrap();
    }
}

#[test]
fn emptied_tree_equals_the_empty_tree() {
    let mut tree = SparseTree::new(12);
    tree.set(0, Fr::ONE).unwrap();
    tree.set((1 << 24) - 1, Fr::ONE).unwrap();
    assert_ne!(tree, SparseTree::new(12));
    tree.set(0, Fr::ZERO).unwrap();
    tree.set((1 << 24) - 1, Fr::ZERO).unwrap();
    assert_eq!(tree, SparseTree::new(12));
}

#[test]
fn no_update_changes_and_traces_nothing() {
    let mut tree = tree_of(&BTreeMap::from([(5, Fr::ONE)]));
    let before = tree.clone();
    assert_eq!(tree.update_with_trace(&BTreeMap::new()), Ok(Vec::new()));
    assert_eq!(tree, before);
}

#[test]
fn rejects_range_of_index_and_stays_unchanged() {
    let mut tree = tree_of(&BTreeMap::from([(0, Fr::ONE)]));
    let before = tree.clone();
    for index in [LEAVES, LEAVES + 1, 4 * LEAVES, u64::MAX] {
        let two = BTreeMap::from([(1, Fr::ONE), (index, Fr::ONE)]);
        assert_eq!(tree.update_with_trace(&two).unwrap_err().rule, Rule::Range);
        assert_eq!(tree.set(index, Fr::ONE).unwrap_err().rule, Rule::Range);
        assert_eq!(tree.get(index).unwrap_err().rule, Rule::Range);
        assert_eq!(tree.path(index).unwrap_err().rule, Rule::Range);
        assert_eq!(tree, before);
    }
}

#[test]
fn rejects_range_of_path_index_alias() {
    let tree = tree_of(&BTreeMap::from([(0, Fr::ONE)]));
    let path = tree.path(0).unwrap();
    assert_eq!(verify_path(DEPTH, tree.root(), 0, Fr::ONE, &path), Ok(()));
    // Index 64 has the same base-4 digits as far as the path looks.
    let refused = verify_path(DEPTH, tree.root(), LEAVES, Fr::ONE, &path).unwrap_err();
    assert_eq!(refused.rule, Rule::Range);
}

#[test]
fn rejects_account_tree_node_in_place_of_leaf() {
    let tree = tree_of(&BTreeMap::from([(6, Fr::ONE), (7, Fr::from(2))]));
    let path = tree.path(6).unwrap();
    let inner = node(&[Fr::ZERO, Fr::ZERO, Fr::ONE, Fr::from(2)]);
    let refused = verify_path(DEPTH, tree.root(), 1, inner, &path[1..]).unwrap_err();
    assert_eq!(refused.rule, Rule::AccountTree);
    let mut longer = path.clone();
    longer.push([Fr::ZERO; 3]);
    let refused = verify_path(DEPTH, tree.root(), 6, Fr::ONE, &longer).unwrap_err();
    assert_eq!(refused.rule, Rule::AccountTree);
}

#[test]
fn rejects_account_tree_of_a_changed_path() {
    let tree = tree_of(&(0..LEAVES).map(|index| (index, Fr::from(index + 1))).collect());
    for index in [0, 27, LEAVES - 1] {
        let (leaf, path) = (tree.get(index).unwrap(), tree.path(index).unwrap());
        let rejects = |index, leaf, path: &[[Fr; 3]]| {
            let refused = verify_path(DEPTH, tree.root(), index, leaf, path).unwrap_err();
            assert_eq!(refused.rule, Rule::AccountTree);
        };
        rejects(index, leaf + Fr::ONE, &path);
        rejects(index ^ 1, leaf, &path);
        rejects(index ^ 48, leaf, &path);
        for position in 0..9 {
            let mut changed = path.clone();
            changed[position / 3][position % 3] += Fr::ONE;
            rejects(index, leaf, &changed);
        }
    }
}

#[test]
fn an_opening_without_leaves_is_the_root() {
    let tree = tree_of(&BTreeMap::from([(6, Fr::ONE)]));
    let nodes = tree.open(&BTreeSet::new()).unwrap();
    assert_eq!((nodes.len(), nodes_above(DEPTH, [])), (1, 1));
    let root = &nodes[0];
    assert_eq!((root.level, root.index, root.opened), (DEPTH, 0, [false; 4]));
    assert_eq!(node(&root.children), tree.root());
}

#[test]
fn rejects_range_of_opened_leaves_beyond_the_tree() {
    let tree = tree_of(&BTreeMap::from([(6, Fr::ONE)]));
    for index in [LEAVES, u64::MAX] {
        let refused = tree.open(&BTreeSet::from([6, index])).unwrap_err();
        assert_eq!(refused.rule, Rule::Range);
    }
}

#[test]
fn openings_hold_each_node_once() {
    // Two instruments of any two books share the root at least; neighbours share every node.
    assert_eq!(nodes_above(8, [4_097, 4_098]), 8);
    assert_eq!(nodes_above(8, [0, 65_535]), 15);
    // A trade of two full accounts of one underlying, at the worst slots.
    assert_eq!(nodes_above(8, (0..64).map(|slot| 4_096 + 64 * slot)), 64 * 3 + 16 + 4 + 3);
}

#[test]
fn many_leaves_at_once_equal_one_at_a_time() {
    let leaves: BTreeMap<u64, Fr> = (0..500u64).map(|i| (i * 33_333, Fr::from(i))).collect();
    let mut at_once = SparseTree::new(12);
    at_once.set_many(&leaves).unwrap();
    let mut singly = SparseTree::new(12);
    for (&index, &leaf) in leaves.iter().rev() {
        singly.set(index, leaf).unwrap();
    }
    assert_eq!(at_once, singly);
    let last = 499 * 33_333;
    let path = at_once.path(last).unwrap();
    assert_eq!(verify_path(12, at_once.root(), last, Fr::from(499), &path), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agrees_with_the_full_tree(first in arb_leaves(), second in arb_leaves()) {
        let mut tree = tree_of(&first);
        let before = full_tree(&first);
        prop_assert_eq!(tree.root(), before[3][0]);

        let mut both = first;
        both.extend(&second);
        let after = full_tree(&both);
        let trace = tree.update_with_trace(&second).unwrap();
        prop_assert_eq!(tree.root(), after[3][0]);
        prop_assert_eq!(trace, expected_trace(&before, &after, &second));

        let opened: BTreeSet<u64> = second.keys().copied().collect();
        let nodes = tree.open(&opened).unwrap();
        prop_assert_eq!(nodes.len(), nodes_above(DEPTH, opened));
        if !second.is_empty() {
            prop_assert_eq!(nodes, expected_opening(&after, &second));
        }

        let filled = both.into_iter().filter(|(_, leaf)| *leaf != Fr::ZERO);
        let filled: BTreeMap<u64, Fr> = filled.collect();
        prop_assert_eq!(tree.leaves(), &filled);
        for index in second.keys().copied().chain([0, LEAVES - 1]) {
            let leaf = tree.get(index).unwrap();
            prop_assert_eq!(leaf, after[0][index as usize]);
            let path = tree.path(index).unwrap();
            prop_assert_eq!(verify_path(DEPTH, tree.root(), index, leaf, &path), Ok(()));
        }
    }
}
