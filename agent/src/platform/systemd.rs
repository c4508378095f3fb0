//! What systemd is told (sd_notify(3)). Everything here does nothing where no
//! systemd listens, as in a terminal.

use std::time::Duration;

use sd_notify::NotifyState;

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be notified");
    }
}

/// The service has started.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// A line for `systemctl status`.
pub fn status(text: &str) {
    notify(&[NotifyState::Status(text)]);
}

/// The main loop has come round.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// The service is ending.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// How often systemd wants to hear that the main loop comes round; `None`
/// where it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}
