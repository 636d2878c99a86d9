//! A key of several secrets is refused, whichever parts are foreign.

mod toy;

use ark_bn254::Fr;
use tempfile::TempDir;
use toy::{INSTANCES, made, toy};
use zkmargin_circuits::cs::R1cs;
use zkmargin_prover::key::{KeyError, ProvingKey};
use zkmargin_prover::progress::Silent;

/// Two keys of one circuit.
fn two_keys(constraints: usize) -> (ProvingKey, ProvingKey, R1cs<Fr>) {
    let (_, r1cs) = toy(constraints, 5);
    let [one, other] = [(), ()].map(|()| {
        let folder = TempDir::new().expect("temporary folder");
        made(&r1cs, folder.path())
    });
    (one, other, r1cs)
}

#[test]
fn accepts_keys_around_a_full_domain() {
    for rows in [15, 16, 17, 64, 65] {
        let (one, _, r1cs) = two_keys(rows - INSTANCES);
        one.verify_secrets(&r1cs, &Silent).unwrap_or_else(|error| panic!("{rows}: {error}"));
    }
}

/// Every point of the key in turn is that of other secrets.
#[test]
fn rejects_each_single_foreign_point() {
    let (one, other, r1cs) = two_keys(12);
    type Part = fn(&mut ProvingKey, &ProvingKey, usize) -> Option<()>;
    /// Puts the other key's point at a place of a list, if the list is that long.
    fn put<G: Copy>(own: &mut [G], other: &[G], at: usize) -> Option<()> {
        *own.get_mut(at)? = *other.get(at)?;
        Some(())
    }
    let parts: [(&str, Part); 9] = [
        ("fixed in G1", |own, other, at| {
            let places = [&mut own.verifying.alpha_g1, &mut own.beta_g1, &mut own.delta_g1];
            let points = [other.verifying.alpha_g1, other.beta_g1, other.delta_g1];
            *places.into_iter().nth(at)? = *points.get(at)?;
            Some(())
        }),
        ("fixed in G2", |own, other, at| {
            let (own, other) = (&mut own.verifying, &other.verifying);
            let places = [&mut own.beta_g2, &mut own.gamma_g2, &mut own.delta_g2];
            let points = [other.beta_g2, other.gamma_g2, other.delta_g2];
            *places.into_iter().nth(at)? = *points.get(at)?;
            Some(())
        }),
        ("inputs", |own, other, at| put(&mut own.verifying.ic, &other.verifying.ic, at)),
        ("A", |own, other, at| put(&mut own.a.points, &other.a.points, at)),
        ("B in G1", |own, other, at| put(&mut own.b.points, &other.b.points, at)),
        ("B in G2", |own, other, at| put(&mut own.b_g2, &other.b_g2, at)),
        ("L", |own, other, at| put(&mut own.l.points, &other.l.points, at)),
        ("H", |own, other, at| put(&mut own.h, &other.h, at)),
        ("evidence", |own, other, at| {
            let (own, other) = (&mut own.evidence, &other.evidence);
            match at {
                0 => own.c_g1 = other.c_g1,
                1 => own.tau_g2 = other.tau_g2,
                2 => own.vanishing_g2 = other.vanishing_g2,
                _ => return None,
            }
            Some(())
        }),
    ];
    one.verify_secrets(&r1cs, &Silent).expect("one set of secrets");
    for (name, part) in parts {
        let mut count = 0;
        loop {
            let mut mixed = one.clone();
            if part(&mut mixed, &other, count).is_none() {
                break;
            }
            let refused = mixed.verify_secrets(&r1cs, &Silent);
            let is_seen = matches!(refused, Err(KeyError::Inconsistent { .. }));
            assert!(is_seen, "{name}, point {count}: {refused:?}");
            count += 1;
        }
        assert!(count >= 3, "{name} has {count} points");
    }
}

/// Pairs that agree with each other, and the sections of a setup that was carried on with another
/// seed.
#[test]
fn rejects_foreign_parts_which_agree_with_each_other() {
    let (one, other, r1cs) = two_keys(40);
    let parts: [fn(&mut ProvingKey, &ProvingKey); 11] = [
        |own, other| {
            own.verifying.alpha_g1 = other.verifying.alpha_g1;
            own.beta_g1 = other.beta_g1;
            own.delta_g1 = other.delta_g1;
        },
        |own, other| {
            own.verifying.beta_g2 = other.verifying.beta_g2;
            own.verifying.gamma_g2 = other.verifying.gamma_g2;
            own.verifying.delta_g2 = other.verifying.delta_g2;
        },
        |own, other| own.verifying.ic = other.verifying.ic.clone(),
        |own, other| own.a = other.a.clone(),
        |own, other| own.b = other.b.clone(),
        |own, other| own.b_g2 = other.b_g2.clone(),
        |own, other| own.l = other.l.clone(),
        |own, other| own.h = other.h.clone(),
        |own, other| own.evidence.c_g1 = other.evidence.c_g1,
        |own, other| own.evidence.tau_g2 = other.evidence.tau_g2,
        |own, other| own.evidence.vanishing_g2 = other.evidence.vanishing_g2,
    ];
    // Every choice of parts but none and all.
    let choices = (1..(1u32 << parts.len()) - 1).filter(|choice| choice.count_ones() < 3);
    let cuts = (1..parts.len()).map(|cut| (1u32 << cut) - 1);
    for choice in choices.chain(cuts) {
        let mut mixed = one.clone();
        for (bit, part) in parts.iter().enumerate() {
            if choice >> bit & 1 == 1 {
                part(&mut mixed, &other);
            }
        }
        let refused = mixed.verify_secrets(&r1cs, &Silent);
        let is_seen = matches!(refused, Err(KeyError::Inconsistent { .. }));
        assert!(is_seen, "parts {choice:b}: {refused:?}");
    }
}

/// Exchanged points of one and the same key: all of one set of secrets, but not in their places.
#[test]
fn rejects_points_in_the_wrong_place() {
    let (one, _, r1cs) = two_keys(12);
    let exchanges: [fn(&mut ProvingKey); 6] = [
        |key| key.a.points.swap(0, 3),
        |key| {
            key.b.points.swap(1, 2);
            key.b_g2.swap(1, 2);
        },
        |key| key.l.points.swap(0, 1),
        |key| key.h.swap(2, 5),
        |key| key.verifying.ic.swap(1, 2),
        |key| {
            key.a.columns.pop();
            key.a.points.pop();
        },
    ];
    for (number, exchange) in exchanges.into_iter().enumerate() {
        let mut changed = one.clone();
        exchange(&mut changed);
        let refused = changed.verify_secrets(&r1cs, &Silent);
        assert!(matches!(refused, Err(KeyError::Inconsistent { .. })), "{number}: {refused:?}");
    }
    let (_, another) = toy(13, 5);
    let refused = one.verify_secrets(&another, &Silent);
    assert!(matches!(refused, Err(KeyError::Circuit { .. })), "{refused:?}");
}
