//! What operators may ask: HTTP on a unix socket, and its client.
//!
//! Everything that is shown comes from one `Snapshot`; the socket, `gild
//! status` and dashboards differ only in how they show it.
//!
//! To add a route: a line in `route` of `server` and a function of `Answers`.

/// Asking the daemon.
pub mod client;
/// What the daemon found when it looked again.
pub mod fresh;
/// The socket: given by systemd, or made here.
pub mod listener;
/// A snapshot as text for people.
pub mod render;
/// The server.
pub mod server;
/// What is shown.
pub mod snapshot;
