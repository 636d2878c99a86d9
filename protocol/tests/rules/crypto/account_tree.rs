use super::super::world::rule_of;
use ark_bn254::Fr;
use ark_ff::Field;
use zkmargin_fixtures::build::random_case;
use zkmargin_fixtures::forge::forgeries;
use zkmargin_protocol::Rule;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::crypto::tree::{ACCOUNT_TREE_DEPTH, verify_path};
use zkmargin_protocol::ledger::state::State;

pub const RULE: Rule = Rule::AccountTree;

/// Every new leaf is put into the old state one by one; the root must be the one the batch names.
fn is_replayed(state: &State, trace: &BatchTrace) -> bool {
    let mut tree = state.tree().clone();
    let is_old = |row: &zkmargin_protocol::batch::trace::AccountRow| {
        let leaf = row.old.as_ref().map_or(Fr::from(0u64), |old| old.leaf());
        tree.get(row.index.get().into()) == Ok(leaf)
    };
    if trace.old_root != tree.root() || !trace.accounts.iter().all(is_old) {
        return false;
    }
    for row in &trace.accounts {
        tree.set(row.index.get().into(), row.new.leaf()).expect("24 bits");
    }
    trace.new_root == tree.root()
}

#[test]
fn accepts_random_batches_replayed_leaf_by_leaf() {
    for seed in 0..20 {
        let case = random_case(seed, Shape::TINY);
        assert!(is_replayed(&case.state, &case.trace), "seed {seed}");
        assert_eq!(case.next.root(), case.trace.new_root, "seed {seed}");
    }
}

#[test]
fn rejects_account_tree_of_a_forged_root() {
    let case = random_case(1, Shape::TINY);
    let mut forged = case.trace.clone();
    forged.new_root += Fr::ONE;
    assert!(!is_replayed(&case.state, &forged));
    let named = forgeries().into_iter().filter(|f| f.what == "another new root");
    assert_eq!(named.map(|f| f.rule).collect::<Vec<_>>(), [RULE]);
}

#[test]
fn rejects_account_tree_of_paths_to_another_root() {
    let case = random_case(1, Shape::TINY);
    let (depth, root) = (ACCOUNT_TREE_DEPTH, case.state.root());
    let (&index, account) = case.state.accounts().last_key_value().expect("accounts");
    let index = u64::from(index.get());
    let path = case.state.tree().path(index).expect("24 bits");
    let leaf = account.leaf();
    assert_eq!(verify_path(depth, root, index, leaf, &path), Ok(()));
    let wrong = [
        verify_path(depth, root + Fr::ONE, index, leaf, &path),
        verify_path(depth, root, index, leaf + Fr::ONE, &path),
        verify_path(depth, root, index ^ 1, leaf, &path),
        verify_path(depth, root, index, leaf, &path[1..]),
    ];
    for judged in wrong {
        assert_eq!(rule_of(judged), Some(RULE));
    }
    // A second name of the same leaf.
    let aliased = verify_path(depth, root, index + (1 << 24), leaf, &path);
    assert_eq!(rule_of(aliased), Some(Rule::Range));
}
