//! Who a host is that is not an EC2 instance, from its own files: no name
//! service is asked, because a static binary must not load the host's.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::{Identity, Provenance};
use crate::platform::paths::Paths;

/// The identity of the host below the root.
pub fn identity(paths: &Paths) -> Identity {
    let hostname = hostname(paths);
    let machine = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| word(paths, path))
        // What an image says that has not yet had its first boot.
        .filter(|id| id != "uninitialized");
    Identity {
        provenance: Provenance::Host,
        instance_id: machine.unwrap_or_else(|| hostname.clone()),
        instance_type: None,
        region: None,
        availability_zone: None,
        account: None,
        image_id: None,
        private_ip: private_address(),
        public_ip: None,
        hostname,
        autoscaling_group: None,
        tags: Default::default(),
    }
}

/// The host's name as the kernel knows it.
pub(super) fn hostname(paths: &Paths) -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| word(paths, path))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// The kernel's name for this boot.
pub fn boot_id(paths: &Paths) -> Option<String> {
    word(paths, "/proc/sys/kernel/random/boot_id")
}

fn word(paths: &Paths, path: &str) -> Option<String> {
    let text = fs::read_to_string(paths.host(path)).ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

/// The address that packets to the outside would carry. Connecting a datagram
/// socket asks the routing table and sends nothing.
fn private_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok().map(|address: SocketAddr| address.ip())?;
    let usable = !address.is_unspecified() && !address.is_loopback();
    usable.then(|| address.to_string())
}

/// How long the host has been up.
pub fn uptime(paths: &Paths) -> Option<Duration> {
    let seconds = word(paths, "/proc/uptime")?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
