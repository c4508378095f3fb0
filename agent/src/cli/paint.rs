//! A little colour for people at a terminal, and none for programs.

use std::io::IsTerminal;

/// Whether and how text is coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// Colour where standard output is a terminal and `NO_COLOR` is not set.
    pub(super) fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    /// No colour.
    pub(super) fn off() -> Self {
        Self(false)
    }

    /// Whether there is colour.
    pub(super) fn is_on(self) -> bool {
        self.0
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Less important than the rest.
    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// A heading.
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// As it should be.
    pub(super) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Not quite as it should be.
    pub(super) fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Not as it should be.
    pub(super) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }
}
