//! The looks at what is coming, beside the main loop, and what becomes of them:
//! what is known is shown, what is new is told, and what ends the instance asks
//! for it to be drained.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::engine::Engine;
use super::looks::Task;
use crate::identity::imds::Imds;
use crate::identity::{Identity, ImdsOptions, Provenance, host};
use crate::lifecycle::notice::{Notices, TargetState};
use crate::lifecycle::request::DrainRequest;
use crate::lifecycle::tidings::Tidings;
use crate::lifecycle::watch::state::{Known, News};
use crate::lifecycle::watch::{Look, Rota, look};
use crate::notify::announce::Audience;
use crate::notify::message::Message;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::scope::Context;

/// The looks, and what they have shown.
pub(super) struct Watching {
    options: ImdsOptions,
    imds: Option<Imds>,
    rota: Rota,
    known: Known,
    drain: Drain,
    last: Option<Instant>,
    task: Option<Task<(Imds, Look)>>,
}

impl Watching {
    /// No look yet. The first is due at once.
    pub(super) fn new(context: &Context) -> Self {
        Self {
            options: context.imds.clone(),
            imds: None,
            rota: Rota::default(),
            known: Known::default(),
            drain: Drain::default(),
            last: None,
            task: None,
        }
    }

    /// Waits for the end of the next look. Cancel-safe.
    pub(super) async fn turn(&mut self, interval: Duration) -> Look {
        loop {
            if let Some(task) = &mut self.task {
                let ended = (&mut task.0).await;
                self.task = None;
                let Ok((imds, look)) = ended else { continue };
                self.imds = Some(imds);
                self.rota.learn(&look, Instant::now());
                return look;
            }
            if let Some(last) = self.last {
                sleep_until(last + interval).await;
            }
            self.last = Some(Instant::now());
            self.start(interval);
        }
    }

    fn start(&mut self, interval: Duration) {
        let imds = self.imds.take().map_or_else(|| self.options.open(), Ok);
        // An endpoint that is none has been told of by whoever asked who this is.
        let Ok(mut imds) = imds else { return };
        let questions = self.rota.questions(Instant::now(), interval);
        self.task = Some(Task(tokio::task::spawn_local(async move {
            let look = look(&mut imds, &questions).await;
            (imds, look)
        })));
    }
}

/// What became of asking for the instance to be drained.
#[derive(Debug, Default)]
struct Drain {
    asked: bool,
    failed: bool,
}

impl Drain {
    /// Asks once for what the notices want. Somebody may have asked before this
    /// daemon started; what could not be asked is asked again in the next look.
    fn ask(&mut self, notices: &Notices, paths: &Paths) {
        let Some(request) = DrainRequest::of(notices).filter(|_| !self.asked) else { return };
        let taken_up = [paths.drain_wanted(), paths.drained()];
        if taken_up.iter().any(|path| path.exists()) {
            self.asked = true;
            return;
        }
        let occasion = request.occasion.word();
        match request.write(&paths.drain_wanted()) {
            Ok(()) => {
                tracing::info!(occasion, "the instance is to be drained");
                self.asked = true;
            }
            Err(error) if !self.failed => {
                tracing::warn!(occasion, "{}", chain_text(&error));
                self.failed = true;
            }
            Err(_) => {}
        }
    }
}

impl Engine<'_> {
    /// Whether the settings in force, and where this is, let the daemon look.
    pub(super) fn watches(&self) -> bool {
        let is_ec2 = |identity: &Identity| identity.provenance == Provenance::Imds;
        self.settings.lifecycle.watch && self.identity.as_ref().is_some_and(is_ec2)
    }

    /// Takes up a look.
    pub(super) fn notice(&mut self, watching: &mut Watching, look: Look) {
        let news = watching.known.take(look, Instant::now());
        let notices = &watching.known.notices;
        let before = self.board.view().notices.clone();
        if before != *notices {
            let state = |notices: &Notices| notices.target_state.clone();
            let (old, new) = (state(&before), state(notices));
            self.board.view().notices = notices.clone();
            self.keeper.on_target_state(
                old.as_ref().map(TargetState::word),
                new.as_ref().map(TargetState::word),
            );
            self.tell_group();
        }
        // First what is urgent.
        watching.drain.ask(notices, &self.context.paths);
        for news in &news {
            match (news, Tidings::of(news)) {
                (News::Silent(why), _) => {
                    tracing::warn!("it is not known what is coming for this instance: {why}");
                }
                (_, Some(tidings)) => self.tell(tidings),
                (_, None) => tracing::info!("it is known again what is coming for this instance"),
            }
        }
    }

    /// Tells whoever wants to know, unless it was told before.
    fn tell(&mut self, tidings: Tidings) {
        let Tidings { event, text, .. } = &tidings;
        tracing::warn!(event = event.outcome(), "{text}");
        let Some(identity) = &self.identity else { return };
        let Context { paths, redactor, .. } = self.context;
        let name = tidings.name(&identity.instance_id);
        let report = self.board.view().report.clone();
        let mut message = Message::of_news(*event, name, text.clone(), report.as_ref());
        message.boot_id = message.boot_id.or_else(|| host::boot_id(paths));
        let audience = Audience::of(&self.settings, Some(identity), redactor);
        match audience.leave(message, paths, redactor) {
            Ok(true) => self.look_for_messages(),
            Ok(false) => {}
            Err(error) => tracing::warn!("{}", chain_text(&error)),
        }
    }
}
