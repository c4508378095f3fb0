//! What is declared about one key: its doc, its shape and its default, for
//! those who ask about a key by its path.

use serde_json::Value;

use super::shape::{Field, Shape};
use crate::config::node::Node;
use crate::config::path::KeyPath;

/// What is declared about a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The tag and the word on which this depends, such as `type` and `log`.
    pub when: Option<(&'static str, &'static str)>,
    /// What the key is for. An entry of the user's has the doc of its table.
    pub doc: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// What it is where nobody sets it.
    pub default: Option<Value>,
}

/// The keys of a reference to a secret, each with what it is for.
const REFERENCE: &[(&str, &str)] = &[
    ("ssm", "The parameter in SSM Parameter Store that holds the secret."),
    ("secretsmanager", "The secret in Secrets Manager, by its name or ARN."),
    ("key", "The field of a secret that is a JSON object."),
    ("file", "The file that holds the secret."),
];

impl Shape {
    /// What is declared about the key at `path`; nothing where there is no such
    /// key. Where that depends on a tag, the word that `config` has for the tag
    /// decides. Without one, or where its table has no such key, every
    /// declaration counts.
    pub fn declared(&self, path: &[String], config: Option<&Node>) -> Vec<Declared> {
        let doc = "Everything that can be configured.";
        let start = Declared { when: None, doc, shape: self.clone(), default: None };
        let mut found = Vec::new();
        start.descend(path, config, &mut found);
        found
    }
}

impl Declared {
    fn descend(self, path: &[String], config: Option<&Node>, found: &mut Vec<Declared>) {
        let Some((key, rest)) = path.split_first() else {
            found.push(self);
            return;
        };
        let below = config.and_then(|node| node.get(&KeyPath::root().child(key)));
        match &self.shape {
            Shape::Table(fields) => {
                if let Some(field) = named(fields, key) {
                    Self::of(field, self.when).descend(rest, below, found);
                }
            }
            Shape::Map(entry) => {
                // The default of a table counts only as long as nobody sets any of it.
                let default = self.default.as_ref().filter(|_| config.is_none());
                let default = default.and_then(|table| table.get(key)).cloned();
                let shape = (**entry).clone();
                Self { shape, default, ..self }.descend(rest, below, found);
            }
            Shape::Variants { tag, words, .. } if key == tag => {
                let doc = "Which kind it is. The other keys depend on it.";
                let shape = Shape::Choice(words);
                Self { when: None, doc, shape, default: None }.descend(rest, below, found);
            }
            Shape::Variants { tag, variants, .. } => {
                let word = config.and_then(|node| node.get(&KeyPath::root().child(tag)));
                let word = word.map(Node::to_value);
                let word = word.as_ref().and_then(Value::as_str);
                let having = |wanted: Option<&str>| -> Vec<Declared> {
                    let wanted = |word| wanted.is_none_or(|wanted| wanted == word);
                    let variants = variants.iter().filter(|(word, _)| wanted(*word));
                    let field = |(word, fields): &(&'static str, Vec<Field>)| {
                        named(fields, key).map(|field| Self::of(field, Some((tag, word))))
                    };
                    variants.filter_map(field).collect()
                };
                let mut those = having(word);
                if those.is_empty() {
                    those = having(None);
                }
                for one in those {
                    one.descend(rest, below, found);
                }
            }
            Shape::Secret if rest.is_empty() => {
                if let Some((_, doc)) = REFERENCE.iter().find(|(known, _)| known == key) {
                    found.push(Self { doc, shape: Shape::Text, default: None, ..self });
                }
            }
            Shape::Free => found.push(Self { default: None, ..self }),
            _ => {}
        }
    }

    fn of(field: &Field, when: Option<(&'static str, &'static str)>) -> Self {
        let Field { doc, shape, default, .. } = field;
        Self { when, doc, shape: shape.clone(), default: default.clone() }
    }

    /// What it is for, as one line.
    pub fn doc_line(&self) -> String {
        one_line(self.doc)
    }
}

impl Field {
    /// What it is for, as one line.
    pub fn doc_line(&self) -> String {
        one_line(self.doc)
    }
}

fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn named<'a>(fields: &'a [Field], key: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.key == key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::schema::Setting;
    use crate::config::{LayerName, Origin, Settings};

    /// The doc's first words and the default of each declaration.
    fn declared(key: &str, config: Option<Value>) -> Vec<(String, Option<Value>)> {
        let origin = Origin {
            layer: LayerName::Local,
            source: "x".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let config = config.map(|config| Node::from_value(&config, &origin));
        let key: KeyPath = key.split('.').filter(|part| !part.is_empty()).collect();
        let found = Settings::shape().declared(key.segments(), config.as_ref());
        let begin = |doc: String| doc.split(' ').take(3).collect::<Vec<_>>().join(" ");
        found.into_iter().map(|one| (begin(one.doc_line()), one.default)).collect()
    }

    #[test]
    fn a_key_is_found_in_tables_entries_and_the_user_s_own_data() {
        for (key, doc, default) in [
            ("", "Everything that can", None),
            ("metrics", "What is measured,", None),
            ("metrics.interval", "How often the", Some(json!("10s"))),
            ("service.web", "The services whose", None),
            ("service.web.fail_after", "How many looks", Some(json!(3))),
            ("scope.service.import.Name", "Tags without the", None),
            ("sink.x.type", "Which kind it", None),
            ("sink.x.dimensions.InstanceId", "Dimensions on every", None),
            ("sink.x.labels.instance", "Labels on every", Some(json!("{instance_id}"))),
            ("configuration.vault_password.ssm", "The parameter in", None),
            ("vars.a.b.c", "Free data for", None),
        ] {
            assert_eq!(declared(key, None), [(doc.to_owned(), default)], "{key}");
        }
        for key in ["metric", "metrics.interval.x", "service.web.x", "sink.x.y", "sink.x.bearer.x"]
        {
            assert_eq!(declared(key, None), [], "{key}");
        }
    }

    #[test]
    fn the_word_that_is_set_decides_and_every_declaration_counts_without_one() {
        assert_eq!(declared("sink.x.flush", None).len(), 4);
        let sink = |word: &str| Some(json!({ "sink": { "x": { "type": word } } }));
        let only = |key: &str, word: &str| declared(key, sink(word));
        assert_eq!(
            only("sink.x.flush", "log"),
            [("How often samples".to_owned(), Some(json!("60s")))]
        );
        assert_eq!(only("sink.x.flush", "remote_write")[0].1, Some(json!("10s")));
        // A sink of this type has no such key; others have.
        assert_eq!(only("sink.x.url", "log").len(), 2);
        assert_eq!(only("sink.y.flush", "log").len(), 4);
    }

    #[test]
    fn the_default_of_a_table_is_gone_when_any_of_it_is_set() {
        let labels = json!({ "sink": { "x": { "type": "remote_write", "labels": { "a": "b" } } } });
        assert_eq!(declared("sink.x.labels.instance", Some(labels))[0].1, None);
    }
}
