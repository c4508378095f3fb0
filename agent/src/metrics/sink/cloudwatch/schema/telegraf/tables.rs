//! node_exporter's names and telegraf's, side by side.

use super::super::Unit;
use super::super::tables::{DISK, OfDevice};

/// Processors' time by mode, guest, guest_nice, and all but idle.
pub(super) const TIME: [&str; 11] = [
    "cpu_time_user",
    "cpu_time_nice",
    "cpu_time_system",
    "cpu_time_idle",
    "cpu_time_iowait",
    "cpu_time_irq",
    "cpu_time_softirq",
    "cpu_time_steal",
    "cpu_time_guest",
    "cpu_time_guest_nice",
    "cpu_time_active",
];

/// Fields of the kernel's account of memory as they are. A kernel of 64 bits has no high and low
/// memory, of which telegraf says 0.
pub(super) const MEMORY: [(&str, &str); 28] = [
    ("mem_active", "Active_bytes"),
    ("mem_buffered", "Buffers_bytes"),
    ("mem_commit_limit", "CommitLimit_bytes"),
    ("mem_committed_as", "Committed_AS_bytes"),
    ("mem_dirty", "Dirty_bytes"),
    ("mem_free", "MemFree_bytes"),
    ("mem_high_free", "HighFree_bytes"),
    ("mem_high_total", "HighTotal_bytes"),
    ("mem_huge_page_size", "Hugepagesize_bytes"),
    ("mem_huge_pages_free", "HugePages_Free"),
    ("mem_huge_pages_total", "HugePages_Total"),
    ("mem_inactive", "Inactive_bytes"),
    ("mem_low_free", "LowFree_bytes"),
    ("mem_low_total", "LowTotal_bytes"),
    ("mem_mapped", "Mapped_bytes"),
    ("mem_page_tables", "PageTables_bytes"),
    ("mem_shared", "Shmem_bytes"),
    ("mem_slab", "Slab_bytes"),
    ("mem_sreclaimable", "SReclaimable_bytes"),
    ("mem_sunreclaim", "SUnreclaim_bytes"),
    ("mem_swap_cached", "SwapCached_bytes"),
    ("mem_swap_free", "SwapFree_bytes"),
    ("mem_swap_total", "SwapTotal_bytes"),
    ("mem_vmalloc_chunk", "VmallocChunk_bytes"),
    ("mem_vmalloc_total", "VmallocTotal_bytes"),
    ("mem_vmalloc_used", "VmallocUsed_bytes"),
    ("mem_write_back", "Writeback_bytes"),
    ("mem_write_back_tmp", "WritebackTmp_bytes"),
];

/// What telegraf has of disks and the CloudWatch agent has not.
pub(super) const MORE_OF_DISKS: [OfDevice; 3] = [
    ("node_disk_reads_merged_total", "diskio_merged_reads", Unit::Count, DISK),
    ("node_disk_writes_merged_total", "diskio_merged_writes", Unit::Count, DISK),
    (
        "node_disk_io_time_weighted_seconds_total",
        "diskio_weighted_io_time",
        Unit::Milliseconds,
        DISK,
    ),
];

/// Totals of the whole host as they are: node_exporter's name and the figure's.
pub(super) const TOTALS: [(&str, &str); 3] = [
    ("node_context_switches_total", "kernel_context_switches"),
    ("node_intr_total", "kernel_interrupts"),
    ("node_forks_total", "kernel_processes_forked"),
];

/// Totals of protocols, as of an interface called `all`.
pub(super) const PROTOCOLS: [(&str, &str); 14] = [
    ("node_netstat_Tcp_ActiveOpens", "net_tcp_activeopens"),
    ("node_netstat_Tcp_PassiveOpens", "net_tcp_passiveopens"),
    ("node_netstat_Tcp_CurrEstab", "net_tcp_currestab"),
    ("node_netstat_Tcp_InSegs", "net_tcp_insegs"),
    ("node_netstat_Tcp_OutSegs", "net_tcp_outsegs"),
    ("node_netstat_Tcp_RetransSegs", "net_tcp_retranssegs"),
    ("node_netstat_Tcp_InErrs", "net_tcp_inerrs"),
    ("node_netstat_Tcp_OutRsts", "net_tcp_outrsts"),
    ("node_netstat_Udp_InDatagrams", "net_udp_indatagrams"),
    ("node_netstat_Udp_OutDatagrams", "net_udp_outdatagrams"),
    ("node_netstat_Udp_NoPorts", "net_udp_noports"),
    ("node_netstat_Udp_InErrors", "net_udp_inerrors"),
    ("node_netstat_Udp_RcvbufErrors", "net_udp_rcvbuferrors"),
    ("node_netstat_Udp_SndbufErrors", "net_udp_sndbuferrors"),
];

/// Gauges of the whole host as they are.
pub(super) const GAUGES: [(&str, &str); 4] = [
    ("node_load1", "system_load1"),
    ("node_load5", "system_load5"),
    ("node_load15", "system_load15"),
    ("node_boot_time_seconds", "kernel_boot_time"),
];

/// States in which Linux shows no process to telegraf.
pub(super) const NEVER: [&str; 3] = ["processes_dead", "processes_paging", "processes_unknown"];
