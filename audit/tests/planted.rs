//! Planted bugs: each small circuit passes in its sound form, and the method named finds the bug in
//! the planted one.

#[path = "planted/circuits.rs"]
mod circuits;
#[path = "planted/gadgets.rs"]
mod gadgets;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use zkmargin_audit::exhaustion::{Domains, Found, Search, columns_named, run};
use zkmargin_audit::tiny::F127;
use zkmargin_audit::{Report, Split, Verdict};
use zkmargin_circuits::cs::{Cs, Mode, R1cs, Unsatisfied};

/// What finds the bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// A kernel vector of the Jacobian.
    Determinacy,
    /// A variable that can change alone, or stands in no row.
    Mutation,
    /// A second answer over a tiny field, while determinacy and mutation see nothing.
    Exhaustion,
    /// No uniqueness method can see it: the ledger of assertions has fewer rows, and inputs are
    /// accepted that the sound form refuses.
    Ledger,
    /// The honest witness is refused.
    Refusal,
}

struct Case {
    name: &'static str,
    method: Method,
    large: fn(&mut Cs<Fr>, bool),
    tiny: fn(&mut Cs<F127>, bool),
    outputs: &'static [usize],
    /// External names and the number of values from zero they run through in exhaustion; others run
    /// through all.
    domains: &'static [(&'static str, u64)],
}

macro_rules! case {
    ($method:ident, $name:ident, $domains:expr) => {
        case!($method, $name, $domains, &[])
    };
    ($method:ident, $name:ident, $domains:expr, $outputs:expr) => {
        Case {
            name: stringify!($name),
            method: Method::$method,
            large: circuits::$name::<Fr>,
            tiny: circuits::$name::<F127>,
            outputs: $outputs,
            domains: $domains,
        }
    };
}

const CASES: &[Case] = &[
    case!(Determinacy, missing_booleanity, &[("x", 8)]),
    case!(Exhaustion, bits_without_recomposition, &[("x", 8)]),
    case!(Exhaustion, remainder_unranged, &[("a", 8), ("d", 8)]),
    case!(Exhaustion, remainder_not_below_divisor, &[("a", 8), ("d", 8)]),
    case!(Exhaustion, quotient_too_wide, &[("a", 8), ("d", 8)]),
    case!(Determinacy, unbound_inverse, &[("n", 8), ("d", 127)]),
    case!(Determinacy, is_zero_without_flag_off, &[]),
    case!(Mutation, is_zero_without_inverse, &[]),
    case!(Determinacy, free_inverse_used, &[]),
    case!(Ledger, comparator_without_input_range, &[("a", 16), ("b", 16)]),
    case!(Exhaustion, two_hot, &[("index", 8)]),
    case!(Exhaustion, select_with_unbound_flag, &[("x", 4), ("y", 4)]),
    case!(Determinacy, padded_row_smuggles, &[("signed amount", 4), ("old", 4)]),
    case!(Ledger, path_bit_not_boolean, &[("node", 4), ("sibling", 4)]),
    case!(Exhaustion, zero_has_both_signs, &[]),
    case!(Exhaustion, bits_not_canonical, &[]),
    case!(Exhaustion, root_of_either_sign, &[]),
    case!(Mutation, output_not_bound, &[("x", 4), ("y", 4)], &[1]),
    case!(Mutation, outputs_swapped, &[("x", 4), ("y", 4)], &[1, 2]),
    case!(Exhaustion, carry_unranged, &[("a", 8), ("b", 8)]),
    case!(Refusal, lookup_operands_swapped, &[("account", 4), ("instrument", 4), ("beta", 4)]),
    case!(Determinacy, free_multiplicity, &[("value", 8)]),
    case!(Determinacy, addition_with_free_slope, &[("x1", 4), ("y1", 4), ("x2", 4), ("y2", 4)]),
    case!(Ledger, constants_under_a_guard, &[]),
    case!(Determinacy, selector_off_loses_constraint, &[("x", 4)]),
    case!(Ledger, leaf_updated_twice, &[("first index", 8), ("second index", 8)]),
    case!(Exhaustion, packing_not_injective, &[]),
    case!(Ledger, missing_final_check, &[("key", 4), ("message", 4), ("signature", 16)]),
    case!(Determinacy, nullifier_with_free_salt, &[("key", 8), ("salt", 8)]),
    case!(Refusal, sum_in_too_few_bits, &[("a", 8), ("b", 8)]),
    case!(Ledger, checks_added_up, &[("a", 4), ("b", 4), ("c", 4), ("d", 4)]),
    case!(Determinacy, zero_over_zero, &[("n", 8)]),
    case!(Exhaustion, equal_by_squares, &[]),
    case!(Exhaustion, maximum_not_attained, &[("a", 8), ("b", 8)]),
    case!(Mutation, hint_assigned_not_constrained, &[("x", 4), ("y", 4)]),
    case!(Refusal, limb_scale_wrong, &[("high", 4), ("low", 4)]),
];

