//! Parameters: when they are in force, and that they are those stated.

use zkmargin_circuits::market::parameters::ParametersVar;
use zkmargin_circuits::value::header::HeaderVar;
use zkmargin_fixtures::build::{domain, now, parameters};
use zkmargin_protocol::Rule;
use zkmargin_protocol::market::parameters::BatchParameters;
use zkmargin_protocol::value::units::Time;

use super::super::draw::{agree, circuit, header, mostly, native, near, witness};

#[test]
fn agree_on_when_parameters_are_in_force() {
    agree(2_000, &[Rule::ParameterChange], |rng| {
        let last = i128::from(Time::MAX.get());
        let now = near(rng, 1_770_000_000, 0, last);
        let effective = mostly(rng, now, -1, 0, last);
        let [now, effective] = [now, effective].map(|s| Time::try_from(s).expect("clamped"));
        let parameters = BatchParameters { effective, ..parameters() };
        let mut stated = header(domain(), now);
        stated.parameters = parameters.hash();
        let mut cs = witness();
        let header = HeaderVar::new(&mut cs, &stated);
        ParametersVar::open(&mut cs, &parameters, &header).enforce_effective(&mut cs, &header);
        [native(parameters.check_effective(now)), circuit(&cs)]
    });
}

#[test]
fn agree_on_parameters_that_are_not_those_stated() {
    let mut cs = witness();
    let header = HeaderVar::new(&mut cs, &header(domain(), now()));
    ParametersVar::open(&mut cs, &parameters(), &header);
    assert_eq!(circuit(&cs), Some(Rule::Statement));
}
