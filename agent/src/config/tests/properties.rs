//! What holds for the merge of any layers. The expected answers come from the
//! layers alone, one path at a time, and not from a second merge.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::layer;
use crate::config::merge::{Layer, Merged};
use crate::config::origin::{LayerName, Origin};
use crate::config::path::KeyPath;
use crate::config::trust::Finals;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..3i64).prop_map(Value::from),
        "[xy]{1,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec((0..3i64).prop_map(Value::from), 0..3).prop_map(Value::from),
    ]
}

/// Tables with few keys, so that layers meet.
fn table() -> impl Strategy<Value = Value> {
    let value = scalar().prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[abc]", inner, 0..3)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()))
    });
    prop::collection::btree_map("[abc]", value, 0..4)
        .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>()))
}

fn paths() -> impl Strategy<Value = Vec<KeyPath>> {
    let path = prop::collection::vec("[abc]", 1..4).prop_map(KeyPath::from_iter);
    prop::collection::vec(path, 0..3)
}

/// The values of a layer, and what it takes away.
fn document() -> impl Strategy<Value = (Value, Vec<KeyPath>)> {
    (table(), paths())
}

const NAMES: [LayerName; 3] = [LayerName::Global, LayerName::Account, LayerName::Service];

fn triple() -> impl Strategy<Value = [Layer; 3]> {
    [document(), document(), document()].prop_map(|documents| {
        let mut names = NAMES.into_iter();
        documents.map(|(values, unset)| {
            let name = names.next().unwrap();
            let mut layer = layer(name, name.label(), values);
            layer.document.unset = unset;
            layer
        })
    })
}

/// The values of a layer by their paths, tables left out.
fn leaves(layer: &Layer) -> Vec<(KeyPath, Value)> {
    fn walk(table: &Map<String, Value>, path: &KeyPath, found: &mut Vec<(KeyPath, Value)>) {
        for (key, value) in table {
            match value {
                Value::Object(below) => walk(below, &path.child(key), found),
                leaf => found.push((path.child(key), leaf.clone())),
            }
        }
    }
    let mut found = Vec::new();
    walk(&layer.document.root, &KeyPath::root(), &mut found);
    found
}

/// Whether the merge left out, for a conflict, what a layer says at a path.
fn left_out(merged: &Merged, layer: &Layer, path: &KeyPath) -> bool {
    merged
        .conflicts
        .iter()
        .any(|conflict| conflict.higher.1.layer == layer.name && path.is_within(&conflict.path))
}

/// Who set a path and was neither left out nor taken away since, the last first.
fn setters<'a>(merged: &Merged, layers: &'a [Layer], path: &KeyPath) -> Vec<(&'a Layer, Value)> {
    let mut setters = Vec::new();
    for layer in layers.iter().rev() {
        let value = leaves(layer).into_iter().find(|(key, _)| key == path);
        if let Some((_, value)) = value.filter(|_| !left_out(merged, layer, path)) {
            setters.push((layer, value));
        }
        // What a layer takes away, it takes from those below it.
        if layer.document.unset.iter().any(|key| path.is_within(key)) {
            break;
        }
    }
    setters
}

/// The same layers from other places.
fn moved(layers: &[Layer; 3]) -> [Layer; 3] {
    layers.clone().map(|mut layer| {
        layer.source = format!("https://elsewhere/{}", layer.name).into();
        layer.version = Some("7".into());
        layer.last_good = true;
        layer.document.lines = leaves(&layer).into_iter().map(|(key, _)| (key, 3)).collect();
        layer
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_merge_is_deterministic(layers in triple()) {
        prop_assert_eq!(Merged::fold(&layers), Merged::fold(&layers));
        prop_assert_eq!(Merged::fold(&layers), Merged::fold(&layers.clone()));
    }

    #[test]
    fn a_layer_merged_twice_in_a_row_is_a_layer_merged_once(layers in triple(), at in 0..3usize) {
        let mut twice: Vec<&Layer> = layers.iter().collect();
        twice.insert(at, &layers[at]);
        let (once, twice) = (Merged::fold(&layers), Merged::fold(twice));
        prop_assert_eq!(once.canonical(), twice.canonical());
        prop_assert_eq!(once.digest(), twice.digest());
    }

    #[test]
    fn a_merge_of_what_came_of_a_merge_changes_nothing(layers in triple()) {
        let once = Merged::fold(&layers);
        let again = layer(LayerName::Global, "again", once.root.to_value());
        for repeated in [Merged::fold([&again]), Merged::fold([&again, &again])] {
            prop_assert_eq!(&repeated.conflicts, &[]);
            prop_assert_eq!(once.canonical(), repeated.canonical());
            prop_assert_eq!(once.digest(), repeated.digest());
        }
    }

    #[test]
    fn the_last_layer_that_sets_a_key_wins_and_every_loser_is_named_in_order(layers in triple()) {
        let merged = Merged::fold(&layers);
        let told = |origin: &Origin, value: &Value| {
            (origin.layer, origin.source.clone(), value.clone())
        };
        for (path, leaf) in merged.root.leaves() {
            let expected: Vec<_> = setters(&merged, &layers, &path)
                .into_iter()
                .map(|(layer, value)| (layer.name, layer.source.clone(), value))
                .collect();
            let chain: Vec<_> = std::iter::once(told(&leaf.origin, &leaf.value))
                .chain(leaf.overrode.iter().map(|loser| told(&loser.origin, &loser.value)))
                .collect();
            prop_assert_eq!(chain, expected, "at {}", path);
        }
        for conflict in &merged.conflicts {
            prop_assert_ne!(conflict.lower.0, conflict.higher.0);
        }
        // And no value that somebody set is lost.
        for layer in &layers {
            for (path, _) in leaves(layer) {
                let there = merged.root.get(&path).is_some();
                prop_assert!(there || setters(&merged, &layers, &path).is_empty(), "{}", path);
            }
        }
    }

    #[test]
    fn the_digest_changes_exactly_when_a_value_changes(layers in triple(), other in triple()) {
        let (one, two) = (Merged::fold(&layers), Merged::fold(&other));
        let same = one.root.to_value() == two.root.to_value();
        prop_assert_eq!(one.digest() == two.digest(), same);
        let moved = Merged::fold(&moved(&layers));
        prop_assert_eq!(one.digest(), moved.digest());
    }

    #[test]
    fn one_changed_value_changes_the_digest_where_it_shows(
        layers in triple(),
        at in 0..3usize,
        key in "[abc]",
        value in scalar(),
    ) {
        let mut changed = layers.clone();
        changed[at].document.root.insert(key, value);
        let (one, two) = (Merged::fold(&layers), Merged::fold(&changed));
        let same = one.root.to_value() == two.root.to_value();
        prop_assert_eq!(one.digest() == two.digest(), same);
    }

    #[test]
    fn what_is_final_is_what_the_lower_layers_say(layers in triple(), finals in paths()) {
        let [mut lower, mut middle, mut higher] = layers;
        lower.document.finals = finals.clone();
        let expected = Merged::fold([&lower]);
        let mut known = Finals::default();
        known.learn(&lower);
        for layer in [&mut middle, &mut higher] {
            known.enforce(layer);
        }
        let merged = Merged::fold([&lower, &middle, &higher]);
        for path in finals {
            let value = |merged: &Merged| merged.root.get(&path).map(|node| node.to_value());
            prop_assert_eq!(value(&merged), value(&expected), "{}", path);
        }
        // Once is enough.
        prop_assert_eq!(known.enforce(&mut higher), vec![]);
    }
}
