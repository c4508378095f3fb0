//! The daemon's one loop: measure, watch, answer, take over what `configure`
//! leaves, and look at the sources again. It starts at once, on the host's own
//! layers, and waits for nobody.

/// What becomes of what `configure` leaves.
mod adopt;
/// What the daemon knows.
mod board;
/// The last boot as measurements.
mod boot;
/// The parts that settings shape.
mod engine;
/// What becomes of a look at the sources.
mod freshen;
/// What the autoscaling group is told.
mod group;
/// Ticks that wait for the sinks.
mod held;
/// What `configure` leaves.
mod inbox;
/// When the sources are looked at again.
mod looks;
/// Asking for a configuration step.
mod reconfigure;
/// What is coming for the instance.
mod watching;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, LocalSet};
use tokio::time::Instant;

use crate::identity::discover;
use crate::platform::systemd;
use crate::scope::resolve::Context;
use crate::status::listener::Listener;
use crate::status::server::{self, Limits};
use crate::status::snapshot::State;

use board::Board;
use engine::Engine;
use inbox::Inbox;
use looks::{Looks, Turn};
use watching::Watching;

/// How long the sinks may take to send what they hold when the daemon ends:
/// less than the unit's TimeoutStopSec.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// How long the daemon waits for `configure` before it sends measurements on
/// the host's own layers.
const HANDOFF_PATIENCE: Duration = Duration::from_secs(120);

/// The files that `configure` hands over.
const HANDED_OVER: [&str; 2] = ["config.json", "report.json"];

/// When the daemon ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is told to stop.
    Stopped,
    /// When the first measurements have been sent.
    FirstSamples,
}

/// How the daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Every sink has sent its first measurements.
    SamplesSent,
    /// Some sink could not send.
    SamplesNotSent,
}

/// The daemon cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// It would not hear when `configure` is done.
    #[error("failed to watch the directory '{}'", path.display())]
    Inbox {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nobody answers at the status socket any more.
    #[error("failed to go on answering at the status socket")]
    Server(#[source] Option<JoinError>),
    /// The host's own layers give no settings.
    #[error("failed to start on the host's own layers")]
    Settings(#[source] crate::scope::settle::DefaultsInvalid),
}

/// Runs the daemon until `until` or `stop`.
pub async fn run(
    context: &Context,
    listener: Listener,
    until: Until,
    stop: impl Future<Output = ()>,
) -> Result<Ended, DaemonError> {
    // Looks at the sources are tasks that stay on this thread.
    LocalSet::new().run_until(run_here(context, listener, until, stop)).await
}

async fn run_here(
    context: &Context,
    listener: Listener,
    until: Until,
    stop: impl Future<Output = ()>,
) -> Result<Ended, DaemonError> {
    let paths = &context.paths;
    let mut inbox = Inbox::open(paths.run())
        .map_err(|source| DaemonError::Inbox { path: paths.run().to_owned(), source })?;
    let board = Arc::new(Board::new(paths));
    let mut engine = Engine::start(context, board.clone()).map_err(DaemonError::Settings)?;
    let mut looks = Looks::new(context, &engine.settings.scope);
    let mut watching = Watching::new(context);
    reload(&mut engine, &mut looks, &board);
    let mut server = tokio::spawn(server::serve(
        listener,
        board.clone(),
        context.redactor.clone(),
        Limits::default(),
    ));
    systemd::ready();
    let mut told = Told::default();
    told.state(&board);

    // Where `configure` leaves nothing, the daemon finds out by itself who it is.
    let unconfigured = async {
        tokio::time::sleep(HANDOFF_PATIENCE).await;
        discover(&context.imds, paths).await
    };
    let mut alive = watchdog();
    tokio::pin!(unconfigured, stop);
    let mut looking = true;
    let mut hearing = true;
    let ended = loop {
        let interval = engine.settings.lifecycle.interval;
        tokio::select! {
            () = &mut stop => break Ended::Stopped,
            () = engine.due() => {
                engine.measure().await;
                engine.watch_over_services();
                if !hearing {
                    reload(&mut engine, &mut looks, &board);
                    told.state(&board);
                }
                if until == Until::FirstSamples && engine.has_first_samples() {
                    break engine.last_flush(LAST_FLUSH).await;
                }
            }
            heard = inbox.changed(&HANDED_OVER), if hearing => {
                if let Err(error) = heard {
                    tracing::warn!(%error, "hand-offs are not heard of any more");
                    hearing = false;
                }
                reload(&mut engine, &mut looks, &board);
                told.state(&board);
            }
            () = board.refresh_asked() => {
                reload(&mut engine, &mut looks, &board);
                looks.ask();
                told.state(&board);
            }
            turn = looks.turn() => match turn {
                Turn::Due if may_look(&board) => looks.start(),
                Turn::Due => looks.skip(),
                Turn::Over(looked) => {
                    // Nobody may have been heard yet who has resolved meanwhile.
                    if !reload(&mut engine, &mut looks, &board) {
                        engine.freshen(looked);
                        plan(&engine, &mut looks, &board);
                    }
                    told.state(&board);
                }
            },
            look = watching.turn(interval), if engine.watches() => {
                engine.notice(&mut watching, look);
            }
            found = &mut unconfigured, if looking && !engine.is_sending() => {
                looking = false;
                engine.send_unconfigured(found.map(|found| found.identity));
            }
            _ = alive.tick() => systemd::alive(),
            // It serves for ever; should it end, systemd starts the daemon anew.
            ended = &mut server => return Err(DaemonError::Server(ended.err())),
        }
    };
    systemd::stopping();
    server.abort();
    drop((looks, watching));
    if ended == Ended::Stopped {
        engine.last_flush(LAST_FLUSH).await;
    }
    Ok(ended)
}

/// Takes over what `configure` has left. Where it is at work, or has resolved
/// anew, looks are needless; says whether that is so.
fn reload(engine: &mut Engine<'_>, looks: &mut Looks, board: &Board) -> bool {
    let resolved = engine.reload();
    if resolved {
        looks.forget();
        plan(engine, looks, board);
    }
    let needless = resolved || board.view().at_work();
    if needless {
        looks.skip();
    }
    needless
}

/// Whether there is something to compare the sources with, and nobody at work
/// who resolves them anyway.
fn may_look(board: &Board) -> bool {
    let view = board.view();
    view.handoff.is_some() && !view.at_work()
}

/// Lets the looks follow the settings in force.
fn plan(engine: &Engine<'_>, looks: &mut Looks, board: &Board) {
    if let Some(handoff) = &board.view().handoff {
        looks.plan(&handoff.identity.instance_id, &engine.settings.scope);
    }
}

/// What systemd and the log were told last.
#[derive(Default)]
struct Told(Option<State>);

impl Told {
    /// Tells a change of state.
    fn state(&mut self, board: &Board) {
        let snapshot = board.snapshot();
        if self.0.replace(snapshot.state) == Some(snapshot.state) {
            return;
        }
        let task = snapshot.configuration.failed_task.as_deref();
        let text = match task {
            Some(task) => format!("{}: {task}", snapshot.state.word()),
            None => snapshot.state.word().to_owned(),
        };
        tracing::info!("this instance is {text}");
        systemd::status(&text);
    }
}

/// Comes twice in each span of systemd's patience; hardly ever where systemd
/// does not watch.
fn watchdog() -> tokio::time::Interval {
    const UNWATCHED: Duration = Duration::from_secs(3600);
    let period = systemd::watchdog().map_or(UNWATCHED, |patience| patience / 2);
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    interval
}
