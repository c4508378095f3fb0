//! References to secrets. Configuration never holds a secret, only where it is
//! kept; what resolves a reference is `scope::secrets`, as late as possible.

use std::fmt;

use serde_json::{Map, Value};

use super::node::Node;
use super::path::KeyPath;
use super::schema::{Reader, Setting, Shape};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// A parameter in SSM Parameter Store: `{ ssm = "/path" }`.
    Ssm(String),
    /// A secret in Secrets Manager: `{ secretsmanager = "id", key = "field" }`,
    /// where `key` names a field of a secret that is a JSON object.
    SecretsManager {
        /// The secret's name or ARN.
        id: String,
        /// The field, for a secret that is a JSON object.
        key: Option<String>,
    },
    /// A file, such as one that systemd's LoadCredential leaves:
    /// `{ file = "/run/credentials/x" }`.
    File(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Ssm(name) => write!(formatter, "ssm:{name}"),
            SecretRef::SecretsManager { id, key: None } => {
                write!(formatter, "secretsmanager:{id}")
            }
            SecretRef::SecretsManager { id, key: Some(key) } => {
                write!(formatter, "secretsmanager:{id}#{key}")
            }
            SecretRef::File(path) => write!(formatter, "file:{path}"),
        }
    }
}

const EXAMPLE: &str = "a reference such as { ssm = \"/path\" }, \
     { secretsmanager = \"id\", key = \"field\" } or { file = \"/run/credentials/x\" }";

impl SecretRef {
    /// The reference that a table spells; `None` where it spells none.
    pub fn from_table(table: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
        match (table.len(), text("ssm"), text("secretsmanager"), text("file")) {
            (1, Some(name), None, None) => Some(SecretRef::Ssm(name)),
            (1, None, Some(id), None) => Some(SecretRef::SecretsManager { id, key: None }),
            (2, None, Some(id), None) => {
                Some(SecretRef::SecretsManager { id, key: Some(text("key")?) })
            }
            (1, None, None, Some(path)) => Some(SecretRef::File(path)),
            _ => None,
        }
    }
}

/// Whether a table spells a reference to a secret.
pub(crate) fn is_reference(table: &Map<String, Value>) -> bool {
    SecretRef::from_table(table).is_some()
}

/// Whether a node spells a reference to a secret.
pub(crate) fn is_reference_node(node: &Node) -> bool {
    matches!(node.to_value(), Value::Object(table) if is_reference(&table))
}

impl Setting for SecretRef {
    fn shape() -> Shape {
        Shape::Secret
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let reference = match node.to_value() {
            Value::Object(table) => SecretRef::from_table(&table),
            _ => None,
        };
        if reference.is_none() {
            // Whatever stands here may be the secret itself: it is not shown.
            reader.hidden_problem(node, path, &format!("must be {EXAMPLE}"));
        }
        reference
    }
}
