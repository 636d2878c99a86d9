//! The methods against brute force and against each other.

#[path = "planted/circuits.rs"]
#[allow(dead_code, reason = "shared with the suite of planted bugs")]
mod circuits;
#[path = "planted/gadgets.rs"]
mod gadgets;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use zkmargin_audit::deletion::{Killer, classify, survivors};
use zkmargin_audit::exhaustion::{Domains, columns_named};
use zkmargin_audit::mutation::{Change, find};
use zkmargin_audit::tiny::{F17, F127};
use zkmargin_audit::{AuditError, Determinacy, Report, Split, Tangent, Verdict, iden3, matrices};
use zkmargin_circuits::cs::{Cs, Mode, R1cs, SparseMatrix};

fn build<F: PrimeField>(circuit: impl FnOnce(&mut Cs<F>)) -> (R1cs<F>, Vec<F>) {
    let mut cs = Cs::new(Mode::Shape);
    circuit(&mut cs);
    assert_eq!(cs.unsatisfied(), None);
    let (assignment, r1cs) = cs.finish();
    (r1cs.unwrap(), assignment.full())
}

fn sound<F: PrimeField>() -> Vec<(R1cs<F>, Vec<F>)> {
    vec![
        build(|cs| circuits::missing_booleanity(cs, false)),
        build(|cs| circuits::missing_booleanity(cs, true)),
        build(|cs| circuits::remainder_unranged(cs, false)),
        build(|cs| circuits::remainder_unranged(cs, true)),
        build(|cs| circuits::comparator_without_input_range(cs, false)),
        build(|cs| circuits::free_multiplicity(cs, false)),
        build(|cs| circuits::free_multiplicity(cs, true)),
        build(|cs| circuits::is_zero_without_flag_off(cs, true)),
        build(|cs| circuits::bits_not_canonical(cs, false)),
        build(|cs| circuits::checks_added_up(cs, false)),
        build(coupled),
    ]
}

/// Three unknowns tied in a ring, so that nothing peels, and one surplus equation.
fn coupled<F: PrimeField>(cs: &mut Cs<F>) {
    let [x, y, z] = [2u64, 3, 5].map(|value| cs.witness("unknown", F::from(value)));
    let given = [5u64, 8, 7, 10].map(|value| cs.external("given", F::from(value)));
    cs.enforce_equal("first pair", &x.plus(&y), &given[0]);
    cs.enforce_equal("second pair", &y.plus(&z), &given[1]);
    cs.enforce_equal("third pair", &z.plus(&x), &given[2]);
    cs.enforce_equal("all", &x.plus(&y).plus(&z), &given[3]);
}

fn rank<F: PrimeField>(r1cs: &R1cs<F>, assignment: &[F]) -> usize {
    // Dense Gaussian elimination of the whole Jacobian on all witnesses that are not external.
    use zkmargin_circuits::cs::Role;
    let open: Vec<usize> = (0..r1cs.witnesses)
        .filter(|&k| r1cs.name(k).1 != Role::External)
        .map(|k| r1cs.instances + k)
        .collect();
    let entry = |m: &SparseMatrix, row: usize, column: usize| {
        let entries = m.row(row).filter(|e| e.0 == column);
        entries.map(|(_, k)| r1cs.coefficients[k]).sum::<F>()
    };
    let mut rows: Vec<Vec<F>> = (0..r1cs.constraints())
        .map(|row| {
            let az = r1cs.product(&r1cs.a, row, assignment);
            let bz = r1cs.product(&r1cs.b, row, assignment);
            let value = |&column: &usize| {
                bz * entry(&r1cs.a, row, column) + az * entry(&r1cs.b, row, column)
                    - entry(&r1cs.c, row, column)
            };
            open.iter().map(value).collect()
        })
        .collect();
    let mut rank = 0;
    for column in 0..open.len() {
        let Some(at) = (rank..rows.len()).find(|&k| !rows[k][column].is_zero()) else { continue };
        rows.swap(rank, at);
        let pivot = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1) {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(&pivot).for_each(|(x, &y)| *x -= factor * y);
        }
        rank += 1;
    }
    rank
}

#[test]
fn rank_agrees_with_dense_elimination() {
    for (r1cs, assignment) in sound::<Fr>() {
        let tangent = Tangent::new(&r1cs, &assignment).unwrap();
        let found = Determinacy::new(&tangent, &Split::default()).unwrap();
        assert_eq!(found.rank, rank(&r1cs, &assignment));
        assert_eq!(found.assertions.len(), found.rows - found.rank);
        let moved = found.undetermined.len() + found.free.len() + found.leaking.len();
        assert_eq!(moved == 0, found.rank == found.derived);
    }
}

#[test]
fn survivors_agree_with_deleting_each_row() {
    for (r1cs, assignment) in sound::<Fr>() {
        let tangent = Tangent::new(&r1cs, &assignment).unwrap();
        let found = Determinacy::new(&tangent, &Split::default()).unwrap();
        let full = rank(&r1cs, &assignment);
        let survive = |&row: &usize| rank(&matrices::without(&r1cs, row), &assignment) == full;
        let expected: Vec<usize> = (0..r1cs.constraints()).filter(survive).collect();
        assert_eq!(survivors(&tangent, &found, b"test"), expected);
    }
}

