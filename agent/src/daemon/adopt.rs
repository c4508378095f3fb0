//! What becomes of what `configure` leaves: its report is shown, and the
//! configuration that it resolved is put in force.

use std::sync::Arc;

use super::engine::Engine;
use crate::config::Settings;
use crate::configure::handoff::Handoff;
use crate::configure::report::Report;
use crate::platform::error::chain_text;

impl Engine<'_> {
    /// Takes over what `configure` has left; says whether it has resolved anew.
    pub(super) fn reload(&mut self) -> bool {
        match Report::load(&self.context.paths.report()) {
            Ok(report) => {
                let mut view = self.board.view();
                view.report = report;
                view.boot.unsettle();
            }
            Err(error) => tracing::warn!("{}", chain_text(&error)),
        }
        let anew = match Handoff::read(&self.context.paths.config()) {
            Ok(Some(handoff)) => self.adopt(handoff),
            Ok(None) => false,
            Err(error) => {
                tracing::warn!("{}", chain_text(&error));
                false
            }
        };
        self.look_for_messages();
        self.tell_group();
        anew
    }

    fn adopt(&mut self, handoff: Handoff) -> bool {
        let handoff = Arc::new(handoff);
        let in_force = {
            let mut view = self.board.view();
            // Most reloads are for a new report.
            if view.handoff.as_ref() == Some(&handoff) {
                return false;
            }
            // What `configure` has just resolved is newer than any look.
            (view.look, view.drift) = (None, None);
            let overlaid = view.overlay.take().is_some();
            let before = view.handoff.replace(handoff.clone());
            let same = before.is_some_and(|before| {
                before.digest == handoff.digest && before.identity == handoff.identity
            });
            same && !overlaid
        };
        self.fresh.restart(&handoff.digest);
        // Only another configuration is typed.
        if !in_force {
            self.put_in_force(&handoff);
        }
        true
    }

    fn put_in_force(&mut self, handoff: &Handoff) {
        let Some(settings) = Settings::typed(&handoff.config).settings else {
            // What configure hands over it has typed itself, so this is another
            // version's hand-off; the present settings go on.
            let problem = "the resolved configuration is not one for this version of gild";
            tracing::warn!("{problem}");
            self.board.view().problems = vec![problem.to_owned()];
            return;
        };
        tracing::info!(digest = handoff.digest, "the resolved configuration is in force");
        self.board.view().problems.clear();
        self.apply(settings, handoff.identity.clone());
    }
}
