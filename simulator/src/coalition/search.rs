//! Hill climbing with seeded random restarts over the parameters of an attack.

use std::ops::ControlFlow;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ground::Ground;
use super::{Amount, Attack, Outcome, Parameter, Point};

/// Tries without a better point after which the climb starts elsewhere.
const PATIENCE: u64 = 12;
/// A step is at most this part of a parameter's range at first, and half as far after each failure.
const FIRST_STEP: i64 = 4;

/// Tries between two lines of progress.
const PROGRESS: u64 = 100;

/// The best that a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    /// Where.
    pub point: Point,
    /// What.
    pub outcome: Outcome,
}

impl Found {
    /// How far the search is, and its best, in one line.
    pub fn shown(&self, attack: &dyn Attack) -> String {
        let Self { best, tries, barred } = self;
        let best = best.as_ref().map_or("nothing could be played".into(), |b| b.shown(attack));
        format!("tries {tries}, barred {barred}: {best}")
    }
}

impl Best {
    /// The gain, the parameters and the other figures, in one line.
    pub fn shown(&self, attack: &dyn Attack) -> String {
        let Self { point, outcome } = self;
        let mut line = format!("gain {}", Amount(outcome.gain, attack.unit()));
        for parameter in attack.parameters() {
            line += &format!(", {} {}", parameter.name, point.get(&parameter));
        }
        for (name, figure) in &outcome.figures {
            line += &format!("; {name} {figure}");
        }
        line
    }
}

/// Points tried, and the best of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The best, if any point could be played.
    pub best: Option<Best>,
    /// Points tried.
    pub tries: u64,
    /// Points at which the attack could not begin.
    pub barred: u64,
}

/// A climb that has come to a point.
struct Climb {
    point: Point,
    gain: Option<i128>,
    failures: u64,
}

/// Tries `tries` points: the recorded attack first, then what is near the best of the climb, and
/// from a random point when that has not risen for a while. `progress` is told each better one, and
/// every hundred tries how far the search is; it may end the search. The same arguments find the
/// same.
pub fn search(
    attack: &dyn Attack,
    ground: &Ground,
    [tries, seed]: [u64; 2],
    progress: &mut dyn FnMut(&Found) -> ControlFlow<()>,
) -> Found {
    let parameters = attack.parameters();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found = Found::default();
    let mut climb = Climb { point: Point::default(), gain: None, failures: 0 };
    for place in 0..tries {
        let point = match place {
            0 => Point::default(),
            _ if climb.failures >= PATIENCE => {
                climb = Climb { point: random(&parameters, &mut rng), gain: None, failures: 0 };
                climb.point.clone()
            }
            _ => near(&climb, &parameters, &mut rng),
        };
        found.tries += 1;
        if found.tries.is_multiple_of(PROGRESS) && progress(&found).is_break() {
            break;
        }
        let Ok(outcome) = attack.run(ground, &point) else {
            found.barred += 1;
            climb.failures += 1;
            continue;
        };
        let is_higher = climb.gain.is_none_or(|gain| outcome.gain > gain);
        climb.failures = if is_higher { 0 } else { climb.failures + 1 };
        if is_higher {
            climb.point = point.clone();
            climb.gain = Some(outcome.gain);
        }
        if found.best.as_ref().is_none_or(|best| outcome.gain > best.outcome.gain) {
            found.best = Some(Best { point, outcome });
            if progress(&found).is_break() {
                break;
            }
        }
    }
    found
}

fn random(parameters: &[Parameter], rng: &mut ChaCha8Rng) -> Point {
    let mut point = Point::default();
    for parameter in parameters {
        let [least, most] = parameter.range;
        point.set(parameter, rng.gen_range(least..=most));
    }
    point
}

/// A point that differs in one parameter, or in two.
fn near(climb: &Climb, parameters: &[Parameter], rng: &mut ChaCha8Rng) -> Point {
    let mut point = climb.point.clone();
    for _ in 0..rng.gen_range(1..=2) {
        let Some(parameter) = parameters.choose(rng) else { continue };
        let [least, most] = parameter.range;
        let reach = ((most - least) / FIRST_STEP) >> climb.failures.min(16);
        let step = rng.gen_range(1..=reach.max(1));
        let value = point.get(parameter);
        point.set(parameter, if rng.r#gen() { value + step } else { value - step });
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkmargin_protocol::Reject;

    const PLACE: Parameter = Parameter { name: "place", range: [-1_000, 1_000], first: -900 };

    /// A hill with its top at 700.
    struct Hill;

    impl Attack for Hill {
        fn name(&self) -> &'static str {
            "hill"
        }

        fn sentence(&self) -> &'static str {
            "Climbs."
        }

        fn parameters(&self) -> Vec<Parameter> {
            vec![PLACE]
        }

        fn run(&self, _: &Ground, point: &Point) -> Result<Outcome, Reject> {
            let gain = -i128::from((point.get(&PLACE) - 700).abs());
            Ok(Outcome { gain, figures: Vec::new() })
        }
    }

    #[test]
    fn climbs_to_the_top_and_finds_the_same_again() {
        let ground = Ground::new().unwrap();
        let mut gains = Vec::new();
        let mut note = |found: &Found| {
            gains.extend(found.best.as_ref().map(|best| best.outcome.gain));
            ControlFlow::Continue(())
        };
        let found = search(&Hill, &ground, [300, 5], &mut note);
        let best = found.best.clone().unwrap();
        assert!(best.outcome.gain >= -5, "{best:?}");
        assert!(gains.is_sorted() && gains[0] == -1_600, "{gains:?}");
        assert_eq!(search(&Hill, &ground, [300, 5], &mut |_| ControlFlow::Continue(())), found);
        assert_eq!((found.tries, found.barred), (300, 0));
    }

    #[test]
    fn ends_when_progress_says_so() {
        let ground = Ground::new().unwrap();
        let found = search(&Hill, &ground, [300, 5], &mut |_| ControlFlow::Break(()));
        assert_eq!(found.tries, 1);
    }
}
