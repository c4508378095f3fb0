//! Something for a host to do, so that its counters grow: processors, forks,
//! pages, a disk, connections. Ends when dropped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) struct Load {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What grows by it.
pub(crate) const GROWS: &[&str] = &[
    "node_context_switches_total",
    "node_cpu_seconds_total",
    "node_disk_written_bytes_total",
    "node_disk_writes_completed_total",
    "node_forks_total",
    "node_netstat_IpExt_OutOctets",
    "node_netstat_Tcp_ActiveOpens",
    "node_netstat_Tcp_PassiveOpens",
    "node_vmstat_pgfault",
    "node_vmstat_pgpgout",
];

impl Load {
    /// Writes to a file in a directory, among other things.
    pub(crate) fn start(directory: &std::path::Path) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut file = File::create(directory.join("load")).unwrap();
        let until = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                round(&mut file);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

fn round(file: &mut File) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(10) {
        std::hint::spin_loop();
    }
    file.write_all(&vec![7; 64 << 10]).unwrap();
    file.sync_all().unwrap();
    assert!(Command::new("true").status().unwrap().success());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(&[7; 4096]).unwrap();
    server.read_exact(&mut [0; 4096]).unwrap();
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
