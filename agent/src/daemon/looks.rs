//! When the daemon looks at the sources again: every `scope.refresh`, at a time
//! of the instance's own, and when it is asked to. One look at a time, as a task
//! beside the main loop, which it never holds up.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::platform::error::chain_text;
use crate::scope::last_good::{Copies, Memory};
use crate::scope::resolve::{Context, resolve};
use crate::scope::{Resolution, settings::ScopeSettings};

/// The least time between two looks, however often somebody asks.
const PAUSE: Duration = Duration::from_secs(1);

/// What a look may take besides the time that identity and sources have: the
/// rest of it waits for nobody.
const GRACE: Duration = Duration::from_secs(10);

/// What a look brings: what all sources say, or why nothing is known.
pub(super) type Looked = Result<Box<Resolution>, String>;

/// What happens next.
pub(super) enum Turn {
    /// It is time for a look.
    Due,
    /// A look is over.
    Over(Looked),
}

/// The looks at the sources.
pub(super) struct Looks {
    context: Context,
    period: Duration,
    deadline: Duration,
    phase: u64,
    due: Instant,
    asked: bool,
    last: Option<Instant>,
    task: Option<Task<Looked>>,
}

/// A look under way; dropped, it is given up.
pub(super) struct Task<T>(pub(super) JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Looks {
    /// No look yet, and none soon. What looks find new is remembered for as long
    /// as this lives, and written nowhere.
    pub(super) fn new(context: &Context, scope: &ScopeSettings) -> Self {
        Self {
            context: Context { copies: remembered(), ..context.clone() },
            period: scope.refresh,
            deadline: scope.deadline,
            phase: 0,
            due: Instant::now() + scope.refresh,
            asked: false,
            last: None,
            task: None,
        }
    }

    /// Takes over whose looks these are and how often they come.
    pub(super) fn plan(&mut self, instance_id: &str, scope: &ScopeSettings) {
        (self.period, self.deadline) = (scope.refresh, scope.deadline);
        self.phase = phase(instance_id);
        self.schedule();
    }

    /// Forgets what looks have found: `configure` has looked since, and its copies
    /// are the newer ones.
    pub(super) fn forget(&mut self) {
        self.context.copies = remembered();
    }

    /// Asks for a look as soon as there can be one. One that is under way may
    /// have begun too early to see what the asker means, so another follows.
    pub(super) fn ask(&mut self) {
        self.asked = true;
        self.schedule();
    }

    /// Gives up what is under way or was asked for, and waits for the next time.
    pub(super) fn skip(&mut self) {
        self.task = None;
        self.asked = false;
        self.schedule();
    }

    /// Waits for what happens next. Cancel-safe.
    pub(super) async fn turn(&mut self) -> Turn {
        let Some(task) = &mut self.task else {
            sleep_until(self.due).await;
            return Turn::Due;
        };
        let ended = (&mut task.0).await;
        self.task = None;
        self.last = Some(Instant::now());
        self.schedule();
        Turn::Over(ended.unwrap_or_else(|error| Err(error.to_string())))
    }

    /// Starts a look.
    pub(super) fn start(&mut self) {
        self.asked = false;
        let mut context = self.context.clone();
        context.imds.budget = context.imds.budget.min(self.deadline);
        let most = context.imds.budget + self.deadline + GRACE;
        self.task = Some(Task(tokio::task::spawn_local(async move {
            match timeout(most, resolve(&context)).await {
                Ok(looked) => looked.map(Box::new).map_err(|error| chain_text(&error)),
                Err(_) => {
                    let most = humantime::format_duration(most);
                    Err(format!("it was not over within {most}"))
                }
            }
        })));
    }

    fn schedule(&mut self) {
        let now = Instant::now();
        self.due = match (self.asked, self.last) {
            (true, Some(last)) => (last + PAUSE).max(now),
            (true, None) => now,
            (false, _) => {
                let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                now + until_next(clock, self.period, self.phase)
            }
        };
    }
}

/// Copies of what comes from now on.
fn remembered() -> Copies {
    Copies::Remembered(Memory::default())
}

/// Where in every period the instance's time is, as a fraction of 2⁶⁴: spread
/// evenly over a fleet, and the same for as long as the instance lives.
fn phase(instance_id: &str) -> u64 {
    let mut first = [0; 8];
    for (byte, hashed) in first.iter_mut().zip(Sha256::digest(instance_id)) {
        *byte = hashed;
    }
    u64::from_be_bytes(first)
}

/// How long it is from the time `clock` (since 1970) to the instance's next
/// time; never nothing.
fn until_next(clock: Duration, period: Duration, phase: u64) -> Duration {
    let period = period.as_nanos().max(1);
    let own = (period * u128::from(phase)) >> 64;
    let past = (clock.as_nanos() % period + period - own) % period;
    Duration::from_nanos(u64::try_from(period - past).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    fn next(id: &str, clock: Duration) -> Duration {
        until_next(clock, FIVE_MINUTES, phase(id))
    }

    #[test]
    fn a_fleet_is_spread_evenly_over_the_period() {
        let clock = Duration::from_secs(1_800_000_017);
        let mut tenths = [0; 10];
        for number in 0..1000 {
            let next = next(&format!("i-{number:017x}"), clock);
            assert!(next > Duration::ZERO && next <= FIVE_MINUTES);
            tenths[usize::try_from(next.as_secs() / 30).unwrap_or_default().min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (70..=130).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_time_of_an_instance_recurs_once_a_period() {
        let clock = Duration::from_secs(1_800_000_017);
        let first = next("i-1", clock);
        assert_eq!(next("i-1", clock + first), FIVE_MINUTES);
        assert_eq!(next("i-1", clock + first - Duration::from_nanos(1)), Duration::from_nanos(1));
        assert_eq!(next("i-1", clock + 7 * FIVE_MINUTES), first);
        // Another period has another grid, on which it is where it was in its own.
        assert!(until_next(clock, Duration::from_secs(1), phase("i-1")) <= Duration::from_secs(1));
    }

    #[test]
    fn the_longest_period_and_any_phase_can_be_counted() {
        let year = Duration::from_secs(366 * 24 * 3600);
        for phase in [0, 1, u64::MAX] {
            let next = until_next(Duration::from_secs(u64::from(u32::MAX)), year, phase);
            assert!(next > Duration::ZERO && next <= year, "{next:?}");
        }
    }
}
