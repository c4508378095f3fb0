//! What the daemon tells the autoscaling group: what a boot could not tell it in
//! time, and that the instance is of no use any more.

use super::engine::Engine;

impl Engine<'_> {
    /// Tells the group what it is owed.
    pub(super) fn tell_group(&mut self) {
        let view = self.board.view();
        if let (Some(report), Some(identity)) = (&view.report, &self.identity) {
            let settings = &self.settings.lifecycle;
            self.keeper.look(self.context, settings, identity, report, view.at_work());
        }
    }

    /// Tells the group of a critical service that stays down.
    pub(super) fn watch_over_services(&mut self) {
        let mut view = self.board.view();
        let down = match (self.settings.lifecycle.unhealthy_after, &view.watch) {
            (Some(_), Some(watch)) => watch.down(),
            _ => Vec::new(),
        };
        let is_critical =
            |name: &str| self.settings.service.get(name).is_some_and(|service| service.critical);
        let down: Vec<_> = down.into_iter().filter(|(name, _)| is_critical(name)).collect();
        // Before the first boot has ended nothing can be expected of the services.
        let configuring = view.report.is_none() || view.at_work();
        let (lifecycle, identity) = (&self.settings.lifecycle, self.identity.as_ref());
        let problem = self.sentry.look(self.context, lifecycle, identity, configuring, &down);
        if view.group_problem.as_deref() != problem {
            view.group_problem = problem.map(str::to_owned);
        }
    }
}
