//! Random statements that lie near bounds, and the verdicts on them.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use zkmargin_circuits::Cs;
use zkmargin_circuits::batch::{BatchPublic, synthesize};
use zkmargin_circuits::cs::Mode;
use zkmargin_circuits::value::header::HeaderVar;
use zkmargin_fixtures::build::{account, account_index, now, portfolio_book, state};
use zkmargin_protocol::batch::Batch;
use zkmargin_protocol::batch::shape::Shape;
use zkmargin_protocol::batch::statement::Header;
use zkmargin_protocol::batch::trace::BatchTrace;
use zkmargin_protocol::ledger::state::State;
use zkmargin_protocol::market::Market;
use zkmargin_protocol::market::oracle::OracleClock;
use zkmargin_protocol::operation::Operation;
use zkmargin_protocol::value::custody::Custody;
use zkmargin_protocol::value::units::{Cash, Quantity, Time};
use zkmargin_protocol::{Reject, Rule};

/// The rule that refused, or `None`.
pub type Verdict = Option<Rule>;

pub fn native<T>(result: Result<T, Reject>) -> Verdict {
    result.err().map(|reject| reject.rule)
}

/// The rule of the first constraint that does not hold. One without a rule is a fault of the
/// circuit.
pub fn circuit(cs: &Cs) -> Verdict {
    cs.unsatisfied().map(|failure| failure.label.rule.unwrap_or_else(|| panic!("{failure}")))
}

pub fn witness() -> Cs {
    Cs::new(Mode::Witness)
}

/// Judges `count` statements drawn by seed both ways; both verdicts, and every rule named, must
/// occur.
pub fn agree(count: u64, rules: &[Rule], judge: impl Fn(&mut ChaCha8Rng) -> [Verdict; 2] + Sync) {
    let count = count * times();
    let tally = (0..count)
        .into_par_iter()
        .map(|seed| {
            let [native, circuit] = judge(&mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(native, circuit, "seed {seed}: native, circuit");
            BTreeMap::from([(native, 1)])
        })
        .reduce(BTreeMap::new, |mut sum, part| {
            for (verdict, more) in part {
                *sum.entry(verdict).or_insert(0) += more;
            }
            sum
        });
    println!("{count} statements: {tally:?}");
    for verdict in rules.iter().copied().map(Some).chain([None]) {
        assert!(tally.contains_key(&verdict), "{verdict:?} occurs among {tally:?}");
    }
    assert!(tally.keys().flatten().all(|rule| rules.contains(rule)), "{tally:?}");
}

/// Where operations are judged: state, market and shape.
pub type Place<'a> = (&'a State, &'a Market, &'a Shape);

/// The native verdict on operations, and the batch the operator makes regardless. `None` where a
/// second rule is broken too: which of them is found first is then no matter of twins. `prepare` is
/// done to each batch first.
pub fn regardless(
    (state, market, shape): Place,
    list: &[Operation],
    prepare: impl Fn(&mut Batch),
) -> Option<(Verdict, BatchTrace)> {
    let mut batch = Batch::new(state, market, *shape, now()).expect("fresh");
    prepare(&mut batch);
    let verdict = native(batch.push(list));
    if let Some(rule) = verdict {
        batch = Batch::forged(state, market, *shape, now(), rule);
        prepare(&mut batch);
        batch.push(list).ok()?;
    }
    Some((verdict, batch.seal().ok()?.1))
}

/// What the circuit says of a batch.
pub fn synthesized(trace: &BatchTrace) -> Verdict {
    let mut cs = witness();
    synthesize(&mut cs, &BatchPublic::at(trace, Fr::from(4_711u64)), trace);
    circuit(&cs)
}

/// Both verdicts on operations.
pub fn both(place: Place, list: &[Operation]) -> [Verdict; 2] {
    match regardless(place, list, |_| ()) {
        Some((verdict, trace)) => [verdict, synthesized(&trace)],
        None => [None, None],
    }
}

/// Accounts with a million USDC that hold a quantity drawn from `held_e3` of each option of the
/// market.
pub fn holders<const N: usize>(
    rng: &mut ChaCha8Rng,
    market: &Market,
    indices: [u32; N],
    held_e3: [i64; 5],
) -> State {
    let holder = |index| {
        let mut holder = account(account_index(index), portfolio_book(1));
        holder.cash = Cash::new(1_000_000_000_000).expect("64 bits");
        for &instrument in market.rows().keys() {
            let held = *held_e3.choose(rng).expect("five");
            if held != 0 {
                let held = Quantity::new(held).expect("small");
                let added = holder.positions.add(holder.book.underlying, instrument, held);
                added.expect("two slots");
            }
        }
        (account_index(index), holder)
    };
    state(indices.map(holder).into(), 4, market)
}

/// How many times the usual number of statements is judged.
pub fn times() -> u64 {
    std::env::var("ZKMARGIN_TWINS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A number at, next to or far from `bound`, within `min..=max`.
pub fn near(rng: &mut ChaCha8Rng, bound: i128, min: i128, max: i128) -> i128 {
    let number = match rng.gen_range(0..16) {
        0 => min,
        1 => max,
        2 => rng.gen_range(min..=max),
        3 => bound + 1,
        4 => bound - 1,
        5..=9 => bound,
        _ => bound + rng.gen_range(-40..=40),
    };
    number.clamp(min, max)
}

/// As [`near`], but mostly on the side of `bound` where the rule accepts: at or above it if `sign`
/// is 1.
pub fn mostly(rng: &mut ChaCha8Rng, bound: i128, sign: i128, min: i128, max: i128) -> i128 {
    if rng.gen_ratio(1, 8) {
        return near(rng, bound, min, max);
    }
    let step = *[0, 0, 1, 40, 100_000].choose(rng).expect("five");
    (bound + sign * step).clamp(min, max)
}

/// A header at `time`, whose other fields do not matter to the row under test.
pub fn header_at(cs: &mut Cs, domain: Fr, time: Time) -> HeaderVar {
    HeaderVar::new(cs, &header(domain, time))
}

pub fn header(domain: Fr, time: Time) -> Header {
    let zero = Fr::from(0u64);
    Header {
        domain,
        old_root: zero,
        new_root: zero,
        registry_root: zero,
        risk_root: zero,
        epoch: 0,
        oracle_time: time,
        time,
        number: 0,
        signer_set: zero,
        parameters: zero,
        parameters_before: zero,
        is_outside_band: false,
        before: OracleClock::default(),
        custody: Custody::new(1 << 60, 0).expect("63 bits"),
        old_interest_root: zero,
        new_interest_root: zero,
        deficit_after: 0,
    }
}
