//! Asks filesystems for their space without ever waiting for one that hangs.
//!
//! statfs(2) on a dead disk or server does not return and cannot be
//! interrupted, so it runs in a thread: it walks all paths, and where one does
//! not answer soon, another thread takes over the rest. A thread that hangs is
//! left alone, and its path is not asked again until it comes back, when the
//! thread ends; so there is at most one thread for each hung mount, and one more,
//! which waits for the next look: to start one at every tick costs more than to ask.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use nix::sys::statvfs::{Statvfs, statvfs};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

/// What a filesystem says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The size of a block in bytes.
    pub block: u64,
    /// All blocks.
    pub blocks: u64,
    /// Blocks that are free.
    pub free: u64,
    /// Blocks that are free for users who are not root.
    pub available: u64,
    /// All inodes; zero where the filesystem makes them as it needs them.
    pub files: u64,
    /// Inodes that are free.
    pub files_free: u64,
}

impl From<Statvfs> for Space {
    // The fields are 64 bits wide on some targets and 32 on others.
    #[allow(clippy::useless_conversion)]
    fn from(answer: Statvfs) -> Self {
        let block = match answer.fragment_size() {
            0 => answer.block_size(),
            size => size,
        };
        Self {
            block: block.into(),
            blocks: answer.blocks().into(),
            free: answer.blocks_free().into(),
            available: answer.blocks_available().into(),
            files: answer.files().into(),
            files_free: answer.files_free().into(),
        }
    }
}

/// What came of asking one filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It answered.
    Space(Space),
    /// It refused, as a filesystem that is broken or private does.
    Refused,
    /// It has not answered yet.
    Stuck,
}

/// Asks one path; the real one is statvfs(3).
pub type Ask = Arc<dyn Fn(&Path) -> Option<Space> + Send + Sync>;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one path, before another thread takes over those after it.
    pub one: Duration,
    /// For all paths, before those without an answer count as stuck.
    pub all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { one: Duration::from_millis(100), all: Duration::from_secs(2) }
    }
}

/// A path that a thread is asking. The thread holds the only strong reference,
/// so that its end can be seen from outside.
struct Question {
    index: usize,
    path: PathBuf,
}

/// Asks filesystems and remembers those that hang.
pub struct Prober {
    ask: Ask,
    patience: Patience,
    stuck: Vec<(PathBuf, Weak<Question>)>,
    worker: Option<Worker>,
}

/// What a thread is to do: to ask what is in the queue, and to say what came of it.
struct Job {
    queue: Arc<Mutex<VecDeque<Arc<Question>>>>,
    answers: UnboundedSender<(usize, Answer)>,
}

/// The thread that was started last. It ends when this is dropped and it has nothing to do.
struct Worker {
    jobs: Sender<Job>,
    /// Whether it waits for a job; taken by whoever gives it one.
    idle: Arc<AtomicBool>,
}

impl Default for Prober {
    fn default() -> Self {
        Self::new(Arc::new(|path| statvfs(path).ok().map(Space::from)), Patience::default())
    }
}

impl Prober {
    /// Asks by `ask`.
    pub fn new(ask: Ask, patience: Patience) -> Self {
        Self { ask, patience, stuck: Vec::new(), worker: None }
    }

    /// The answers of all paths, in their order.
    pub async fn look(&mut self, paths: &[PathBuf]) -> io::Result<Vec<Answer>> {
        self.stuck.retain(|(_, thread)| thread.strong_count() > 0);
        let mut answers = vec![Answer::Stuck; paths.len()];
        let asked: Vec<Arc<Question>> = paths
            .iter()
            .enumerate()
            .filter(|(_, path)| self.stuck.iter().all(|(stuck, _)| stuck != *path))
            .map(|(index, path)| Arc::new(Question { index, path: path.clone() }))
            .collect();
        // Noted before the first wait, so that a look that is dropped halfway
        // leaves nothing unknown behind; what answers is struck off at the next.
        self.stuck
            .extend(asked.iter().map(|question| (question.path.clone(), Arc::downgrade(question))));
        let mut missing = asked.len();
        let queue = Queue(Arc::new(Mutex::new(asked.into())));
        let (sender, mut receiver) = unbounded_channel();
        let deadline = Instant::now() + self.patience.all;
        while missing > 0 {
            if !queue.is_empty() {
                self.start(&queue, sender.clone())?;
            }
            // Until one answer is late; then the loop starts another thread.
            loop {
                let late = (Instant::now() + self.patience.one).min(deadline);
                match timeout_at(late, receiver.recv()).await {
                    Ok(Some((index, answer))) => {
                        answers[index] = answer;
                        missing -= 1;
                        if missing == 0 {
                            break;
                        }
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        Ok(answers)
    }

    fn start(
        &mut self,
        queue: &Queue,
        answers: UnboundedSender<(usize, Answer)>,
    ) -> io::Result<()> {
        let mut job = Job { queue: Arc::clone(&queue.0), answers };
        if let Some(worker) = &self.worker
            && worker.idle.swap(false, Ordering::AcqRel)
        {
            match worker.jobs.send(job) {
                Ok(()) => return Ok(()),
                Err(unsent) => job = unsent.0,
            }
        }
        let ask = Arc::clone(&self.ask);
        let idle = Arc::new(AtomicBool::new(false));
        let (jobs, given) = channel();
        self.worker = Some(Worker { jobs, idle: Arc::clone(&idle) });
        let run = move || {
            let mut next = Some(job);
            while let Some(job) = next {
                job.run(&ask);
                idle.store(true, Ordering::Release);
                next = given.recv().ok();
            }
        };
        // statvfs needs next to no stack.
        let thread = std::thread::Builder::new().name("statfs".to_owned()).stack_size(64 << 10);
        thread.spawn(run).map(drop)
    }
}

impl Job {
    fn run(self, ask: &Ask) {
        while let Some(question) = next(&self.queue) {
            let answer = ask(&question.path).map_or(Answer::Refused, Answer::Space);
            let index = question.index;
            drop(question);
            if self.answers.send((index, answer)).is_err() {
                break;
            }
        }
    }
}

/// The paths that no thread has asked yet. Nobody asks them any more once the
/// look is over, also when it is dropped halfway.
struct Queue(Arc<Mutex<VecDeque<Arc<Question>>>>);

impl Queue {
    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn next(queue: &Mutex<VecDeque<Arc<Question>>>) -> Option<Arc<Question>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

#[cfg(test)]
mod tests;