type Built<F> = (R1cs<F>, Vec<F>, Option<Unsatisfied>);

fn build<F: PrimeField>(circuit: fn(&mut Cs<F>, bool), planted: bool) -> Built<F> {
    let mut cs = Cs::new(Mode::Shape);
    circuit(&mut cs, planted);
    let unsatisfied = cs.unsatisfied();
    let (assignment, r1cs) = cs.finish();
    (r1cs.expect("shape mode records matrices"), assignment.full(), unsatisfied)
}

fn report(case: &Case, planted: bool) -> Report {
    let (r1cs, assignment, unsatisfied) = build(case.large, planted);
    assert_eq!(unsatisfied, None, "{}", case.name);
    let split = Split { outputs: case.outputs };
    Report::new(case.name, &r1cs, &[assignment], &split).unwrap()
}

fn exhaust(case: &Case, planted: bool) -> Found<F127> {
    let (r1cs, ..) = build(case.tiny, planted);
    let split = Split { outputs: case.outputs };
    let mut domains = Domains::new();
    for &(name, count) in case.domains {
        for column in columns_named(&r1cs, name) {
            domains.insert(column, (0..count).map(F127::from).collect());
        }
    }
    let search = Search { r1cs: &r1cs, split: &split, domains: &domains, budget: 5_000_000 };
    run(&search).unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

#[test]
fn accepts_every_sound_form() {
    for case in CASES {
        let report = report(case, false);
        assert_ne!(report.verdict, Verdict::Fail, "{report}");
        let found = exhaust(case, false);
        assert!(!found.answers.is_empty(), "{}", case.name);
        assert!(found.second.is_empty(), "{}: {:?}", case.name, found.second.first());
    }
}

#[test]
fn finds_every_planted_bug_by_the_method_named() {
    for case in CASES {
        if case.method == Method::Refusal {
            assert!(build(case.large, true).2.is_some(), "{}", case.name);
            continue;
        }
        let report = report(case, true);
        let moved = !(report.undetermined.is_empty() && report.leaking_hints.is_empty());
        let alone = !(report.mutable.is_empty() && report.unused.is_empty());
        match case.method {
            Method::Determinacy => assert!(moved, "{report}"),
            Method::Mutation => assert!(alone, "{report}"),
            Method::Exhaustion => {
                assert_ne!(report.verdict, Verdict::Fail, "{report}");
                assert!(!exhaust(case, true).second.is_empty(), "{}", case.name);
            }
            Method::Ledger => {
                assert_ne!(report.verdict, Verdict::Fail, "{report}");
                let sound = self::report(case, false);
                assert!(report.assertions[0] < sound.assertions[0], "{report}\n{sound}");
                let (wrong, right) = (exhaust(case, true), exhaust(case, false));
                assert!(wrong.second.is_empty(), "{}", case.name);
                assert!(wrong.answers.len() > right.answers.len(), "{}", case.name);
            }
            Method::Refusal => unreachable!("handled above"),
        }
    }
}

#[test]
fn every_method_is_needed() {
    use Method::*;
    for method in [Determinacy, Mutation, Exhaustion, Ledger, Refusal] {
        assert!(CASES.iter().any(|case| case.method == method), "{method:?}");
    }
    assert!(CASES.len() >= 36);
}
