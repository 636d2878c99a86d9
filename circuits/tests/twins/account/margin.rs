//! Margin: the spread, and equity against initial margin of both methods.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use zkmargin_circuits::account::margin::{MarginVar, enforce_initial};
use zkmargin_circuits::gadgets::boolean::Bool;
use zkmargin_circuits::gadgets::integer::Uint;
use zkmargin_fixtures::build::{parameters, risk_rows};
use zkmargin_protocol::Rule;
use zkmargin_protocol::account::margin::{Margin, MarginMethod, evaluate};
use zkmargin_protocol::account::positions::Slot;
use zkmargin_protocol::market::parameters::{BatchParameters, FACTOR_BITS};
use zkmargin_protocol::market::risk_row::RiskRows;
use zkmargin_protocol::value::packing::signed_field;
use zkmargin_protocol::value::units::{Cash, Loss, Price, Quantity};

use super::super::draw::{Verdict, agree, circuit, native, near, witness};

struct Case {
    rows: RiskRows,
    slots: Vec<Slot>,
    parameters: BatchParameters,
    method: MarginMethod,
}

/// One or two positions in rows whose losses are small, or as wide as the units allow.
fn random_case(rng: &mut ChaCha8Rng) -> Case {
    let mut rows = risk_rows(2, rng.gen_range(0..8));
    let is_wide = rng.gen_ratio(1, 3);
    let [least, most] = [Loss::MIN, Loss::MAX].map(i128::from);
    if is_wide {
        for row in rows.values_mut() {
            for loss in &mut row.losses {
                *loss = Loss::try_from(near(rng, 0, least, most)).expect("clamped");
            }
            row.mark = Price::new(rng.r#gen()).expect("32 bits");
        }
    }
    let mut slots = Vec::new();
    for &instrument in rows.keys().take(rng.gen_range(0..=2)) {
        let size: i64 = *[1_000, 1 << 16, 1 << 19, 1 << 39].choose(rng).expect("four");
        let size = if is_wide { size } else { size.min(1 << 16) };
        let held = rng.gen_range(-size..size);
        slots.push((instrument, Quantity::try_from(i128::from(held)).expect("40 bits")));
    }
    let factor = *[0, 1, 999_999, 1_000_000, 1_150_000, (1 << 24) - 1].choose(rng).expect("six");
    let parameters = BatchParameters { initial_factor_ppm: factor, ..parameters() };
    let is_standard = rng.r#gen();
    let method = if is_standard { MarginMethod::Standard } else { MarginMethod::Portfolio };
    Case { rows, slots, parameters, method }
}

/// The claims of a margin summed by the definition; only what the circuit reads.
fn claims(case: &Case) -> Margin {
    let sum = |of: &dyn Fn(&Slot) -> i128| case.slots.iter().map(of).sum::<i128>();
    let short = |q: Quantity| (-i128::from(q)).max(0);
    let row = |slot: &Slot| &case.rows[&slot.0];
    let losses: Vec<i128> = (0..33)
        .map(|s| sum(&|slot| i128::from(slot.1) * i128::from(row(slot).losses[s])))
        .collect();
    let short_floor = sum(&|slot| short(slot.1) * i128::from(row(slot).short_minimum));
    let worst = *losses.iter().max().expect("33 scenarios");
    Margin {
        mark_value: sum(&|slot| i128::from(slot.1) * i128::from(row(slot).mark)),
        equity: 0,
        requirement: worst.max(short_floor),
        losses,
        short_floor,
        isolated_initial: sum(&|slot| short(slot.1) * i128::from(row(slot).isolated_initial)),
        isolated_maintenance: sum(&|slot| {
            short(slot.1) * i128::from(row(slot).isolated_maintenance)
        }),
        initial: 0,
        maintenance: 0,
        initial_excess_e12: 0,
        maintenance_excess_e12: 0,
    }
}

/// Cash at, next to or far from what initial margin needs.
fn random_cash(rng: &mut ChaCha8Rng, case: &Case) -> Cash {
    let native = |cash| {
        evaluate(cash, case.slots.iter().copied(), &case.rows, &case.parameters, case.method)
    };
    let needed = native(Cash::default()).map_or(0, |margin| margin.initial - margin.equity);
    let [min, max] = [Cash::MIN, Cash::MAX].map(i128::from);
    Cash::try_from(near(rng, needed.clamp(min, max), min, max)).expect("clamped")
}

fn judge(rng: &mut ChaCha8Rng) -> [Verdict; 2] {
    let case = random_case(rng);
    let cash = random_cash(rng, &case);
    let slots = case.slots.iter().copied();
    let judged = evaluate(cash, slots, &case.rows, &case.parameters, case.method);
    let claims = claims(&case);
    if let Ok(margin) = &judged {
        let both = [margin, &claims]
            .map(|m| (m.mark_value, &m.losses, m.short_floor, m.isolated_initial, m.requirement));
        assert_eq!(both[0], both[1]);
    }
    let mut cs = witness();
    let var = MarginVar::evaluate(&mut cs, &claims);
    let factor = Uint::constant(&cs, case.parameters.initial_factor_ppm.into(), FACTOR_BITS);
    let cash = cs.constant(signed_field(cash.into()));
    let is_standard = Bool::constant(&cs, case.method.is_standard());
    let excess = var.initial_excess(&mut cs, &cash, &is_standard, &factor);
    let is_bound = Bool::constant(&cs, true);
    enforce_initial(&mut cs, &is_bound, &excess);
    [native(judged.and_then(|margin| margin.check_initial())), circuit(&cs)]
}

#[test]
fn agree_on_margin() {
    agree(2_000, &[Rule::MarginSpread, Rule::InitialMargin], judge);
}
