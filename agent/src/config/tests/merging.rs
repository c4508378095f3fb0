use serde_json::json;

use super::{layer, toml_layer};
use crate::config::Node;
use crate::config::merge::Merged;
use crate::config::origin::LayerName;
use crate::config::path::KeyPath;

fn leaf<'a>(merged: &'a Merged, key: &str) -> &'a crate::config::node::Leaf {
    match merged.root.get(&KeyPath::parse(key).unwrap()) {
        Some(crate::config::Node::Leaf(leaf)) => leaf,
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn tables_merge_and_values_and_arrays_are_replaced() {
    let merged = Merged::fold(&[
        layer(LayerName::Global, "g", json!({ "a": { "x": 1, "y": [1, 2] }, "b": "low" })),
        layer(LayerName::Account, "a", json!({ "a": { "y": [3] }, "b": "high" })),
    ]);
    assert_eq!(merged.root.to_value(), json!({ "a": { "x": 1, "y": [3] }, "b": "high" }));
    assert!(merged.conflicts.is_empty());
}

#[test]
fn a_value_names_its_winner_and_every_loser() {
    let merged = Merged::fold(&[
        toml_layer(LayerName::Image, "image.toml", "\n\n[m]\ni = \"10s\"\n"),
        toml_layer(LayerName::Global, "https://b/g.toml", "[m]\ni = \"20s\"\n"),
        layer(LayerName::Service, "tags:gild:", json!({ "m": { "i": "30s" } })),
    ]);
    let leaf = leaf(&merged, "m.i");
    assert_eq!(leaf.value, "30s");
    assert_eq!(leaf.origin.to_string(), "service tags:gild:");
    let losers: Vec<_> =
        leaf.overrode.iter().map(|loser| (loser.value.clone(), loser.origin.to_string())).collect();
    assert_eq!(
        losers,
        [
            (json!("20s"), "global https://b/g.toml:2".to_owned()),
            (json!("10s"), "image image.toml:4".to_owned()),
        ]
    );
}

#[test]
fn unset_takes_away_what_lower_layers_set() {
    let mut higher = layer(LayerName::Local, "l", json!({ "s": { "two": { "t": 2 } } }));
    higher.document.unset = vec![KeyPath::parse("s.one").unwrap(), KeyPath::parse("no").unwrap()];
    let merged = Merged::fold(&[
        layer(LayerName::Global, "g", json!({ "s": { "one": { "t": 1 }, "two": { "t": 1 } } })),
        higher,
    ]);
    assert_eq!(merged.root.to_value(), json!({ "s": { "two": { "t": 2 } } }));
}

#[test]
fn a_table_against_a_value_is_a_conflict_that_names_both_origins() {
    let merged = Merged::fold(&[
        toml_layer(LayerName::Global, "g.toml", "[a]\nb = 1\n"),
        toml_layer(LayerName::Account, "a.toml", "a = \"text\"\n"),
        toml_layer(LayerName::Service, "tags", "a.b = \"text\"\n"),
    ]);
    assert_eq!(merged.root.to_value(), json!({ "a": { "b": 1 } }));
    let texts: Vec<_> = merged
        .conflicts
        .iter()
        .map(|conflict| format!("{} {} {}", conflict.higher.1, conflict.path, conflict.text()))
        .collect();
    assert_eq!(
        texts,
        [
            "account a.toml:1 a is a text here and a table in global g.toml:1; \
             a key must keep its type",
            "service tags:1 a.b is a text here and a number in global g.toml:2; \
             a key must keep its type",
        ]
    );
}

#[test]
fn a_reference_to_a_secret_is_replaced_as_one_thing() {
    let merged = Merged::fold(&[
        layer(LayerName::Global, "g", json!({ "p": { "secretsmanager": "id", "key": "k" } })),
        layer(LayerName::Account, "a", json!({ "p": { "ssm": "/p" } })),
    ]);
    assert_eq!(merged.root.to_value(), json!({ "p": { "ssm": "/p" } }));
}

#[test]
fn a_tree_is_made_of_its_leaves_again() {
    let layers = [
        layer(LayerName::Global, "g", json!({ "a": { "b": 1, "c.d": { "e": [2] } }, "f": true })),
        layer(LayerName::Account, "a", json!({ "a": { "b": 3 } })),
    ];
    let root = Merged::fold(&layers).root;
    let leaves = || root.leaves().into_iter().map(|(path, leaf)| (path, leaf.clone()));
    let again = Node::from_leaves(leaves(), root.origin()).unwrap();
    assert_eq!(again.leaves(), root.leaves());
    // A value where there is also a table, and a value that is there twice.
    let (_, leaf) = leaves().next().unwrap();
    for twice in [["a", "a.b"], ["a.b", "a"], ["a", "a"], ["a", ""]] {
        let leaves = twice.map(|key| (KeyPath::parse(key).unwrap(), leaf.clone()));
        assert_eq!(Node::from_leaves(leaves, root.origin()), None, "{twice:?}");
    }
}
