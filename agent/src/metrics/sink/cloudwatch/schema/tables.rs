//! node_exporter's names, and those that the CloudWatch agent and telegraf share, side by side:
//! the one was made from the other.

use super::Unit;

/// The processor's modes, as node_exporter names them.
pub(super) const MODES: [&str; 8] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
pub(super) const IDLE: usize = 3;

/// Shares of processors' time: by mode, guest, guest_nice, and all but idle.
pub(super) const USAGE: [&str; 11] = [
    "cpu_usage_user",
    "cpu_usage_nice",
    "cpu_usage_system",
    "cpu_usage_idle",
    "cpu_usage_iowait",
    "cpu_usage_irq",
    "cpu_usage_softirq",
    "cpu_usage_steal",
    "cpu_usage_guest",
    "cpu_usage_guest_nice",
    "cpu_usage_active",
];

/// The figures' names of a table of tuples, which stand in one place of each.
macro_rules! column {
    ($table:ident . $place:tt) => {
        &const {
            let mut names = [""; $table.len()];
            let mut at = 0;
            while at < names.len() {
                names[at] = $table[at].$place;
                at += 1;
            }
            names
        }
    };
}
pub(super) use column;

/// A value of a device: node_exporter's name, the figure's name and unit, and the dimension that
/// names the device.
pub(super) type OfDevice = (&'static str, &'static str, Unit, &'static str);

pub(super) const INTERFACE: &str = "interface";
pub(super) const DISK: &str = "name";

/// The one that is no counter.
pub(super) const IN_PROGRESS: &str = "node_disk_io_now";

/// Interfaces' and disks' values.
pub(super) const DEVICES: [OfDevice; 16] = [
    ("node_network_receive_bytes_total", "net_bytes_recv", Unit::Bytes, INTERFACE),
    ("node_network_transmit_bytes_total", "net_bytes_sent", Unit::Bytes, INTERFACE),
    ("node_network_receive_packets_total", "net_packets_recv", Unit::Count, INTERFACE),
    ("node_network_transmit_packets_total", "net_packets_sent", Unit::Count, INTERFACE),
    ("node_network_receive_errs_total", "net_err_in", Unit::Count, INTERFACE),
    ("node_network_transmit_errs_total", "net_err_out", Unit::Count, INTERFACE),
    ("node_network_receive_drop_total", "net_drop_in", Unit::Count, INTERFACE),
    ("node_network_transmit_drop_total", "net_drop_out", Unit::Count, INTERFACE),
    ("node_disk_reads_completed_total", "diskio_reads", Unit::Count, DISK),
    ("node_disk_writes_completed_total", "diskio_writes", Unit::Count, DISK),
    ("node_disk_read_bytes_total", "diskio_read_bytes", Unit::Bytes, DISK),
    ("node_disk_written_bytes_total", "diskio_write_bytes", Unit::Bytes, DISK),
    ("node_disk_read_time_seconds_total", "diskio_read_time", Unit::Milliseconds, DISK),
    ("node_disk_write_time_seconds_total", "diskio_write_time", Unit::Milliseconds, DISK),
    ("node_disk_io_time_seconds_total", "diskio_io_time", Unit::Milliseconds, DISK),
    (IN_PROGRESS, "diskio_iops_in_progress", Unit::Count, DISK),
];

/// Counts of the whole host: node_exporter's name and the figure's. Those of one figure are added
/// up, and follow each other.
pub(super) const COUNTS: [(&str, &str); 6] = [
    ("node_netstat_Tcp_CurrEstab", "netstat_tcp_established"),
    ("node_sockstat_TCP_tw", "netstat_tcp_time_wait"),
    ("node_sockstat_UDP_inuse", "netstat_udp_socket"),
    ("node_sockstat_UDP6_inuse", "netstat_udp_socket"),
    ("node_processes_pids", "processes_total"),
    ("node_processes_threads", "processes_total_threads"),
];

/// Processes: the state and the figure. Those of one figure are added up, and follow each other.
pub(super) const STATES: [(&str, &str); 7] = [
    ("R", "processes_running"),
    ("S", "processes_sleeping"),
    ("D", "processes_blocked"),
    ("T", "processes_stopped"),
    ("t", "processes_stopped"),
    ("Z", "processes_zombies"),
    ("I", "processes_idle"),
];
