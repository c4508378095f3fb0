//! When to try again, and how long to wait: exponential steps with full
//! jitter, a server's own wish honoured, one deadline over all.
//!
//! The jitter is the "full jitter" of the AWS architecture blog: the wait is
//! drawn evenly from zero to the step, so that a fleet that failed together
//! does not come back together.

use std::error::Error;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// What a failed attempt means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Trying again cannot help.
    Permanent,
    /// Trying again may help.
    Transient,
    /// Trying again may help, but not before this long.
    After(Duration),
}

/// An error that can say whether it is worth another try.
pub trait Retryable: Error {
    /// What this failure means for the next attempt.
    fn verdict(&self) -> Verdict;
}

/// The steps of a back-off.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The largest first wait.
    pub first: Duration,
    /// The largest wait at all.
    pub most: Duration,
}

impl Backoff {
    /// The wait before attempt `attempt` (the first retry is 1).
    pub fn wait(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1u32 << attempt.saturating_sub(1).min(16));
        doubled.min(self.most).mul_f64(fastrand::f64())
    }
}

/// What came of all attempts.
#[derive(Debug)]
pub struct Attempts<T, E> {
    /// The last attempt's result.
    pub result: Result<T, E>,
    /// How many attempts were made.
    pub count: u32,
}

/// Tries until something succeeds, fails for good, or the deadline comes. Each
/// attempt must bound its own time; none is started after the deadline.
pub async fn until<T, E: Retryable>(
    deadline: Instant,
    backoff: Backoff,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Attempts<T, E> {
    let mut tries = Tries::new(deadline, backoff);
    loop {
        match attempt().await {
            Err(error) if tries.again(&error).await => {}
            result => return Attempts { result, count: tries.count },
        }
    }
}

/// As `until`, each attempt within `limit`, after which it has failed with `too_late`.
/// Of an attempt that the deadline cuts short nothing is known: the failure before it
/// is the one that is told.
pub async fn until_within<T, E: Retryable>(
    deadline: Instant,
    backoff: Backoff,
    limit: Duration,
    too_late: impl Fn() -> E,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Attempts<T, E> {
    let mut tries = Tries::new(deadline, backoff);
    let mut before = None;
    loop {
        let cut_short = limit > deadline.saturating_duration_since(Instant::now());
        let end = if cut_short { deadline } else { Instant::now() + limit };
        // On the heap: what is tried is deep, and seldom.
        let result = match timeout_at(end, Box::pin(attempt())).await {
            Ok(result) => result,
            Err(_) if cut_short => Err(before.take().unwrap_or_else(&too_late)),
            Err(_) => Err(too_late()),
        };
        match result {
            Err(error) if tries.again(&error).await => before = Some(error),
            result => return Attempts { result, count: tries.count },
        }
    }
}

/// The tries of one thing, for a loop of one's own: where `until`'s closure
/// would keep a future from being `Send`.
#[derive(Debug)]
pub struct Tries {
    deadline: Instant,
    backoff: Backoff,
    /// How many attempts were made, with the one that is under way.
    pub count: u32,
}

impl Tries {
    /// Before the first attempt.
    pub fn new(deadline: Instant, backoff: Backoff) -> Self {
        Self { deadline, backoff, count: 1 }
    }

    /// Waits as long as is right after this failure; `false` where there is to
    /// be no other attempt.
    pub async fn again(&mut self, error: &impl Retryable) -> bool {
        let wait = match error.verdict() {
            Verdict::Permanent => return false,
            Verdict::Transient => self.backoff.wait(self.count),
            Verdict::After(wish) => wish.max(self.backoff.wait(self.count)),
        };
        // Never `now + wait`: no server can make a difference overflow.
        if wait >= self.deadline.saturating_duration_since(Instant::now()) {
            return false;
        }
        tokio::time::sleep(wait).await;
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct Refused(Verdict);

    impl Retryable for Refused {
        fn verdict(&self) -> Verdict {
            self.0
        }
    }

    const QUICK: Backoff =
        Backoff { first: Duration::from_millis(1), most: Duration::from_millis(1) };

    #[tokio::test]
    async fn a_wish_beyond_the_deadline_ends_the_tries() {
        for wish in [Duration::from_secs(60), Duration::from_secs(u64::MAX), Duration::MAX] {
            let deadline = Instant::now() + Duration::from_secs(30);
            let tries =
                until(deadline, QUICK, async || Err::<(), _>(Refused(Verdict::After(wish)))).await;
            assert_eq!(tries.count, 1);
        }
    }

    #[tokio::test]
    async fn what_failed_before_the_deadline_cut_an_attempt_short_is_told() {
        let wish = |milliseconds| Refused(Verdict::After(Duration::from_millis(milliseconds)));
        let attempts = async |limit: u64| {
            let deadline = Instant::now() + Duration::from_millis(200);
            let mut first = true;
            let attempt = async || {
                if std::mem::take(&mut first) {
                    return Err(wish(1));
                }
                std::future::pending::<Result<(), _>>().await
            };
            let limit = Duration::from_millis(limit);
            let tries = until_within(deadline, QUICK, limit, || wish(9999), attempt).await;
            (tries.result.err().map(|error| error.0), tries.count)
        };
        // The second attempt has all the time that it may take.
        assert_eq!(attempts(20).await, (Some(wish(9999).0), 2));
        assert_eq!(attempts(2000).await, (Some(wish(1).0), 2));
    }

    #[tokio::test]
    async fn tries_end_with_a_success_a_refusal_or_the_deadline() {
        let soon = || Instant::now() + Duration::from_secs(30);
        let mut left = 3;
        let tries = until(soon(), QUICK, async || {
            left -= 1;
            if left > 0 { Err(Refused(Verdict::Transient)) } else { Ok(()) }
        });
        assert_eq!(tries.await.count, 3);
        let refused = async || Err::<(), _>(Refused(Verdict::Permanent));
        assert_eq!(until(soon(), QUICK, refused).await.count, 1);
        let transient = async || Err::<(), _>(Refused(Verdict::Transient));
        assert_eq!(until(Instant::now(), QUICK, transient).await.count, 1);
    }
}
