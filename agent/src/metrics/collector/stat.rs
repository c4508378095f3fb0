//! `/proc/stat` besides the processors' times: one name and one number a line.
//! Several collectors take what is theirs from it.

use super::source::{fields, lines};

/// The file.
pub(super) const STAT: &str = "/proc/stat";

/// The lines by name, with the first number of each: where there are more, it
/// is the sum of the others. Lines that cannot be read are passed over.
pub fn parse(content: &[u8]) -> impl Iterator<Item = (&str, u64)> {
    lines(content).filter(|line| !line.starts_with(b"cpu")).filter_map(|line| {
        let mut fields = fields(line);
        Some((fields.next()?, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_one_number_that_counts() {
        let text = b"cpu  1 2 3 4\ncpu0 1 2 3 4\nintr 900 1 2 3\nctxt 55\nbtime 1700000000\n";
        let expected = [("intr", 900), ("ctxt", 55), ("btime", 1_700_000_000)];
        assert_eq!(parse(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let text = b"intr\nctxt x\nbtime -1\nprocesses 99999999999999999999\n\xff 1x\n";
        assert_eq!(parse(text).count(), 0);
    }
}
