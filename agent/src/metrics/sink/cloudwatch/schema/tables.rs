//! node_exporter's names and the CloudWatch agent's, side by side.

use super::Unit;

/// The processor's modes: as node_exporter names them, and as the figure is
/// named. The last two are also part of the first two.
pub(super) const MODES: [(&str, &str); 8] = [
    ("user", "cpu_usage_user"),
    ("nice", "cpu_usage_nice"),
    ("system", "cpu_usage_system"),
    ("idle", "cpu_usage_idle"),
    ("iowait", "cpu_usage_iowait"),
    ("irq", "cpu_usage_irq"),
    ("softirq", "cpu_usage_softirq"),
    ("steal", "cpu_usage_steal"),
];
pub(super) const IDLE: usize = 3;
pub(super) const GUESTS: [&str; 2] = ["cpu_usage_guest", "cpu_usage_guest_nice"];

/// Groups of figures that are sent only where a pattern names the group: who
/// asked for `*` before gild measured these did not ask to pay for them.
pub const ON_REQUEST: [&str; 3] = ["diskio", "netstat", "processes"];

/// A counter of a device: node_exporter's name, the figure's name and unit, and
/// the dimension that names the device.
pub(super) type DeviceCounter = (&'static str, &'static str, Unit, &'static str);

const INTERFACE: &str = "interface";
pub(super) const DISK: &str = "name";

/// Interfaces' and disks' counters.
pub(super) const DEVICE_COUNTERS: [DeviceCounter; 15] = [
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
];

/// What is counted of the whole host: node_exporter's name, the state where it
/// is one of processes, and the figure's name. Those of one figure are added up.
pub(super) const COUNTS: [(&str, &str, &str); 13] = [
    ("node_netstat_Tcp_CurrEstab", "", "netstat_tcp_established"),
    ("node_sockstat_TCP_tw", "", "netstat_tcp_time_wait"),
    ("node_sockstat_UDP_inuse", "", "netstat_udp_socket"),
    ("node_sockstat_UDP6_inuse", "", "netstat_udp_socket"),
    ("node_processes_state", "R", "processes_running"),
    ("node_processes_state", "S", "processes_sleeping"),
    ("node_processes_state", "D", "processes_blocked"),
    ("node_processes_state", "T", "processes_stopped"),
    ("node_processes_state", "t", "processes_stopped"),
    ("node_processes_state", "Z", "processes_zombies"),
    ("node_processes_state", "I", "processes_idle"),
    ("node_processes_pids", "", "processes_total"),
    ("node_processes_threads", "", "processes_total_threads"),
];
