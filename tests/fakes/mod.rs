//! Stand-ins for everything that gild talks to, strict where the real service is
//! strict, with faults that a test orders by the path they should hit.
//!
//! `server` carries the HTTP part that all of them share and `fault` the ways in
//! which an answer can go wrong, so a new fake is one file with a `handle`
//! function and a table of what it knows. Each fake listens on a listener that
//! the test made, which may live in another network namespace, runs on a thread
//! of its own, and stops when it is dropped.

pub(crate) mod autoscaling;
pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod chat;
pub(crate) mod cloudwatch;
pub(crate) mod datum;
pub(crate) mod fault;
pub(crate) mod http;
pub(crate) mod imds;
pub(crate) mod link;
pub(crate) mod moto;
pub(crate) mod otlp;
pub(crate) mod parameters;
pub(crate) mod place;
pub(crate) mod remote_write;
pub(crate) mod server;
pub(crate) mod sigv4;
pub(crate) mod tool;
pub(crate) mod wait;
