//! Waiting for a condition with a deadline, the only way in which tests wait.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer. Panics with `what` and the last complaint when
/// the deadline passes.
#[track_caller]
pub(crate) fn until<T, F>(what: &str, deadline: Duration, mut ask: F) -> T
where
    F: FnMut() -> Result<T, String>,
{
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(complaint) if start.elapsed() >= deadline => {
                panic!("no {what} within {deadline:?}: {complaint}")
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
