//! Bytes from a pipe, cut into lines that have an end, and the last few of
//! them, kept for the case that something goes wrong.

use std::collections::VecDeque;

use crate::platform::redact::CUT;

/// Cuts a stream into lines of bounded length. Where one is cut, a mark tells the
/// redactor that a part of a secret may stand there.
#[derive(Debug)]
pub(crate) struct Lines {
    longest: usize,
    partial: Vec<u8>,
    /// Whether the current line was longer than may be.
    cut: bool,
}

impl Lines {
    /// Lines of at most `longest` bytes.
    pub(crate) fn new(longest: usize) -> Self {
        Self { longest, partial: Vec::new(), cut: false }
    }

    /// The lines that these bytes complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = self.longest - self.partial.len();
            self.cut |= text.len() > room;
            self.partial.extend_from_slice(text.get(..room.min(text.len())).unwrap_or(text));
            if ended {
                complete.push(self.take());
            }
        }
        complete
    }

    /// The line that has no end, once there is no more to come.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        if self.partial.is_empty() { Vec::new() } else { vec![self.take()] }
    }

    fn take(&mut self) -> String {
        let mut line = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned();
        line.truncate(line.trim_end_matches('\r').len());
        if std::mem::take(&mut self.cut) {
            // Half a letter would stand between the mark and the beginning of a
            // secret, which is looked for beside the mark.
            line.truncate(line.trim_end_matches('\u{fffd}').len());
            line.push_str(&format!(" [{CUT}]"));
        }
        line
    }
}

/// The last lines of an output.
#[derive(Debug)]
pub(crate) struct Tail {
    most: usize,
    lines: VecDeque<String>,
}

impl Tail {
    /// Keeps at most `most` lines.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, lines: VecDeque::new() }
    }

    /// Takes one more line; empty ones say nothing and are not kept.
    pub(crate) fn push(&mut self, line: String) {
        if line.trim().is_empty() {
            return;
        }
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The last `count` lines, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<&str> {
        self.lines.iter().skip(self.lines.len().saturating_sub(count)).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_bytes_arrive() {
        let mut lines = Lines::new(100);
        assert!(lines.push(b"on").is_empty());
        assert_eq!(lines.push(b"e\r\ntwo\nthr"), ["one", "two"]);
        assert_eq!(lines.finish(), ["thr"]);
        assert!(lines.finish().is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut lines = Lines::new(4);
        for _ in 0..1000 {
            assert!(lines.push(b"abc").is_empty());
        }
        assert_eq!(lines.push(b"\nnext\n"), ["abca […]", "next"]);
    }

    #[test]
    fn a_cut_leaves_no_part_of_a_secret() {
        let redactor = crate::platform::redact::Redactor::default();
        redactor.add("pässword");
        for longest in 5..13 {
            let lines = Lines::new(longest).push("say pässword\n".as_bytes());
            let shown = redactor.cut_text(&lines[0]);
            // Three letters are too few to tell.
            assert!(!shown.contains("päss"), "{longest}: {shown}");
            assert!(!shown.contains('\u{fffd}'), "{longest}: {shown}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        assert_eq!(Lines::new(10).push(b"a\xffb\n"), ["a\u{fffd}b"]);
    }

    #[test]
    fn the_tail_keeps_the_last_lines_that_say_something() {
        let mut tail = Tail::new(2);
        for line in ["a", "b", " ", "c"] {
            tail.push(line.to_owned());
        }
        assert_eq!(tail.lines().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(tail.last(1), ["c"]);
    }
}
