//! The words behind `tests/faults/run`.

use crate::invariant::Limits;

/// What was asked for.
pub(crate) struct Options {
    pub(crate) seed: u64,
    /// Of the default interval.
    pub(crate) hours: f64,
    pub(crate) limits: Limits,
}

impl Options {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { seed: u64::from(fastrand::u16(..)), hours: 2.0, limits: Limits::default() };
        while let Some(word) = words.next() {
            // cargo says so to every benchmark.
            if word == "--bench" {
                continue;
            }
            let value = words.next().ok_or(format!("{word} needs a value"))?;
            let number =
                |text: &str| text.parse::<f64>().map_err(|error| format!("'{text}': {error}"));
            match word.as_str() {
                "--seed" => options.seed = value.parse().map_err(|error| format!("{error}"))?,
                "--hours" => options.hours = number(&value)?,
                "--hold" => {
                    let (name, limit) = value.split_once('=').ok_or("--hold takes NAME=VALUE")?;
                    options.limits.set(name, number(limit)?)?;
                }
                other => return Err(format!("there is no option '{other}'")),
            }
        }
        Ok(options)
    }
}
