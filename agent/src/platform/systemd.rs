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

/// Stops units of this host, where systemd runs it. One that does not exist is no failure.
pub async fn stop(units: &[&str]) {
    // sd_booted(3)
    if !std::path::Path::new("/run/systemd/system").is_dir() {
        return;
    }
    let mut command = tokio::process::Command::new("systemctl");
    command.arg("stop").args(units).env_clear().env("PATH", "/usr/bin:/bin");
    match command.output().await {
        Ok(output) if !output.status.success() => {
            let text = String::from_utf8_lossy(&output.stderr);
            tracing::debug!("systemctl stop: {}", text.trim());
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "systemctl could not be run"),
    }
}
