//! From looks to up or down, with hysteresis: one failed look is no outage and
//! one good look is no recovery. Pure, so that every row of looks can be tried.

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Unit and probes are well.
    Good,
    /// Something is not well, or could not be looked at.
    Bad,
    /// The service is down beyond doubt; there is nothing to wait for.
    Down,
}

/// The verdict on one service.
#[derive(Debug, Clone)]
pub struct Verdict {
    fail_after: u32,
    recover_after: u32,
    up: Option<bool>,
    good: u32,
    bad: u32,
}

impl Verdict {
    /// No verdict yet. Counts of zero mean one.
    pub fn new(fail_after: u32, recover_after: u32) -> Self {
        Self {
            fail_after: fail_after.max(1),
            recover_after: recover_after.max(1),
            up: None,
            good: 0,
            bad: 0,
        }
    }

    /// Whether the service is up; `None` until there was enough to tell. No
    /// data never means up.
    pub fn up(&self) -> Option<bool> {
        self.up
    }

    /// Takes a look into account; true where the verdict changed.
    pub fn see(&mut self, look: Look) -> bool {
        let before = self.up;
        match look {
            Look::Good => {
                self.bad = 0;
                self.good = self.good.saturating_add(1);
                // The first verdict needs no recovery: nothing was down.
                if self.up.is_none() || self.good >= self.recover_after {
                    self.up = Some(true);
                }
            }
            Look::Bad => {
                self.good = 0;
                self.bad = self.bad.saturating_add(1);
                if self.bad >= self.fail_after {
                    self.up = Some(false);
                }
            }
            Look::Down => {
                self.good = 0;
                self.bad = self.bad.saturating_add(1);
                self.up = Some(false);
            }
        }
        self.up != before
    }

    /// How far the looks are from a change of verdict, for people: `1 of 3
    /// looks`. `None` where they agree with it.
    pub fn progress(&self) -> Option<String> {
        match self.up {
            Some(false) if self.good > 0 => {
                Some(format!("well in {} of {} looks", self.good, self.recover_after))
            }
            Some(true) | None if self.bad > 0 => {
                Some(format!("failed {} of {} looks", self.bad, self.fail_after))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(verdict: &mut Verdict, looks: &[Look]) -> Vec<Option<bool>> {
        looks
            .iter()
            .map(|look| {
                verdict.see(*look);
                verdict.up()
            })
            .collect()
    }

    #[test]
    fn a_service_goes_down_and_comes_back_after_the_set_number_of_looks() {
        use Look::{Bad, Good};
        let mut verdict = Verdict::new(3, 2);
        assert_eq!(verdict.up(), None);
        let row = [Good, Bad, Bad, Good, Bad, Bad, Bad, Good, Bad, Good, Good];
        let (up, down) = (Some(true), Some(false));
        let expected = [up, up, up, up, up, up, down, down, down, down, up];
        assert_eq!(run(&mut verdict, &row), expected);
    }

    #[test]
    fn a_service_that_never_answered_is_unknown_until_it_failed_often_enough() {
        let mut verdict = Verdict::new(2, 2);
        assert_eq!(run(&mut verdict, &[Look::Bad, Look::Bad]), [None, Some(false)]);
    }

    #[test]
    fn a_failed_unit_is_down_at_once_and_recovers_slowly() {
        let mut verdict = Verdict::new(5, 2);
        let row = [Look::Good, Look::Down, Look::Good, Look::Good];
        let expected = [Some(true), Some(false), Some(false), Some(true)];
        assert_eq!(run(&mut verdict, &row), expected);
    }

    fn look() -> impl Strategy<Value = Look> {
        prop_oneof![Just(Look::Good), Just(Look::Bad), Just(Look::Down)]
    }

    /// The length of the row of looks at the end that `fits`.
    fn tail(looks: &[Look], fits: impl Fn(&Look) -> bool) -> usize {
        looks.iter().rev().take_while(|look| fits(look)).count()
    }

    proptest! {
        #[test]
        fn the_verdict_follows_from_the_last_looks(
            looks in proptest::collection::vec(look(), 0..40),
            fail_after in 0u32..5,
            recover_after in 0u32..5,
        ) {
            let mut verdict = Verdict::new(fail_after, recover_after);
            let mut before = None;
            for seen in 1..=looks.len() {
                let changed = verdict.see(looks[seen - 1]);
                let now = verdict.up();
                prop_assert_eq!(changed, now != before);
                let row = &looks[..seen];
                let bad = tail(row, |look| *look != Look::Good);
                let good = tail(row, |look| *look == Look::Good);
                // Up is never claimed without a good look before it.
                if now == Some(true) {
                    prop_assert!(row.contains(&Look::Good));
                    prop_assert!(bad < fail_after.max(1) as usize);
                }
                if bad >= fail_after.max(1) as usize || row[seen - 1] == Look::Down {
                    prop_assert_eq!(now, Some(false));
                }
                if good >= recover_after.max(1) as usize {
                    prop_assert_eq!(now, Some(true));
                }
                // A verdict, once there, never becomes unknown again, and one
                // bad look never turns a verdict into up.
                prop_assert!(before.is_none() || now.is_some());
                if before != Some(true) && now == Some(true) {
                    prop_assert_eq!(row[seen - 1], Look::Good);
                }
                before = now;
            }
        }
    }
}
