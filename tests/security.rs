//! `SECURITY.md`: every claim in it names a test that holds it, and that test is there.

use std::fs;
use std::path::Path;

#[test]
fn every_claim_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let claims = text.split("## Claims").nth(1).unwrap().split("\n## ").next().unwrap();
    let claims: Vec<&str> = claims.lines().filter(|line| line.starts_with("- ")).collect();
    assert!(claims.len() >= 15, "{}", claims.len());
    for claim in claims {
        let named: Vec<_> =
            claim.split('`').skip(1).step_by(2).filter_map(|text| text.split_once(": ")).collect();
        assert!(!named.is_empty(), "no test holds: {claim}");
        for (file, name) in named {
            let source = fs::read_to_string(root.join(file)).unwrap_or_default();
            let (before, _) = source
                .split_once(&format!("fn {name}("))
                .unwrap_or_else(|| panic!("{file}: {name}"));
            let attributes = before.rsplit("\n\n").next().unwrap();
            assert!(attributes.contains("test"), "'{name}' of {file} is no test");
        }
    }
}
