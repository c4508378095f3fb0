//! The two connections that anybody may write to: the status socket, from the client's side, and the
//! metadata service's, from the server's. Each input meets the real code over a real connection.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gild::identity::imds::{Imds, WantedTags};
use gild::metrics::openmetrics::Format;
use gild::platform::redact::Redactor;
use gild::status::listener;
use gild::status::server::{Answers, Flushing, Limits, serve};
use listenfd::ListenFd;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

/// What is answered however strange the question was.
const STATUS: &str = "as it should be";
/// An input that takes longer is held up by something.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an instance would wait for its metadata here: for several answers, and not for more.
const BUDGET: Duration = Duration::from_millis(20);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

struct Fixed;

impl Answers for Fixed {
    fn status(&self) -> Value {
        json!({ "state": STATUS })
    }

    fn config(&self) -> Option<Value> {
        None
    }

    fn report(&self) -> Option<Value> {
        None
    }

    fn metrics(&self, _: Format) -> String {
        "up 1\n".to_owned()
    }

    fn refresh(&self) {}

    fn flush(&self, _: Duration) -> Flushing {
        Box::pin(std::future::ready(true))
    }
}

/// The server, on a thread of its own for as long as the process lives.
fn started() -> PathBuf {
    let directory = tempfile::tempdir().expect("a directory").keep();
    let path = directory.join("s");
    let (at, (tell, told)) = (path.clone(), std::sync::mpsc::channel());
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = listener::open(ListenFd::empty(), &at).await.expect("a socket");
            tell.send(()).expect("somebody waits");
            let limits = Limits { headers: PATIENCE, request: PATIENCE, ..Limits::default() };
            serve(listener, Arc::new(Fixed), Redactor::default(), limits).await;
        });
    });
    told.recv().expect("it listens");
    path
}

/// What a client sends; afterwards another is answered as ever.
pub fn requests(bytes: &[u8]) {
    thread_local!(static SOCKET: RefCell<Option<PathBuf>> = const { RefCell::new(None) });
    let path = SOCKET.with_borrow_mut(|kept| kept.get_or_insert_with(started).clone());
    let answer = asked(&path, bytes, true);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "an answer is HTTP");
    let ends = answer.windows(7).filter(|at| at == b"HTTP/1.").count();
    assert!(ends <= 1, "a connection has one answer");
    let answer = asked(&path, b"GET /v1/status HTTP/1.1\r\nHost: gild\r\n\r\n", false);
    let text = String::from_utf8(answer).expect("UTF-8");
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains(STATUS), "{text}");
}

/// A client that says that it has said all is gone, for the server, and need not be answered.
fn asked(path: &PathBuf, bytes: &[u8], leaves: bool) -> Vec<u8> {
    let mut stream = UnixStream::connect(path).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    // It may have answered and gone before it has read all.
    let _ = stream.write_all(bytes);
    if leaves {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it was held up"),
        _ => answer,
    }
}

/// What the metadata service answers to everything but a wish for a token: the input, as a page or,
/// where its first byte is odd, as the whole answer.
pub fn metadata(bytes: &[u8]) {
    let Some((first, page)) = bytes.split_first() else { return };
    let answer = match first % 2 {
        0 => ok(page),
        _ => page.to_vec(),
    };
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(service(listener, answer));
        let mut imds = Imds::new(&endpoint).expect("an endpoint");
        let deadline = || Instant::now() + BUDGET;
        if let Ok(document) = imds.document(deadline()).await {
            assert!(!document.instance_id.contains(char::is_whitespace), "an id is a word");
        }
        let _ = imds.hostname(deadline()).await;
        let wanted = WantedTags { prefixes: [String::new()].into(), ..WantedTags::default() };
        if let Ok(Some(tags)) = imds.tags(&wanted, deadline()).await {
            for key in tags.keys() {
                assert!(key.chars().count() <= 128, "a key is short");
                assert!(!key.contains(char::is_control), "a key is one line");
            }
        }
    });
}

fn ok(page: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", page.len());
    [head.as_bytes(), page].concat()
}

async fn service(listener: TcpListener, answer: Vec<u8>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut asked = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut asked).await {
                let is_token = asked[..read].starts_with(b"PUT ");
                let answer = if is_token { ok(b"token") } else { answer.clone() };
                if stream.write_all(&answer).await.is_err() {
                    break;
                }
            }
        });
    }
}
