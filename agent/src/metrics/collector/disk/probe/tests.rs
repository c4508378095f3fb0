//! Filesystems that answer, refuse and hang.
#![allow(clippy::unwrap_used)]

use std::sync::Condvar;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const SPACE: Space =
    Space { block: 4096, blocks: 10, free: 5, available: 4, files: 3, files_free: 2 };
const QUICK: Patience =
    Patience { one: Duration::from_millis(20), all: Duration::from_millis(600) };

/// A place where callers hang until it opens.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    calls: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

fn prober(gate: &Arc<Gate>) -> Prober {
    let gate = Arc::clone(gate);
    let ask = move |path: &Path| {
        if path.starts_with("/hung") {
            gate.pass();
        }
        (path != Path::new("/broken")).then_some(SPACE)
    };
    Prober::new(Arc::new(ask), QUICK)
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[tokio::test]
async fn a_hung_path_is_stuck_and_the_others_answer() {
    let gate = Arc::new(Gate::default());
    let mut prober = prober(&gate);
    let all = paths(&["/hung/a", "/fine", "/hung/b", "/broken", "/last"]);
    let expected =
        [Answer::Stuck, Answer::Space(SPACE), Answer::Stuck, Answer::Refused, Answer::Space(SPACE)];
    for _ in 0..3 {
        assert_eq!(prober.look(&all).await.unwrap(), expected);
    }
    assert_eq!(gate.calls.load(Ordering::SeqCst), 2, "one thread for each hung path");
    gate.open();
    while !prober.stuck.iter().all(|(_, thread)| thread.strong_count() == 0) {
        tokio::task::yield_now().await;
    }
    assert!(!prober.look(&all).await.unwrap().contains(&Answer::Stuck));
}

#[tokio::test]
async fn once_a_path_is_known_to_hang_nobody_waits_for_it() {
    let gate = Arc::new(Gate::default());
    let mut prober = prober(&gate);
    prober.look(&paths(&["/hung"])).await.unwrap();
    let start = std::time::Instant::now();
    prober.look(&paths(&["/hung", "/fine"])).await.unwrap();
    assert!(start.elapsed() < QUICK.all);
    gate.open();
}

#[tokio::test]
async fn a_look_that_is_dropped_leaves_no_second_thread_on_a_path() {
    let gate = Arc::new(Gate::default());
    let mut prober = prober(&gate);
    let hung = paths(&["/hung"]);
    assert!(tokio::time::timeout(QUICK.one, prober.look(&hung)).await.is_err());
    assert_eq!(prober.look(&hung).await.unwrap(), [Answer::Stuck]);
    assert_eq!(gate.calls.load(Ordering::SeqCst), 1);
    gate.open();
}

#[tokio::test]
async fn one_thread_asks_at_every_look_while_everything_answers() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    let ask = move |_: &Path| {
        seen.lock().unwrap().push(std::thread::current().id());
        Some(SPACE)
    };
    let mut prober = Prober::new(Arc::new(ask), QUICK);
    for _ in 0..5 {
        prober.look(&paths(&["/a", "/b"])).await.unwrap();
        let idle = Arc::clone(&prober.worker.as_ref().unwrap().idle);
        while !idle.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
    let threads = threads.lock().unwrap();
    assert_eq!(threads.len(), 10);
    assert!(threads.iter().all(|thread| *thread == threads[0]), "{threads:?}");
}

#[tokio::test]
async fn the_real_root_answers() {
    let answers = Prober::default().look(&paths(&["/", "/no/such/path"])).await.unwrap();
    assert!(matches!(answers[0], Answer::Space(space) if space.blocks > 0));
    assert_eq!(answers[1], Answer::Refused);
}
