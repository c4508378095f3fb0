//! What can go wrong with an answer, and the list of orders that say when.
//!
//! A new kind of fault is a variant of `Fault`, one arm in `server::apply`, and
//! nothing in the fakes: they all take their orders from here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One way for a request to go wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Answer this status with this body instead of the real answer.
    Status(u16, String),
    /// As `Status`, with a Retry-After header of so many seconds.
    RetryAfter(u16, u64),
    /// The fake's own answer for a throttled caller.
    Throttle,
    /// The real answer, after a pause.
    Delay(Duration),
    /// Headers and half of the body of the real answer, then a closed connection.
    CutOff,
    /// Headers and half of the body of the real answer, then nothing more.
    Stall,
    /// A success whose body is not what the protocol says.
    Garbage,
    /// A body that never ends.
    Endless,
    /// A body that says that it is 10 GB long, and is.
    Huge,
    /// The real answer, byte by byte, with a pause before each.
    Drip(Duration),
    /// A redirect to this address.
    Redirect(String),
    /// The connection closes without an answer.
    Close,
    /// No answer, ever; the connection stays open.
    Hang,
}

#[derive(Debug)]
struct Order {
    path: String,
    left: Option<usize>,
    fault: Fault,
}

/// The orders that a fake follows; clones share them, so a test can change them
/// while the fake runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Order>>>);

impl Faults {
    /// Hits the next `times` requests whose path starts with `path`.
    pub(crate) fn next(&self, path: &str, times: usize, fault: Fault) {
        self.push(path, Some(times), fault);
    }

    /// Hits every request whose path starts with `path`.
    pub(crate) fn always(&self, path: &str, fault: Fault) {
        self.push(path, None, fault);
    }

    /// Forgets every order.
    pub(crate) fn clear(&self) {
        self.orders().clear();
    }

    /// The fault for this request, used up by asking. The oldest order that fits wins,
    /// so a sequence of answers is a sequence of `next` calls.
    pub(crate) fn take(&self, path: &str) -> Option<Fault> {
        let mut orders = self.orders();
        let at = orders.iter().position(|o| path.starts_with(&o.path))?;
        let order = &mut orders[at];
        let fault = order.fault.clone();
        if let Some(left) = &mut order.left {
            *left -= 1;
            if *left == 0 {
                orders.remove(at);
            }
        }
        Some(fault)
    }

    fn push(&self, path: &str, left: Option<usize>, fault: Fault) {
        if left != Some(0) {
            let path = path.to_owned();
            self.orders().push(Order { path, left, fault });
        }
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
