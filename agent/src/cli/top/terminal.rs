//! The terminal while `gild top` has it: another screen, keys without a line's end, and everything
//! as it was when it is dropped.

use std::io::{IsTerminal, Write};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

/// A terminal that is taken over.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Its modes before, where somebody sits at it.
    before: Option<Termios>,
}

impl Terminal {
    /// Takes over standard output; nothing where that is no terminal.
    pub(super) fn take() -> Option<Self> {
        std::io::stdout().is_terminal().then_some(())?;
        let input = std::io::stdin();
        let before = termios::tcgetattr(&input).ok();
        if let Some(modes) = &before {
            let mut raw = modes.clone();
            raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            let _ = termios::tcsetattr(&input, OptionalActions::Now, &raw);
        }
        say("\x1b[?1049h\x1b[?25l");
        Some(Self { before })
    }

    /// Whether keys can be read one by one.
    pub(super) fn has_keys(&self) -> bool {
        self.before.is_some()
    }

    /// Shows these lines in place of the former ones, as far as they fit. They may hold colours,
    /// which have no width.
    pub(super) fn show(&self, lines: &[String]) {
        let size = termios::tcgetwinsize(std::io::stdout()).ok();
        let (columns, rows) = size
            .filter(|size| size.ws_col > 0 && size.ws_row > 0)
            .map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        let mut text = String::from("\x1b[H");
        for (at, line) in lines.iter().take(rows).enumerate() {
            if at > 0 {
                text.push_str("\r\n");
            }
            text.push_str(&fitting(line, columns));
            text.push_str("\x1b[0m\x1b[K");
        }
        text.push_str("\x1b[J");
        say(&text);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        say("\x1b[?25h\x1b[?1049l");
        if let Some(before) = &self.before {
            let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// A terminal that is gone is found out when it is read from.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The beginning of a line that fits; an escape sequence takes no room.
fn fitting(line: &str, columns: usize) -> String {
    let (mut text, mut room, mut escape) = (String::new(), columns, false);
    for char in line.chars() {
        escape |= char == '\u{1b}';
        if !escape {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        text.push(char);
        escape &= !char.is_ascii_alphabetic();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_the_screen_ends_and_its_colours_are_kept() {
        assert_eq!(fitting("abcdef", 3), "abc");
        assert_eq!(fitting("a\u{1b}[32mbc\u{1b}[0md", 2), "a\u{1b}[32mb\u{1b}[0m");
        assert_eq!(fitting("äöü", 2), "äö");
    }
}