#[test]
fn mutations_agree_with_trying_every_change() {
    for (r1cs, assignment) in sound::<F127>() {
        let tangent = Tangent::new(&r1cs, &assignment).unwrap();
        let found = find(&tangent);
        for column in 1..assignment.len() {
            let accepted = |&t: &u64| {
                let mut changed = assignment.clone();
                changed[column] += F127::from(t);
                r1cs.first_unsatisfied(&changed).is_none()
            };
            let changes: Vec<u64> = (1..127).filter(accepted).collect();
            match found.iter().find(|m| m.column == column).map(|m| m.change) {
                None => assert_eq!(changes, [0u64; 0]),
                Some(Change::Any) => assert_eq!(changes.len(), 126),
                Some(Change::Only(t)) => assert_eq!(changes, [t.into_bigint().0[0]]),
            }
        }
    }
}

#[test]
fn a_core_is_eliminated_and_its_surplus_row_counted() {
    let (r1cs, assignment) = build::<Fr>(coupled);
    let tangent = Tangent::new(&r1cs, &assignment).unwrap();
    let found = Determinacy::new(&tangent, &Split::default()).unwrap();
    assert!(found.holds());
    assert_eq!((found.core, found.rank, found.assertions.len()), (3, 3, 1));
}

/// `x_k + x_(k+1) = given`, closed to a ring: regular iff the number of unknowns is odd.
fn ring(count: usize) -> (R1cs<Fr>, Vec<Fr>) {
    build(|cs| {
        let unknowns: Vec<_> = (0..count).map(|_| cs.witness("unknown", Fr::ONE)).collect();
        for (k, x) in unknowns.iter().enumerate() {
            let given = cs.external("given", Fr::from(2));
            cs.enforce_equal("neighbours", &x.plus(&unknowns[(k + 1) % count]), &given);
        }
    })
}

#[test]
fn a_long_ring_is_regular_or_moves_as_a_whole() {
    for (count, nullity) in [(1001, 0), (1000, 1)] {
        let (r1cs, assignment) = ring(count);
        let tangent = Tangent::new(&r1cs, &assignment).unwrap();
        let found = Determinacy::new(&tangent, &Split::default()).unwrap();
        assert_eq!((found.core, found.rank), (count, count - nullity));
        assert_eq!(found.undetermined.len(), count * nullity);
        assert_eq!(survivors(&tangent, &found, b"ring").len(), count * nullity);
    }
}

