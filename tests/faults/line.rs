//! A TCP line from gild to a receiver, which can be cut, swallow all that enters it, or lose
//! packets. Below the fakes' `Link`, so that TLS goes through it as through a network.
//!
//! Loss is shown as TCP shows it to a program: what was lost arrives when it has been sent again,
//! which takes some 200 ms, and twice that each further time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Does {
    Carry,
    /// Connections end at once.
    Cut,
    /// Nothing arrives, and nothing says so.
    Swallow,
    /// Three of ten packets are lost.
    Lose,
}

const ALL: [Does; 4] = [Does::Carry, Does::Cut, Does::Swallow, Does::Lose];
const LOST: f64 = 0.3;
const SENT_AGAIN: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct State {
    does: AtomicU8,
    /// Connections of an earlier one are over.
    generation: AtomicU64,
    over: AtomicBool,
}

/// A running line. It carries nothing any more when dropped.
#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    state: Arc<State>,
}

impl Line {
    /// A line to `far`.
    pub(crate) fn new(far: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                connect(near, far, &shared);
            }
        });
        Self { address, state }
    }

    /// The near end.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it does. What was swallowed stays so, and its connections with it.
    pub(crate) fn does(&self, does: Does) {
        let before = self.state.does.swap(does as u8, Ordering::SeqCst);
        if does == Does::Cut || before == Does::Swallow as u8 {
            self.state.generation.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Line {
    /// Ends what is open, and goes on as before.
    pub(crate) fn end_all(&self) {
        self.state.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        self.does(Does::Cut);
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn now(&self) -> Does {
        ALL[usize::from(self.does.load(Ordering::SeqCst))]
    }
}

fn connect(near: TcpStream, far: SocketAddr, state: &Arc<State>) {
    if state.now() == Does::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(far) else { return };
    let generation = state.generation.load(Ordering::SeqCst);
    let ends = [near.try_clone().and_then(|near| Ok((near, far.try_clone()?))), Ok((far, near))];
    for end in ends {
        let (Ok((from, to)), state) = (end, state.clone()) else { return };
        let _ = (from.set_read_timeout(Some(LOOK)), to.set_nodelay(true));
        std::thread::spawn(move || {
            one_way(&from, &to, &state, generation);
            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        });
    }
}

fn one_way(mut from: &TcpStream, mut to: &TcpStream, state: &State, generation: u64) {
    let mut buffer = [0; 16 * 1024];
    let is_over = || state.generation.load(Ordering::SeqCst) != generation;
    while !is_over() {
        let length = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        while state.now() == Does::Swallow && !is_over() {
            std::thread::sleep(LOOK);
        }
        let mut wait = SENT_AGAIN;
        while state.now() == Does::Lose && fastrand::f64() < LOST {
            std::thread::sleep(wait);
            wait *= 2;
        }
        if is_over() || to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
