//! Where a server or a client of a test lives: on the host, or in the network
//! namespace of a test machine.
//!
//! A socket stays in the namespace that it was made in, so a short-lived thread that
//! enters the namespace to bind or connect is all that is needed; the rest of the
//! test stays on the host.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrIn};

const PATIENCE: Duration = Duration::from_secs(10);

/// The host, or a network namespace by its path.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Host,
    Namespace(PathBuf),
}

impl Place {
    /// Runs `work` there.
    pub(crate) fn run<T: Send, F: FnOnce() -> T + Send>(&self, work: F) -> T {
        let Self::Namespace(path) = self else {
            return work();
        };
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let namespace = File::open(path).expect("the network namespace exists");
                setns(namespace, CloneFlags::CLONE_NEWNET)
                    .expect("root may enter a network namespace");
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A listener there.
    pub(crate) fn listen(&self, address: &str) -> TcpListener {
        self.run(|| TcpListener::bind(address))
            .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"))
    }

    /// A command that will run there.
    pub(crate) fn command(&self, program: &str) -> Command {
        match self {
            Self::Host => Command::new(program),
            Self::Namespace(path) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={}", path.display()));
                // Dies with the thread that started it, even when that is killed.
                command.args(["--", "setpriv", "--pdeathsig", "KILL", "--", program]);
                command
            }
        }
    }

    /// One HTTP exchange from there: status and body.
    pub(crate) fn http(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<(u16, String)> {
        let mut stream = self.run(|| TcpStream::connect_timeout(&to, PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut head =
            format!("{method} {path} HTTP/1.0\r\nHost: {to}\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        Ok((status, body.to_owned()))
    }
}

/// A port on the loopback address for a fake.
pub(crate) fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port on the loopback address")
}

/// A port that is taken but refuses connections until it is opened: a service
/// that starts late, without a race for its port.
#[derive(Debug)]
pub(crate) struct Closed {
    socket: OwnedFd,
    address: SocketAddr,
}

impl Closed {
    /// Takes a port on the loopback address.
    pub(crate) fn new() -> Self {
        let socket =
            socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
                .expect("a socket");
        socket::bind(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).expect("a port");
        let bound: SockaddrIn = socket::getsockname(socket.as_raw_fd()).expect("a bound socket");
        let address = SocketAddr::from((bound.ip(), bound.port()));
        Self { socket, address }
    }

    /// Where it will listen.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts to listen.
    pub(crate) fn open(self) -> TcpListener {
        socket::listen(&self.socket, Backlog::MAXCONN).expect("a listening socket");
        TcpListener::from(self.socket)
    }
}
