//! Hostile text on its way to the playbook.

use super::*;

#[tokio::test]
async fn hostile_text_arrives_as_text() {
    let mut host = Host::with_tasks(
        "- ansible.builtin.copy:\n    content: \"{{ dump | to_json }}\"\n    dest: \"{{ out }}\"\n\
         - ansible.builtin.debug: {msg: \"{{ item.key }} {{ item.value }}\"}\n  loop: \"{{ dump | dict2items }}\"\n\
         - ansible.builtin.copy:\n    content: \"{{ gild | to_json }}\"\n    dest: \"{{ out }}.facts\"\n\
         - ansible.builtin.copy:\n    content: \"{{ plain }}\"\n    dest: \"{{ out }}.plain\"\n",
    );
    let pwned = host.path("pwned");
    let hostile = format!("{{{{ lookup('pipe','touch {}') }}}}", pwned.display());
    let awkward =
        "a b\t\"c\" 'd'\n\n  $(touch x) `y` \\n # no: comment, é \u{2028}😀\u{7f}\u{1} {% if %} ";
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.vars.insert("plain".to_owned(), json!(hostile));
    let dump = json!({
        "hostile": hostile,
        "awkward": awkward,
        "in a list": [hostile, {"deep": awkward}],
        hostile.clone(): "on",
        "long ".repeat(300): "0x10",
        "words": ["yes", "null", "~", "no\n", "0x10", "1:30", "=", "<<", "1e3", "2001-01-01", "!unsafe x", "", "@x", "$ANSIBLE_VAULT;1.1"],
        "numbers": [0, -5, u64::MAX, 0.1, 1e30, -1.5e-7, 100.0],
        "none": null,
        "truth": [true, false],
        "empty": {"list": [], "table": {}},
    });
    host.vars.insert("dump".to_owned(), dump.clone());
    // Names that no variable may have do no harm either.
    host.vars.insert(hostile.clone(), json!(1));
    host.vars.insert("a-b c".to_owned(), json!(1));
    host.tags.insert("gild:note".to_owned(), hostile.clone());
    host.tags.insert("gild:other".to_owned(), awkward.to_owned());
    let result = host.run().await;
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(host.path(name)).unwrap()).unwrap()
    };
    assert_eq!(read("out"), dump);
    assert_eq!(read("out.facts")["tags"]["gild:note"], json!(hostile));
    assert_eq!(read("out.facts")["tags"]["gild:other"], json!(awkward));
    assert_eq!(read("out.facts")["region"], json!("eu-west-1"));
    assert_eq!(fs::read_to_string(host.path("out.plain")).unwrap(), hostile);
    assert!(!pwned.exists());
}
