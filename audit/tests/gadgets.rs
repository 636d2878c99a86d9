//! The gadgets over a tiny field: every input, every answer, and what each of their rows is needed
//! for.

use ark_ff::PrimeField;
use zkmargin_audit::Split;
use zkmargin_audit::deletion::{Killer, classify};
use zkmargin_audit::exhaustion::{Domains, Search, columns_named, elements, run};
use zkmargin_audit::tiny::F127;
use zkmargin_circuits::cs::{Cs, Lc, Mode};
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::comparator::{
    enforce_less_or_equal, enforce_max, enforce_nonzero, is_equal, is_less_than, is_zero,
};
use zkmargin_circuits::gadgets::division::{Widths, div_floor};
use zkmargin_circuits::gadgets::integer::{Bits, Signed, Uint};

type F = F127;
const P: i64 = 127;

/// A gadget on inputs `x`, `y`, …; what it gives back is pinned to a variable named `result`.
type Gadget = fn(&mut Cs<F>, &[Lc<F>]) -> Option<Lc<F>>;

const NAMES: [&str; 3] = ["x", "y", "z"];

fn number(value: &F) -> i64 {
    value.into_bigint().0[0] as i64
}

/// The residue of least absolute value.
fn signed(value: i64) -> i64 {
    if value > P / 2 { value - P } else { value }
}

