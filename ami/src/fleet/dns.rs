//! Hosted zones and their records.

use std::str::FromStr;

use serde::Serialize;

/// The name of a zone: without the dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneName(pub String);

impl FromStr for ZoneName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
            !label.is_empty() && label.len() <= 63 && label.bytes().all(fits)
        };
        match name.split('.').all(is_label) {
            true => Ok(Self(name)),
            false => Err("must be a zone's name, such as stg.example.com"),
        }
    }
}

/// A hosted zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: String,
    /// Its name, without the dot at its end.
    pub name: String,
    /// Whether only networks of the account see it.
    pub is_private: bool,
    /// The regions of those networks.
    pub regions: Vec<String>,
    /// Its records.
    pub records: Vec<Record>,
}

/// A set of records of one name and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its whole name, without the dot at its end.
    pub name: String,
    /// `A`, …
    pub kind: String,
    /// In seconds.
    pub ttl: i64,
    /// What it says.
    pub values: Vec<String>,
    /// Whether it stands for another thing of AWS's.
    pub is_alias: bool,
    /// Whether there are others of its name, by weight or place.
    pub is_one_of_many: bool,
}
