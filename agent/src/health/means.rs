//! What all looks share: the HTTP client, the system bus, the host's files, and
//! how many programs may run at once.

use reqwest::Client;
use tokio::sync::Semaphore;

use super::unit::bus::SystemBus;
use crate::platform::paths::Paths;

/// Where the system bus listens.
const BUS: &str = "/run/dbus/system_bus_socket";

/// How many programs of `exec` run at the same time, in all services together. They
/// are part of the daemon's control group and share its memory.
const PROGRAMS: usize = 2;

/// What probes and units are looked at with.
#[derive(Debug)]
pub struct Means {
    /// For probes without trust of their own.
    pub(super) client: Client,
    /// To ask systemd.
    pub(super) bus: SystemBus,
    /// Where the host's files are.
    pub(super) paths: Paths,
    /// A program runs while it holds one of these.
    pub(super) turns: Semaphore,
}

impl Means {
    /// Nothing is connected before the first look.
    pub fn new(client: Client, paths: &Paths) -> Self {
        Self {
            client,
            bus: SystemBus::new(paths.host(BUS)),
            paths: paths.clone(),
            turns: Semaphore::new(PROGRAMS),
        }
    }
}
