//! Which fault comes when: a schedule that a seed makes, and makes again. Pure.
//!
//! Faults are drawn like cards, so that each comes once before any comes again. Two of them may
//! overlap, unless both act on the same thing.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

/// What a schedule has to know of a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What it acts on.
    pub(crate) acts_on: &'static str,
    /// The shortest and the longest time that it lasts, in seconds.
    pub(crate) lasts_s: (f64, f64),
    /// How long it takes by gild's own rules until all is well again, in seconds. A life that is
    /// shorter does without it.
    pub(crate) heals_s: f64,
}

/// One fault of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) begins: Duration,
    pub(crate) lasts: Duration,
    /// Its place in the list of kinds.
    pub(crate) kind: usize,
    /// What its own choices are drawn from.
    pub(crate) seed: u64,
}

/// Before the first fault, and between two that act on the same thing.
const CALM_S: f64 = 2.0;
/// From the beginning of one fault to that of the next.
const APART_S: (f64, f64) = (1.0, 7.0);
/// No fault lasts longer than this part of the whole, nor is it so long from one to the next.
const PART: f64 = 1.0 / 6.0;

/// The faults of a life of this length.
pub(crate) fn plan(seed: u64, kinds: &[Kind], life: Duration) -> Vec<Planned> {
    let life_s = life.as_secs_f64();
    let mut random = Rng::with_seed(seed);
    let fitting: Vec<usize> =
        (0..kinds.len()).filter(|kind| kinds[*kind].heals_s <= life_s).collect();
    let (mut planned, mut deck) = (Vec::new(), Vec::new());
    let mut free: BTreeMap<&str, f64> = BTreeMap::new();
    let mut at = CALM_S;
    while at < life_s && !fitting.is_empty() {
        if deck.is_empty() {
            deck.clone_from(&fitting);
            random.shuffle(&mut deck);
        }
        let Some(kind) = deck.pop() else { break };
        let Kind { acts_on, lasts_s, .. } = kinds[kind];
        let lasts = within(&mut random, lasts_s).min(life_s * PART);
        let begins = at.max(free.get(acts_on).copied().unwrap_or_default());
        let seed = random.u64(..);
        at += within(&mut random, APART_S).min(life_s * PART);
        if begins + lasts > life_s {
            continue;
        }
        free.insert(acts_on, begins + lasts + CALM_S);
        let [begins, lasts] = [begins, lasts].map(Duration::from_secs_f64);
        planned.push(Planned { begins, lasts, kind, seed });
    }
    planned.sort_by_key(|planned| planned.begins);
    planned
}

fn within(random: &mut Rng, (least, most): (f64, f64)) -> f64 {
    least + random.f64() * (most - least)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 4] = [
        Kind { name: "a", acts_on: "x", lasts_s: (1.0, 9.0), heals_s: 0.0 },
        Kind { name: "b", acts_on: "x", lasts_s: (5.0, 6.0), heals_s: 0.0 },
        Kind { name: "c", acts_on: "y", lasts_s: (0.0, 0.0), heals_s: 0.0 },
        Kind { name: "d", acts_on: "z", lasts_s: (1.0, 2.0), heals_s: 60.0 },
    ];

    #[test]
    fn a_seed_makes_the_same_schedule_again_and_another_one_another() {
        let life = Duration::from_secs(720);
        let first = plan(7, &KINDS, life);
        assert!(first.len() > 100, "{}", first.len());
        assert_eq!(first, plan(7, &KINDS, life));
        assert_ne!(first, plan(8, &KINDS, life));
    }

    #[test]
    fn each_fault_comes_and_ends_within_the_life_and_none_meets_its_like() {
        let life = Duration::from_secs(300);
        for seed in 0..100 {
            let planned = plan(seed, &KINDS, life);
            let mut ends: BTreeMap<&str, Duration> = BTreeMap::new();
            let mut counts = [0; KINDS.len()];
            for one in &planned {
                counts[one.kind] += 1;
                let kind = KINDS[one.kind];
                let end = ends.insert(kind.acts_on, one.begins + one.lasts);
                assert!(end.is_none_or(|end| end < one.begins), "{seed}: {planned:?}");
                assert!(one.begins + one.lasts <= life);
            }
            assert!(counts.iter().all(|count| *count > 3), "{seed}: {counts:?}");
        }
    }

    #[test]
    fn a_short_life_has_short_faults_that_heal_in_time() {
        let planned = plan(1, &KINDS, Duration::from_secs(18));
        assert!(!planned.is_empty());
        assert!(planned.iter().all(|one| one.lasts <= Duration::from_secs(3)));
        assert!(planned.iter().all(|one| KINDS[one.kind].name != "d"));
    }
}