#[test]
fn rejects_a_core_above_the_cap_and_names_its_variables() {
    let count = zkmargin_audit::jacobian::CORE_CAP + 1;
    let (r1cs, assignment) = ring(count);
    let tangent = Tangent::new(&r1cs, &assignment).unwrap();
    match Determinacy::new(&tangent, &Split::default()).err() {
        Some(AuditError::Core { columns, cap, names }) => {
            assert_eq!((columns, cap), (count, count - 1));
            assert_eq!(names, format!("unknown ×{count}"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn outputs_taken_as_given_hide_what_defines_them() {
    // The split matters: an output treated as fixed turns its definition into an assertion.
    let (r1cs, assignment) = build::<Fr>(|cs| circuits::output_not_bound(cs, false));
    let report = |split: &Split<'_>| {
        Report::new("output", &r1cs, std::slice::from_ref(&assignment), split).unwrap()
    };
    let derived = report(&Split { outputs: &[1] });
    assert_eq!((derived.assertions[0], derived.survivor_count()), (0, 0));
    let fixed = report(&Split::default());
    assert_eq!((fixed.assertions[0], fixed.survivor_count()), (1, 2));
}

#[test]
fn a_claim_is_taken_as_given_and_listed() {
    let (r1cs, assignment) = build::<Fr>(|cs| {
        let key = gadgets::external(cs, "key", 3);
        let salt = cs.argued("salt", Fr::from(7));
        cs.product("salted", &salt, &key);
    });
    let report = Report::new("claim", &r1cs, &[assignment], &Split::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Proven);
    assert_eq!((report.claims[0].name.as_str(), report.claims[0].count), ("salt", 1));
}

#[test]
fn a_free_hint_is_listed_only_on_the_branch_where_it_is_free() {
    let circuit = |x: u64| {
        build::<Fr>(|cs| {
            let x = gadgets::external(cs, "x", x);
            gadgets::is_zero(cs, &x);
        })
    };
    let ((r1cs, off), (_, on)) = (circuit(3), circuit(0));
    let report = |z: &[Vec<Fr>]| Report::new("is zero", &r1cs, z, &Split::default()).unwrap();
    assert_eq!(report(std::slice::from_ref(&off)).verdict, Verdict::Proven);
    let both = report(&[off, on]);
    assert_eq!(both.verdict, Verdict::AllowListedHint);
    assert_eq!(both.free_hints[0].name, "inverse");
}

#[test]
fn deletions_of_a_division_are_all_accounted_for() {
    let (r1cs, assignment) = build::<F127>(|cs| circuits::remainder_unranged(cs, false));
    let small = |r1cs: &R1cs<F127>, names: [&str; 2]| -> Domains<F127> {
        let columns = names.iter().flat_map(|name| columns_named(r1cs, name));
        columns.map(|column| (column, (0..8).map(F127::from).collect())).collect()
    };
    let (split, domains) = (Split::default(), small(&r1cs, ["a", "d"]));
    let killers = classify(&r1cs, &assignment, &split, &domains, 2_000_000).unwrap();
    // Determinacy is blind to all of them; each deletion lets some input have a second quotient or
    // remainder.
    assert_eq!(killers, [Killer::SecondAnswer; 13]);

    let (r1cs, assignment) = build::<F127>(|cs| circuits::path_bit_not_boolean(cs, false));
    let domains = small(&r1cs, ["node", "sibling"]);
    let killers = classify(&r1cs, &assignment, &split, &domains, 100_000).unwrap();
    assert_eq!(killers, [Killer::Assertion, Killer::Determinacy, Killer::Determinacy]);

    // A check written twice: each copy can go.
    let (r1cs, assignment) = build::<F17>(|cs| {
        let (a, b) = (gadgets::external(cs, "a", 3), gadgets::external(cs, "b", 3));
        cs.enforce_equal("once", &a, &b);
        cs.enforce_equal("twice", &b, &a);
    });
    let killers = classify(&r1cs, &assignment, &split, &Domains::new(), 100_000).unwrap();
    assert_eq!(killers, [Killer::Nothing, Killer::Nothing]);
}

#[test]
fn exported_files_read_back_equal() {
    for (r1cs, assignment) in sound::<Fr>() {
        let read: R1cs<Fr> = iden3::read_r1cs(&iden3::write_r1cs(&r1cs)).unwrap();
        assert!(matrices::equal(&r1cs, &read));
        assert_eq!(r1cs.digest(), read.digest());
        assert_eq!(iden3::read_wtns::<Fr>(&iden3::write_wtns(&assignment)).unwrap(), assignment);
    }
}

#[test]
fn rejects_every_cut_and_every_wrong_byte_of_a_header() {
    let (r1cs, assignment) = build::<Fr>(|cs| circuits::missing_booleanity(cs, false));
    let (circuit, witness) = (iden3::write_r1cs(&r1cs), iden3::write_wtns(&assignment));
    for end in 0..circuit.len() {
        assert!(iden3::read_r1cs::<Fr>(&circuit[..end]).is_err(), "cut at {end}");
    }
    for end in 0..witness.len() {
        assert!(iden3::read_wtns::<Fr>(&witness[..end]).is_err(), "cut at {end}");
    }
    for at in 0..60 {
        let mut wrong = circuit.clone();
        wrong[at] ^= 0x40;
        assert!(iden3::read_r1cs::<Fr>(&wrong).is_err(), "byte {at}");
    }
    assert!(iden3::read_r1cs::<F17>(&circuit).is_err());
}

#[test]
fn rejects_matrices_that_are_not_canonical() {
    let (good, _) = build::<Fr>(|cs| circuits::missing_booleanity(cs, false));
    matrices::check_canonical(&good).unwrap();
    let row = (0..good.constraints()).find(|&k| good.a.row(k).count() > 1).unwrap();
    let at = good.a.offsets[row];
    let broken = |change: &dyn Fn(&mut R1cs<Fr>)| {
        let mut bad = good.clone();
        change(&mut bad);
        matches!(matrices::check_canonical(&bad), Err(AuditError::NotCanonical { .. }))
    };
    assert!(broken(&|r| r.a.columns.swap(at, at + 1)));
    assert!(broken(&|r| r.a.columns[at + 1] = r.a.columns[at]));
    assert!(broken(&|r| r.a.columns[at] = 1_000));
    assert!(broken(&|r| r.a.coefficients[at] = 1_000));
    assert!(broken(&|r| r.coefficients[0] = Fr::ZERO));
    assert!(broken(&|r| r.b.offsets[1] = r.b.offsets[2] + 1));
    assert!(broken(&|r| {
        r.c.offsets.pop();
    }));
}

#[test]
fn rejects_an_assignment_that_does_not_fit() {
    let (r1cs, mut assignment) = build::<Fr>(|cs| circuits::missing_booleanity(cs, false));
    let (expected, found) = (assignment.len(), assignment.len() - 1);
    let short = Tangent::new(&r1cs, &assignment[1..]).err();
    assert_eq!(short, Some(AuditError::Length { expected, found }));
    *assignment.last_mut().unwrap() += Fr::ONE;
    assert!(matches!(Tangent::new(&r1cs, &assignment), Err(AuditError::Unsatisfied { .. })));
}

#[test]
fn a_report_survives_json() {
    let (r1cs, assignment) = build::<Fr>(|cs| circuits::free_inverse_used(cs, true));
    let report = Report::new("leak", &r1cs, &[assignment], &Split::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Fail);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
