//! Texts within the limits of those who receive them, and without what could
//! play tricks on those who read them.

use crate::platform::redact::CUT;

/// How much of a limit one letter takes.
pub type Measure = fn(char) -> usize;

/// Characters, as Unicode counts them.
pub const CHARACTERS: Measure = |_| 1;

/// UTF-16 code units. Discord's and Slack's pages say "characters"; counted like
/// this a text is within the limit whichever of both they mean.
pub const UTF16: Measure = char::len_utf16;

/// Bytes of UTF-8.
pub const BYTES: Measure = char::len_utf8;

/// How long a text is.
pub fn length(text: &str, measure: Measure) -> usize {
    text.chars().map(measure).sum()
}

/// The text, with an ellipsis for its end where it is longer than the limit.
pub fn cut(text: &str, limit: usize, measure: Measure) -> String {
    if length(text, measure) <= limit {
        return text.to_owned();
    }
    let Some(room) = limit.checked_sub(measure(CUT)) else { return String::new() };
    let mut used = 0;
    let fits = |letter: &char| {
        used += measure(*letter);
        used <= room
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.truncate(kept.trim_end().len());
    kept.push(CUT);
    kept
}

/// The text without control characters, and without the invisible ones that
/// turn the direction of what follows or hide in words. Lines stay lines.
pub fn lines(text: &str) -> String {
    let invisible = |letter: char| {
        matches!(letter,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let kept = |letter: char| match letter {
        '\n' => Some('\n'),
        '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() || invisible(letter) => None,
        letter => Some(letter),
    };
    text.chars().filter_map(kept).collect::<String>().trim().to_owned()
}

/// As `lines`, on one line.
pub fn line(text: &str) -> String {
    lines(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A block of code of at most `limit`, as Discord and Slack write it. Nothing in
/// it can end it.
pub fn code_block(text: &str, limit: usize, measure: Measure) -> String {
    const FENCES: usize = "```\n\n```".len();
    // A space that takes no room keeps backticks from being a fence.
    let apart = lines(text).replace("``", "`\u{200b}`\u{200b}");
    let inner = cut(&apart, limit.saturating_sub(FENCES), measure);
    format!("```\n{inner}\n```")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_is_at_a_character_and_marked() {
        assert_eq!(cut("abc", 3, UTF16), "abc");
        assert_eq!(cut("abcd", 3, UTF16), "ab…");
        // Each of these takes two units: half of one must not be left.
        assert_eq!(cut("🦀🦀🦀", 5, UTF16), "🦀🦀…");
        assert_eq!(cut("🦀🦀🦀", 4, UTF16), "🦀…");
        assert_eq!(cut("ab  cd", 5, CHARACTERS), "ab…");
        assert_eq!(cut("äää", 5, BYTES), "ä…");
        assert_eq!(cut("abc", 0, CHARACTERS), "");
    }

    #[test]
    fn what_is_invisible_is_taken_out() {
        assert_eq!(lines(" a\u{0}\u{1b}[31m\r\nb\u{202e}c\t\u{200b}d "), "a[31m\nbc d");
        assert_eq!(line("a\n\n  b"), "a b");
    }

    #[test]
    fn nothing_ends_a_block_of_code_but_its_end() {
        let block = code_block("a ``` b ```````", 1024, UTF16);
        assert_eq!(block.matches("```").count(), 2, "{block}");
        let block = code_block("`", 1024, UTF16);
        assert_eq!(block, "```\n`\n```");
    }

    proptest! {
        #[test]
        fn a_cut_text_is_within_its_limit(text in "\\PC{0,60}", limit in 0_usize..60) {
            for measure in [CHARACTERS, UTF16, BYTES] {
                let short = cut(&text, limit, measure);
                prop_assert!(length(&short, measure) <= limit);
                prop_assert!(short == text || short.is_empty() || short.ends_with(CUT));
            }
        }

        #[test]
        fn a_block_of_code_is_within_its_limit(text in "[`\\PC\n]{0,80}", limit in 10_usize..60) {
            let block = code_block(&text, limit, UTF16);
            prop_assert!(length(&block, UTF16) <= limit, "{}", block);
            prop_assert_eq!(block.matches("```").count(), 2, "{}", block);
        }
    }
}
