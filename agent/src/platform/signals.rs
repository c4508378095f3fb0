//! How a process is asked to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to stop: SIGTERM or SIGINT. Where signals
/// cannot be heard it never ends, and their default applies.
pub async fn asked_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
