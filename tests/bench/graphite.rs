//! Where agents send to that know nothing better: Graphite's lines over TCP, counted.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fakes::place::loopback;

/// Takes whatever comes, until the process ends.
pub(crate) struct Graphite {
    address: SocketAddr,
    bytes: Arc<AtomicUsize>,
    lines: Arc<AtomicUsize>,
}

impl Graphite {
    pub(crate) fn start() -> Self {
        let listener = loopback();
        let address = listener.local_addr().unwrap();
        let (bytes, lines) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counted = (bytes.clone(), lines.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = counted.clone();
                std::thread::spawn(move || count(stream, &counted));
            }
        });
        Self { address, bytes, lines }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes and samples so far.
    pub(crate) fn received(&self) -> (usize, usize) {
        (self.bytes.load(Ordering::Relaxed), self.lines.load(Ordering::Relaxed))
    }
}

fn count(stream: TcpStream, (bytes, lines): &(Arc<AtomicUsize>, Arc<AtomicUsize>)) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(read @ 1..) = stream.read_until(b'\n', &mut line) {
        bytes.fetch_add(read, Ordering::Relaxed);
        lines.fetch_add(1, Ordering::Relaxed);
        line.clear();
    }
}
