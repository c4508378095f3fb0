//! Finds the part of a request for which a receiver refuses the whole.
//!
//! CloudWatch takes all of a call or nothing. So a call that is refused for what
//! it holds is sent again in halves, and theirs, until what is at fault stands
//! alone. Each call costs money, so there is an end to that, and the sink leaves out
//! what was found.

use std::time::SystemTime;

use super::super::drops::Reason;
use super::super::sink::{Request, SetUpError, Sink};
use super::{Driver, GivenUp};

/// How often one request is cut in two. One bad datum of a thousand takes ten
/// cuts.
const MOST_CUTS: usize = 32;

impl<S, F, B> Driver<S, F>
where
    S: Sink,
    F: FnMut() -> B + Send,
    B: Future<Output = Result<S, SetUpError>> + Send,
{
    /// Sends a request, whole or in parts, and counts what came of it. Says whether that is
    /// over: at the end, what is not delivered stays on disk.
    pub(super) async fn in_parts(&mut self, request: Request<S::Payload>) -> bool {
        let mut parts = vec![request];
        let (mut cuts, mut taken, mut alone) = (0, false, Vec::new());
        while let Some(part) = parts.pop() {
            match self.attempts(&part).await {
                Ok(refused) => {
                    taken = true;
                    self.settle(part.measurements - refused, None);
                    self.settle(refused, Some(Reason::Rejected));
                }
                Err(GivenUp { reason: None, .. }) => return false,
                Err(GivenUp { reason: Some(reason), content, written }) => {
                    self.behind |= reason == Reason::Shutdown;
                    let halves = match content && cuts < MOST_CUTS {
                        true => self.sink.halves(&part.payload),
                        false => None,
                    };
                    if let Some([first, second]) = halves {
                        cuts += 1;
                        parts.extend([second, first]);
                        continue;
                    }
                    let written = written.min(part.measurements);
                    if written > 0 {
                        self.settle(written, None);
                    }
                    self.settle(part.measurements - written, Some(reason));
                    // What was refused with others because no more cuts were
                    // allowed may hold what is good.
                    if content && cuts < MOST_CUTS {
                        alone.push(part.payload);
                    }
                }
            }
        }
        // Where nothing was taken the fault lies in what all have in common.
        if taken {
            for payload in alone {
                self.sink.leave_out(payload);
            }
        }
        true
    }

    fn settle(&self, measurements: usize, given_up: Option<Reason>) {
        let state = &mut *self.account.shared.lock();
        state.pending -= measurements;
        match given_up {
            None => {
                state.sent += measurements as u64;
                state.last_success = Some(SystemTime::now());
            }
            Some(reason) => state.drops.add(reason, measurements),
        }
    }
}

#[cfg(test)]
mod tests;
