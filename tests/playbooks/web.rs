//! A web server for archives: entity tags, and answers that fail or stop in the
//! middle when a test says so.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::sha256;
use crate::fakes::place::loopback;

/// What goes wrong with each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Mood {
    /// Nothing.
    #[default]
    Well,
    /// Each answer is HTTP 500.
    Broken,
    /// Half of the content comes; the rest never does.
    Stuck,
    /// So many answers break off after half of the content.
    Cut(u32),
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    mood: Mood,
    answers: Vec<(String, u16)>,
}

/// The running server. Its thread ends with the tests.
pub(super) struct Web {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Web {
    pub(super) fn start() -> Self {
        let listener = loopback();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || serve(&listener, &shared));
        Self { address, state }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.state.lock().unwrap().files.insert(path.to_owned(), content.into());
    }

    pub(super) fn feel(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Path and status of every answer since the last time.
    pub(super) fn answers(&self) -> Vec<(String, u16)> {
        std::mem::take(&mut self.state.lock().unwrap().answers)
    }
}

fn serve(listener: &TcpListener, state: &Arc<Mutex<State>>) {
    for stream in listener.incoming().flatten() {
        let state = Arc::clone(state);
        std::thread::spawn(move || answer(stream, &state));
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let path = lines.next().transpose()?.unwrap_or_default();
    let path = path.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut known = String::new();
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = value.to_owned();
        }
    }
    let (content, mood) = {
        let mut state = state.lock().unwrap();
        let mood = match state.mood {
            Mood::Cut(0) => Mood::Well,
            other => other,
        };
        if let Mood::Cut(left) = &mut state.mood {
            *left = left.saturating_sub(1);
        }
        (state.files.get(&path).cloned(), mood)
    };
    let etag = content.as_ref().map(|content| format!("\"{}\"", sha256(content)));
    let (status, body) = match (mood, content) {
        (Mood::Broken, _) => (500, Vec::new()),
        (_, None) => (404, Vec::new()),
        (_, Some(_)) if etag.as_ref() == Some(&known) => (304, Vec::new()),
        (_, Some(content)) => (200, content),
    };
    state.lock().unwrap().answers.push((path, status));
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\nETag: {}\r\n\r\n",
        body.len(),
        etag.unwrap_or_default()
    );
    stream.write_all(head.as_bytes())?;
    match mood {
        Mood::Well | Mood::Broken => stream.write_all(&body),
        Mood::Cut(_) => stream.write_all(&body[..body.len() / 2]),
        Mood::Stuck => {
            stream.write_all(&body[..body.len() / 2])?;
            stream.flush()?;
            // Until the other side gives up or is gone.
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            std::io::Read::read(&mut stream, &mut [0]).map(|_| ())
        }
    }
}
