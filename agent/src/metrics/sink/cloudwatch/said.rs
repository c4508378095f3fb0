//! What the log hears once of a sink that leaves out what somebody may look for.

/// How many ticks may pass before somebody hears that none had anything to send: services have no
/// verdict at once.
const PATIENCE: u32 = 30;

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Said {
    ticks: u32,
    meaningless: bool,
    nothing: bool,
}

impl Said {
    /// Hears of a total that means nothing for a group.
    pub(super) fn meaningless(&mut self, metric: Option<&'static str>) {
        let Some(metric) = metric else { return };
        if !std::mem::replace(&mut self.meaningless, true) {
            tracing::warn!(
                metric,
                "a total of many instances together means nothing; this one and others are left out"
            );
        }
    }

    /// Hears at each tick whether none so far had anything to send.
    pub(super) fn nothing(&mut self, none: bool, usual: &[&str]) {
        self.ticks = self.ticks.saturating_add(1);
        if none && self.ticks > PATIENCE && !std::mem::replace(&mut self.nothing, true) {
            tracing::warn!(
                such_as = ?usual,
                "nothing that 'include' names was measured so far; the schema may have other names"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_that_stands_for_nothing_is_said_in_time() {
        let mut said = Said::default();
        (0..PATIENCE).for_each(|_| said.nothing(true, &[]));
        assert!(!said.nothing, "services have no verdict at once");
        said.nothing(false, &[]);
        assert!(!said.nothing, "something is sent");
        said.nothing(true, &[]);
        assert!(said.nothing);
    }
}
