//! Where other agents send to, and how much that is: Graphite's lines over TCP, and collectd's own
//! packets.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fakes::place::loopback;

/// Takes whatever comes, until the process ends.
pub(crate) struct Taken {
    address: SocketAddr,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    bytes: AtomicUsize,
    samples: AtomicUsize,
}

impl Count {
    fn add(&self, bytes: usize, samples: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.samples.fetch_add(samples, Ordering::Relaxed);
    }
}

impl Taken {
    /// Takes Graphite's lines: each is a sample.
    pub(crate) fn graphite() -> Self {
        let (listener, count) = (loopback(), Arc::<Count>::default());
        let taken = Self { address: listener.local_addr().unwrap(), count: count.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = count.clone();
                std::thread::spawn(move || lines(stream, &count));
            }
        });
        taken
    }

    /// Takes packets of collectd's network plugin.
    pub(crate) fn collectd() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let count = Arc::<Count>::default();
        let taken = Self { address: socket.local_addr().unwrap(), count: count.clone() };
        std::thread::spawn(move || {
            let mut packet = [0; 65_536];
            while let Ok(size) = socket.recv(&mut packet) {
                count.add(size, values(&packet[..size]));
            }
        });
        taken
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes and samples so far.
    pub(crate) fn so_far(&self) -> (usize, usize) {
        let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (read(&self.count.bytes), read(&self.count.samples))
    }
}

fn lines(stream: TcpStream, count: &Count) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(read @ 1..) = stream.read_until(b'\n', &mut line) {
        count.add(read, 1);
        line.clear();
    }
}

/// How many values a packet holds. It is made of parts, each with its kind and its size before it, and
/// a part with values has their number first:
/// <https://collectd.org/wiki/index.php/Binary_protocol>.
fn values(packet: &[u8]) -> usize {
    const VALUES: u16 = 6;
    let mut left = packet;
    let mut count = 0;
    while let [k0, k1, s0, s1, rest @ ..] = left {
        let (kind, size) = (u16::from_be_bytes([*k0, *k1]), u16::from_be_bytes([*s0, *s1]));
        if let (VALUES, [n0, n1, ..]) = (kind, rest) {
            count += usize::from(u16::from_be_bytes([*n0, *n1]));
        }
        let Some(next) = left.get(usize::from(size).max(4)..) else { break };
        left = next;
    }
    count
}
