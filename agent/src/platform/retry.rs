//! When to try again, and how long to wait: exponential steps with full
//! jitter, a server's own wish honoured, one deadline over all.
//!
//! The jitter is the "full jitter" of the AWS architecture blog: the wait is
//! drawn evenly from zero to the step, so that a fleet that failed together
//! does not come back together.

use std::error::Error;
use std::time::Duration;

use tokio::time::Instant;

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
    /// Whether the deadline ended the tries rather than a permanent answer.
    pub out_of_time: bool,
}

/// Tries until something succeeds, fails for good, or the deadline comes. Each
/// attempt must bound its own time; none is started after the deadline.
pub async fn until<T, E: Retryable>(
    deadline: Instant,
    backoff: Backoff,
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
) -> Attempts<T, E> {
    let mut count = 0;
    loop {
        count += 1;
        let error = match attempt().await {
            Ok(value) => return Attempts { result: Ok(value), count, out_of_time: false },
            Err(error) => error,
        };
        let wait = match error.verdict() {
            Verdict::Permanent => {
                return Attempts { result: Err(error), count, out_of_time: false };
            }
            Verdict::Transient => backoff.wait(count),
            Verdict::After(wish) => wish.max(backoff.wait(count)),
        };
        if Instant::now() + wait >= deadline {
            return Attempts { result: Err(error), count, out_of_time: true };
        }
        tokio::time::sleep(wait).await;
    }
}
