//! What each metric of gild's own is, in one line for Prometheus' pages.
//!
//! To add a metric: one line. One that ends in `_` stands for all that begin so.

/// Names, or beginnings up to a `_`, and what they are.
const HELP: &[(&str, &str)] = &[
    ("node_boot_time_seconds", "When the host was started, in seconds since 1970."),
    ("node_context_switches_total", "Context switches."),
    ("node_cpu_guest_seconds_total", "Seconds that each processor spent in guests, by mode."),
    ("node_cpu_seconds_total", "Seconds that each processor spent in each mode."),
    ("node_disk_flush_requests_time_seconds_total", "Seconds that flushes took, added up."),
    ("node_disk_flush_requests_total", "Flushes that were completed."),
    ("node_disk_info", "Serial number of the device, and the EBS volume behind it."),
    ("node_disk_io_now", "Requests at work."),
    ("node_disk_io_time_seconds_total", "Seconds with a request at work."),
    ("node_disk_io_time_weighted_seconds_total", "Seconds that requests were at work, added up."),
    ("node_disk_read_bytes_total", "Bytes that were read."),
    ("node_disk_read_time_seconds_total", "Seconds that reads took, added up."),
    ("node_disk_reads_completed_total", "Reads that were completed."),
    ("node_disk_reads_merged_total", "Reads that were merged with others."),
    ("node_disk_write_time_seconds_total", "Seconds that writes took, added up."),
    ("node_disk_writes_completed_total", "Writes that were completed."),
    ("node_disk_writes_merged_total", "Writes that were merged with others."),
    ("node_disk_written_bytes_total", "Bytes that were written."),
    ("node_filefd_allocated", "File handles that are open."),
    ("node_filefd_maximum", "File handles that may be open."),
    ("node_filesystem_avail_bytes", "Space that is free for other users."),
    ("node_filesystem_device_error", "Whether the filesystem could not be asked."),
    ("node_filesystem_files_free", "Inodes that are free."),
    ("node_filesystem_files", "Inodes in all."),
    ("node_filesystem_free_bytes", "Space that is free for root."),
    ("node_filesystem_readonly", "Whether the filesystem is read-only."),
    ("node_filesystem_size_bytes", "Size of the filesystem."),
    ("node_forks_total", "Processes and threads that were started."),
    ("node_intr_total", "Interrupts."),
    ("node_load15", "Load average over 15 minutes."),
    ("node_load1", "Load average over 1 minute."),
    ("node_load5", "Load average over 5 minutes."),
    ("node_memory_", "A field of /proc/meminfo."),
    ("node_netstat_", "A field of /proc/net/snmp or /proc/net/netstat."),
    ("node_network_", "A counter of /proc/net/dev."),
    ("node_nf_conntrack_entries_limit", "Connections that the packet filter can follow."),
    ("node_nf_conntrack_entries", "Connections that the packet filter follows."),
    ("node_pressure_cpu_waiting_seconds_total", "Seconds in which a task waited for a processor."),
    ("node_pressure_io_stalled_seconds_total", "Seconds in which all tasks waited for disks."),
    ("node_pressure_io_waiting_seconds_total", "Seconds in which a task waited for disks."),
    ("node_pressure_memory_stalled_seconds_total", "Seconds in which all tasks waited for memory."),
    ("node_pressure_memory_waiting_seconds_total", "Seconds in which a task waited for memory."),
    ("node_processes_pids", "Processes."),
    ("node_processes_state", "Processes in each state."),
    ("node_processes_threads", "Threads of all processes."),
    ("node_procs_blocked", "Processes that wait for a disk."),
    ("node_procs_running", "Processes that run or could."),
    ("node_scrape_collector_duration_seconds", "How long the collector took, in seconds."),
    ("node_scrape_collector_success", "Whether the collector succeeded."),
    ("node_sockstat_", "A field of /proc/net/sockstat or /proc/net/sockstat6."),
    ("node_time_seconds", "The host's time, in seconds since 1970."),
    ("node_vmstat_oom_kill", "Processes that the kernel killed for want of memory."),
    ("node_vmstat_pgfault", "Page faults."),
    ("node_vmstat_pgmajfault", "Page faults that had to wait for a disk."),
    ("node_vmstat_pgpgin", "Kilobytes read from disks."),
    ("node_vmstat_pgpgout", "Kilobytes written to disks."),
    ("node_vmstat_pswpin", "Pages swapped in."),
    ("node_vmstat_pswpout", "Pages swapped out."),
    ("service_up", "Whether the service is healthy."),
    ("service_state", "State of the service's unit, as a number."),
    ("service_restarts_total", "Restarts of the service's unit."),
    ("service_probe_seconds", "How long the last probe of the service took."),
    ("service_memory_bytes", "Memory of the service's unit, with the files kept for it."),
    ("service_cpu_seconds_total", "Seconds that the service's unit spent on processors."),
    ("service_processes", "Processes of the service's unit."),
    ("service_oom_kills_total", "Processes of the unit that were killed for want of memory."),
    ("services_unhealthy", "Services that are not healthy."),
    ("up", "Whether the page could be scraped."),
    ("scrape_duration_seconds", "How long scraping the page took."),
    ("scrape_samples_scraped", "Samples that the page held."),
    ("scrape_samples_post_metric_relabeling", "Samples that were taken from the page."),
    (
        "gild_scrape_samples_refused",
        "Samples of the page whose names are those of gild's own metrics.",
    ),
    ("node_textfile_mtime_seconds", "When the file was last changed, in seconds since 1970."),
    ("node_textfile_scrape_error", "Whether a file could not be read."),
    (
        "gild_textfile_samples_refused",
        "Samples of files whose names are those of gild's own metrics.",
    ),
    ("gild_boot_duration_seconds", "How long the last boot took, from the start of gild."),
    ("gild_boot_engine_duration_seconds", "How long Ansible, or the command, ran in it."),
    ("gild_boot_phase_duration_seconds", "How long each phase of the last boot took."),
    ("gild_boot_failed", "Whether the last boot failed."),
    ("gild_boot_degraded", "Whether the last boot was degraded."),
    ("gild_boot_step_ran", "Whether the step ran in the last boot."),
    ("gild_clock_steps_total", "How often the wall clock was set."),
    ("gild_image_info", "What the host was started from, in its labels."),
    ("gild_sink_dropped_total", "Measurements that the sink gave up, by reason."),
    ("gild_sink_sent_total", "Measurements that the sink delivered."),
    ("gild_spool_bytes", "Bytes on disk that wait for the sink's receiver."),
    ("gild_spool_failures_total", "How often the sink's spool could not be used."),
    ("gild_spool_oldest_seconds", "How old the oldest tick is that waits on disk."),
    ("gild_spool_ticks", "Ticks on disk that wait for the sink's receiver."),
];

/// What a metric is.
pub fn of(name: &str) -> &'static str {
    find(name).unwrap_or("Measured by another program.")
}

/// Whether a metric of this name is gild's own, so that no other may have it.
pub fn is_own(name: &str) -> bool {
    name.starts_with("gild_") || find(name).is_some()
}

fn find(name: &str) -> Option<&'static str> {
    let fits = |key: &str| key == name || key.ends_with('_') && name.starts_with(key);
    HELP.iter().find(|(key, _)| fits(key)).map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_gilds_own_as_a_whole_or_by_its_beginning() {
        for own in ["up", "node_load1", "node_memory_MemFree_bytes", "service_up", "gild_x"] {
            assert!(is_own(own), "{own}");
        }
        for other in ["upstream", "node_load", "node_load1x", "node_memoryx", "service_up_x", ""] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn no_line_is_hidden_by_one_above_it() {
        for (place, (name, _)) in HELP.iter().enumerate() {
            let hides =
                |above: &str| above == *name || above.ends_with('_') && name.starts_with(above);
            let hiding = HELP[..place].iter().find(|(above, _)| hides(above));
            assert!(hiding.is_none(), "{name} is hidden by {hiding:?}");
        }
    }
}
