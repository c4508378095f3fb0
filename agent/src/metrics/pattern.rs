//! Patterns of metric names: a name, or a beginning with `*` after it.

/// Whether `pattern` stands for `name`.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// The place of the first pattern that stands for `name`.
pub fn place(patterns: &[String], name: &str) -> Option<usize> {
    patterns.iter().position(|pattern| matches(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_stands_for_any_rest() {
        assert!(matches("*", "anything"));
        assert!(matches("cpu_*", "cpu_usage_idle"));
        assert!(!matches("cpu_*", "mem_used"));
        assert!(matches("mem_used", "mem_used"));
        assert!(!matches("mem_used", "mem_used_percent"));
        assert!(!matches("cpu_*_idle", "cpu_usage_idle"));
    }
}
