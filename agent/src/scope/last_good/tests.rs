//! Copies: whose they are, and what damage does to them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::config::format::Format;

fn store(root: &Path, account: &str) -> LastGood {
    LastGood::new(&Paths::installed(root), Some(account.to_owned()), &Copies::Kept)
}

fn subject() -> Subject {
    Subject { layer: LayerName::Global, source: "https://h/x".into(), instance: None }
}

fn text(body: &str) -> Text {
    Text {
        name: "https://h/x".into(),
        version: Some("1".into()),
        etag: Some("\"1\"".into()),
        kind: Kind::Document(Format::Toml),
        body: body.into(),
    }
}

fn keep(store: &LastGood, text: &Text) {
    let layer = Layer {
        name: LayerName::Global,
        source: "https://h/x".into(),
        version: None,
        last_good: false,
        document: text.parse(None).unwrap(),
    };
    store.keep(&subject(), std::slice::from_ref(text), &[layer]).unwrap();
}

fn file(root: &Path) -> PathBuf {
    let entry = fs::read_dir(root.join("var/lib/gild/last-good")).unwrap().next();
    entry.unwrap().unwrap().path()
}

#[test]
fn a_copy_comes_back_for_its_account_only() {
    let root = tempfile::tempdir().unwrap();
    let kept = text("vars.a = \"1\"\n");
    keep(&store(root.path(), "1"), &kept);
    let copy = store(root.path(), "1").load(&subject(), None).unwrap();
    assert_eq!(copy.texts, [kept]);
    assert_eq!(copy.etag(), Some("\"1\""));
    assert!(store(root.path(), "2").load(&subject(), None).is_none());
    let other = Subject { instance: Some("i-1".into()), ..subject() };
    assert!(store(root.path(), "1").load(&other, None).is_none());
    let mode = fs::metadata(file(root.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn what_is_remembered_stands_before_what_is_kept_and_leaves_it_alone() {
    let root = tempfile::tempdir().unwrap();
    let (old, new) = (text("vars.a = \"1\"\n"), text("vars.a = \"2\"\n"));
    keep(&store(root.path(), "1"), &old);
    let account = Some("1".to_owned());
    let copies = Copies::Remembered(Memory::default());
    let paths = Paths::installed(root.path());
    keep(&LastGood::new(&paths, account.clone(), &copies), &new);
    let remembering = LastGood::new(&paths, account, &copies);
    assert_eq!(remembering.load(&subject(), None).unwrap().texts, [new]);
    assert_eq!(store(root.path(), "1").load(&subject(), None).unwrap().texts, [old]);
}

#[test]
fn a_copy_knows_the_role_that_read_it_on_this_instance() {
    let root = tempfile::tempdir().unwrap();
    let by = |instance: &str, role: &str| {
        let reader = Reader { instance: instance.to_owned(), role: role.to_owned() };
        store(root.path(), "1").read_by(Some(reader))
    };
    keep(&store(root.path(), "1"), &text("vars.a = \"1\"\n"));
    let unknown = store(root.path(), "1").load(&subject(), None).unwrap();
    let now = by("i-1", "weak");
    assert_eq!((now.replaced_role(&unknown), now.changes_hands(&unknown)), (None, true));
    keep(&by("i-1", "strong"), &text("vars.a = \"1\"\n"));
    let copy = now.load(&subject(), None).unwrap();
    assert_eq!(now.replaced_role(&copy), Some(("strong", "weak")));
    for (other, changes) in
        [(by("i-1", "strong"), false), (by("i-2", "weak"), true), (store(root.path(), "1"), false)]
    {
        let found = (other.replaced_role(&copy), other.changes_hands(&copy));
        assert_eq!(found, (None, changes), "{other:?}");
    }
}

#[test]
fn nothing_empty_replaces_a_copy() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path(), "1");
    let kept = text("vars.a = \"1\"\n");
    keep(&store, &kept);
    keep(&store, &text(""));
    assert_eq!(store.load(&subject(), None).unwrap().texts, [kept]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_file_is_an_absent_one(at in 0usize..400, with in any::<u8>(), cut in any::<bool>()) {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), "1");
        keep(&store, &text("vars.a = \"1\"\n"));
        let path = file(root.path());
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = with }
        fs::write(&path, bytes).unwrap();
        // No panic; what is given parses.
        if let Some(copy) = store.load(&subject(), None) {
            prop_assert!(copy.texts.iter().all(|text| text.parse(None).is_ok()));
        }
    }
}
