//! Who asks at the status socket.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use super::Begun;
use crate::life::Stage;

const CROWD: usize = 1000;
/// Fewer than gild serves at the same time: the others must not notice.
const BABBLERS: usize = 8;
const TURN: Duration = Duration::from_millis(500);

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Asks and reads.
    Asks,
    /// Asks and does not read.
    Deaf,
    /// Says nothing.
    Silent,
    /// Says what is no request.
    Babbles,
}

/// A thousand clients, of whom most ask.
pub(super) fn crowd(stage: &mut Stage, random: &mut Rng) -> Begun {
    let manners = [Manner::Asks, Manner::Asks, Manner::Deaf, Manner::Silent, Manner::Babbles];
    let all = (0..CROWD).map(|_| manners[random.usize(..manners.len())]).collect();
    clients(stage.estate.socket(), all, random.fork())
}

pub(super) fn garbage(stage: &mut Stage, random: &mut Rng) -> Begun {
    clients(stage.estate.socket(), vec![Manner::Babbles; BABBLERS], random.fork())
}

fn clients(socket: PathBuf, manners: Vec<Manner>, mut random: Rng) -> Begun {
    let (over, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let what = format!("{} clients", manners.len());
    let (stop, count) = (over.clone(), answers.clone());
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for manner in manners {
                let (socket, random, count) = (socket.clone(), random.fork(), count.clone());
                tokio::spawn(async move {
                    client(socket, manner, random, count).await;
                });
            }
            while !stop.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(20)).await;
            }
        });
    });
    Begun::new(what, move |_| {
        over.store(true, Ordering::SeqCst);
        let _ = thread.join();
        println!("    they had {} answers", answers.load(Ordering::SeqCst));
    })
}

/// Comes again and again.
async fn client(socket: PathBuf, manner: Manner, mut random: Rng, answers: Arc<AtomicUsize>) {
    loop {
        if let Ok(Ok(stream)) = timeout(TURN, UnixStream::connect(&socket)).await {
            let turn = turn(stream, manner, &mut random);
            if let Ok(true) = timeout(TURN * 4, turn).await {
                answers.fetch_add(1, Ordering::SeqCst);
            }
        }
        sleep(Duration::from_millis(random.u64(10..500))).await;
    }
}

/// One connection; whether it brought an answer.
async fn turn(mut stream: UnixStream, manner: Manner, random: &mut Rng) -> bool {
    let request = match manner {
        Manner::Asks | Manner::Deaf => b"GET /v1/status HTTP/1.1\r\nHost: gild\r\n\r\n".to_vec(),
        Manner::Silent => Vec::new(),
        Manner::Babbles => babble(random),
    };
    if stream.write_all(&request).await.is_err() {
        return false;
    }
    if matches!(manner, Manner::Deaf | Manner::Silent) {
        sleep(TURN * 3).await;
        return false;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.is_ok_and(|length| length > 0)
}

/// Bytes, what looks like a request for a while, and what is too much of one.
fn babble(random: &mut Rng) -> Vec<u8> {
    let length = random.usize(1..100_000);
    let noise = std::iter::repeat_with(|| random.u8(..)).take(length).collect::<Vec<_>>();
    let head: &[u8] = match random.u8(..5) {
        0 => b"",
        1 => b"GET /v1/status HTTP/1.1\r\nX: ",
        2 => b"POST /v1/refresh HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        3 => b"POST /v1/flush HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        _ => b"GET /../../etc/shadow HTTP/9.9\r\n",
    };
    [head, &noise].concat()
}
