//! The targets, as tests of the workspace: see `mutated.rs`.

/// The modules of all targets, and a test for each.
macro_rules! targets {
    ($($name:ident,)*) => {
        $(
            #[allow(unused_attributes, unused_imports, unreachable_pub, reason = "a target is a program of its own elsewhere")]
            mod $name;
        )*

        /// Their names.
        pub(crate) const ALL: &[&str] = &[$(stringify!($name)),*];

        mod tests {
            $(
                #[test]
                fn $name() {
                    crate::mutate(stringify!($name), super::$name::run);
                }
            )*
        }
    };
}

targets! { config_json, config_sniffed, config_toml, config_yaml, handoff, import, key_path, last_good, message, metadata, notice, openmetrics, page, placeholder, proc_counts, proc_cpu, proc_diskstats, proc_loadavg, proc_meminfo, proc_mountinfo, proc_netdev, proc_netstat, proc_pid_stat, proc_pressure, proc_sockstat, proc_stat, proc_vmstat, remote_write, report, settle, socket, source, spool, status, step, sys_serial, tags, unpack, vars,  }
