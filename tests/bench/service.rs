//! A server whose health gild looks at, and how it is told so.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

/// Answers each look with a short page.
pub(crate) struct Service(SocketAddr);

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(|| {
                    let _ = answer(stream);
                });
            }
        });
        Self(address)
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0
    }

    /// Has gild look at five services each second, and send to two receivers.
    pub(crate) fn install(&self, root: &Path, mimir: &str) {
        let service = self.0;
        let mut text = format!(
            "[sink.mimir]\ntype = 'remote_write'\nurl = '{mimir}/api/v1/push'\nflush = '1s'\n\
             [sink.cloudwatch]\ntype = 'cloudwatch'\nflush = '6s'\n"
        );
        for name in ["one", "two", "three"] {
            text += &format!("[service.{name}]\nhttp = 'http://{service}/'\ninterval = '1s'\n");
        }
        for name in ["four", "five"] {
            text += &format!("[service.{name}]\ntcp = '{service}'\ninterval = '1s'\n");
        }
        fs::write(root.join("etc/gild/config.d/10-local.toml"), text).unwrap();
    }
}

/// Keeps the connection, as servers do unless they are told otherwise.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 1024])? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    }
    Ok(())
}
