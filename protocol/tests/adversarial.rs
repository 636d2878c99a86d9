//! Known failures of other margin, option and proof systems, from the seeds that showed them.

mod common;

mod adversarial {
    mod numbers;
    mod options;

    use std::collections::BTreeSet;

    use serde_json::Value;
    use zkmargin_protocol::value::units::Price;

    use crate::common::reference_json;

    const CASES: &str = "margin/adversarial_cases.json";
    const DAY_S: u64 = 86_400;
    const NUMBERS: &str = "protocol/tests/adversarial/numbers.rs";
    const OPTIONS: &str = "protocol/tests/adversarial/options.rs";

    /// A case: its name, where it is tested, and where our rule is another than the one the case
    /// expects.
    type Case = (&'static str, &'static [&'static str], Option<&'static str>);

    const TESTED: [Case; 10] = [
        ("proof_input_alias_scalar_field", &[NUMBERS, "verifier/tests/snarkjs.rs"], None),
        (
            "eddsa_s_not_canonical",
            // Points off the curve or the subgroup and coordinates of r or more: the vectors the
            // case names.
            &[NUMBERS, "protocol/tests/eddsa.rs", "circuits/tests/gadgets/eddsa.rs"],
            None,
        ),
        ("comparator_overflow_spend", &[NUMBERS, "circuits/tests/gadgets/integer.rs"], None),
        ("i128_cast_wrap_fee_debt", &[NUMBERS], None),
        ("cdf_overflow_d1_above_2_83", &[NUMBERS, "protocol/tests/fixed.rs"], None),
        ("two_stage_margin_rounding", &[OPTIONS], None),
        ("nan_at_zero_rate_or_vol", &[NUMBERS], None),
        (
            "index_outlier",
            &["stress/tests/outlier.rs"],
            Some(
                "the price is neither bounded nor averaged: a jump beyond the band stops sales and \
                 growth until the next table; auctions start all the same, with their fee, and an \
                 account that is not back above buffered margin then is sold from",
            ),
        ),
        ("settle_otm_zero_payout_reverts", &[OPTIONS], None),
        (
            "spread_margin_called",
            &[OPTIONS],
            Some(
                "so for portfolio accounts; a standard account is margined leg by leg by design \
                 (decision 0007) and can be called for more than the spread can lose",
            ),
        ),
    ];

    /// The inputs of a case.
    fn inputs(id: &str) -> Option<Value> {
        let json = reference_json(CASES)?;
        let case = json["cases"].as_array().unwrap().iter().find(|case| case["id"] == id);
        Some(case.unwrap_or_else(|| panic!("no case {id}"))["inputs"].clone())
    }

    fn price(usdc: u64) -> Price {
        Price::new(u32::try_from(usdc * 1_000).unwrap()).unwrap()
    }

    /// The list above is that of the file, and its places are there; the first of a case takes the
    /// case's numbers by its name.
    #[test]
    fn every_case_has_its_place() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        for (id, places, note) in TESTED {
            let read = |place| std::fs::read_to_string(format!("{root}/{place}")).unwrap();
            let texts: Vec<String> = places.iter().map(read).collect();
            assert!(texts[0].contains(&format!("\"{id}\"")), "{id}");
            if let Some(note) = note {
                println!("{id}: {note}");
            }
        }
        let Some(json) = reference_json(CASES) else { return };
        let cases = json["cases"].as_array().unwrap();
        let listed: BTreeSet<_> = cases.iter().map(|case| case["id"].as_str().unwrap()).collect();
        assert_eq!(listed, TESTED.map(|(id, ..)| id).into());
    }
}