/// Searches the gadget on all inputs of the domains. There must be no second answer, the inputs
/// accepted must be those for which `expected` is not `None`, and the result must be `expected`.
/// Then each row must be needed for something.
fn check(
    gadget: Gadget,
    sample: &[i64],
    domains: &[Vec<i64>],
    expected: impl Fn(&[i64]) -> Option<i64>,
) -> Vec<Killer> {
    let mut cs = Cs::new(Mode::Shape);
    let inputs: Vec<Lc<F>> =
        sample.iter().zip(NAMES).map(|(&x, name)| cs.external(name, F::from(x))).collect();
    if let Some(result) = gadget(&mut cs, &inputs) {
        let pinned = cs.witness("result", result.value());
        cs.enforce_equal("result", &pinned, &result);
    }
    assert_eq!(cs.unsatisfied(), None);
    let (assignment, r1cs) = cs.finish();
    let r1cs = r1cs.unwrap();
    let mut of_columns = Domains::new();
    for (name, domain) in NAMES.iter().zip(domains) {
        let column = columns_named(&r1cs, name)[0];
        of_columns.insert(column, domain.iter().map(|&x| F::from(x)).collect());
    }
    let (split, budget) = (Split::default(), 3_000_000);
    let search = Search { r1cs: &r1cs, split: &split, domains: &of_columns, budget };
    let found = run(&search).unwrap();
    assert_eq!(found.second, []);
    let column = |name| columns_named(&r1cs, name).first().copied();
    let (inputs, result) = (NAMES.map(column), column("result"));
    let mut accepted = 0;
    for answer in &found.answers {
        let values: Vec<i64> = inputs.iter().flatten().map(|&c| number(&answer[c])).collect();
        let wanted = expected(&values).unwrap_or_else(|| panic!("{values:?} is accepted"));
        if let Some(column) = result {
            assert_eq!(number(&answer[column]), wanted.rem_euclid(P), "{values:?}");
        }
        accepted += 1;
    }
    let mut all = vec![Vec::new()];
    for domain in domains {
        let longer = |head: Vec<i64>| domain.iter().map(move |&x| [&head[..], &[x]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    assert_eq!(accepted, all.iter().filter(|inputs| expected(inputs).is_some()).count());
    classify(&r1cs, &assignment.full(), &split, &of_columns, budget).unwrap()
}

fn field() -> Vec<i64> {
    elements::<F>().unwrap().iter().map(number).collect()
}

fn all_needed(killers: &[Killer]) {
    assert!(!killers.contains(&Killer::Nothing), "{killers:?}");
}

#[test]
fn a_boolean_is_zero_or_one() {
    let gadget: Gadget = |cs, x| {
        zkmargin_circuits::gadgets::boolean::enforce_boolean(cs, "bit", &x[0]);
        None
    };
    let killers = check(gadget, &[1], &[field()], |x| (x[0] < 2).then_some(0));
    assert_eq!(killers, [Killer::Assertion]);
}

#[test]
fn logic_and_selection() {
    let bits = || vec![0, 1];
    let and: Gadget = |cs, x| {
        let [a, b] = [0, 1].map(|k| Bool::new_unchecked(x[k].clone()));
        Some(a.and(cs, &b).lc().clone())
    };
    all_needed(&check(and, &[1, 1], &[bits(), bits()], |x| Some(x[0] * x[1])));
    let or: Gadget = |cs, x| {
        let [a, b] = [0, 1].map(|k| Bool::new_unchecked(x[k].clone()));
        Some(a.or(cs, &b).lc().clone())
    };
    all_needed(&check(or, &[1, 0], &[bits(), bits()], |x| Some(x[0].max(x[1]))));
    let select: Gadget = |cs, x| Some(Bool::new_unchecked(x[0].clone()).select(cs, &x[1], &x[2]));
    let domains = [bits(), field(), vec![0, 1, 63, 64, 126]];
    all_needed(&check(select, &[1, 5, 6], &domains, |x| Some(x[2 - x[0] as usize])));
}

#[test]
fn a_range_is_exact_and_has_one_form() {
    let unsigned: Gadget = |cs, x| Some(Bits::decompose(cs, "range", &x[0], 5).recompose());
    let killers = check(unsigned, &[21], &[field()], |x| (x[0] < 32).then_some(x[0]));
    all_needed(&killers);
    let constant: Gadget = |cs, x| Some(Uint::range_check(cs, "range", &x[0], 0).lc().clone());
    all_needed(&check(constant, &[0], &[field()], |x| (x[0] == 0).then_some(0)));
    let signed_range: Gadget = |cs, x| {
        let value = Signed::range_check(cs, "range", &x[0], 5);
        let sign = value.is_negative().lc().clone();
        let part = value.negative_part(cs);
        Some(sign.plus_scaled(part.lc(), F::from(2u64)))
    };
    let expected = |x: &[i64]| {
        let x = signed(x[0]);
        (-16..16).contains(&x).then_some(i64::from(x < 0) + 2 * (-x).max(0))
    };
    all_needed(&check(signed_range, &[-3], &[field()], expected));
}

#[test]
fn zero_and_equality() {
    let zero: Gadget = |cs, x| Some(is_zero(cs, &x[0]).lc().clone());
    let killers = check(zero, &[3], &[field()], |x| Some(i64::from(x[0] == 0)));
    assert_eq!(killers, [Killer::Determinacy; 3]);
    let equal: Gadget = |cs, x| Some(is_equal(cs, &x[0], &x[1]).lc().clone());
    let domains = [field(), vec![0, 1, 63, 64, 126]];
    all_needed(&check(equal, &[3, 3], &domains, |x| Some(i64::from(x[0] == x[1]))));
    let nonzero: Gadget = |cs, x| {
        enforce_nonzero(cs, "not zero", &x[0]);
        None
    };
    let killers = check(nonzero, &[3], &[field()], |x| (x[0] != 0).then_some(0));
    assert_eq!(killers, [Killer::Determinacy]);
}

#[test]
fn order_over_the_whole_precondition() {
    let (unsigned, centred): (Vec<i64>, Vec<i64>) = ((0..16).collect(), (-8..8).collect());
    for domain in [unsigned, centred] {
        let domains = [domain.clone(), domain];
        let at_most: Gadget = |cs, x| {
            enforce_less_or_equal(cs, "at most", &x[0], &x[1], 4);
            None
        };
        let expected = |x: &[i64]| (signed(x[0]) <= signed(x[1])).then_some(0);
        all_needed(&check(at_most, &[2, 5], &domains, expected));
        let less: Gadget = |cs, x| Some(is_less_than(cs, "order", &x[0], &x[1], 4).lc().clone());
        let expected = |x: &[i64]| Some(i64::from(signed(x[0]) < signed(x[1])));
        all_needed(&check(less, &[2, 5], &domains, expected));
    }
}

#[test]
fn a_maximum_is_attained_and_above_all() {
    let gadget: Gadget = |cs, x| {
        enforce_max(cs, "maximum", &x[0], &x[1..], 3);
        None
    };
    let domain: Vec<i64> = (0..8).collect();
    let domains = [domain.clone(), domain.clone(), domain];
    let expected = |x: &[i64]| (x[0] == x[1].max(x[2])).then_some(0);
    all_needed(&check(gadget, &[5, 3, 5], &domains, expected));
}

#[test]
fn a_division_has_one_quotient() {
    let gadget: Gadget = |cs, x| {
        let widths = Widths { quotient: 2, remainder: 2 };
        Some(div_floor(cs, "division", &x[0], &x[1], widths).lc().clone())
    };
    let domains = [(0..P).collect(), (0..=4).collect()];
    let expected = |x: &[i64]| {
        let quotient = signed(x[0]).checked_div_euclid(x[1])?;
        (-2..2).contains(&quotient).then_some(quotient.rem_euclid(P))
    };
    all_needed(&check(gadget, &[3, 2], &domains, expected));
}
