//! Files that hold what gild says to people and programs, so that a change is
//! seen. `GILD_REFRESH_GOLDEN=1` writes them anew.

use std::fs;
use std::path::Path;

/// Holds `text` against the golden file of that name.
pub(crate) fn matches(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name);
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::write(&path, text).expect("the golden file is written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "tests/golden/{name} is not what gild says now; look at the difference and set \
         GILD_REFRESH_GOLDEN=1 once:\n{text}"
    );
}
