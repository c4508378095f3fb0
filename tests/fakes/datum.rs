//! One datum of PutMetricData, and the documented limits of a call.
//!
//! A new limit is one line in `check` or `check_datum`, with the code that the service
//! answers.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ciborium::Value;

const MAX_DATUMS: usize = 1000;
const MAX_VALUES: usize = 150;
const MAX_DIMENSIONS: usize = 30;
const HOUR: f64 = 3600.0;
const UNITS: &[&str] = &[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// One metric datum.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Datum {
    pub(crate) name: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) unit: Option<String>,
    /// Seconds since the epoch, when the caller gave them.
    pub(crate) timestamp: Option<f64>,
    pub(crate) value: Option<f64>,
    pub(crate) values: Vec<f64>,
    pub(crate) counts: Vec<f64>,
    /// Count, sum, minimum, maximum.
    pub(crate) statistics: Option<[f64; 4]>,
    pub(crate) resolution: Option<i64>,
}

/// Why a call was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Says no.
pub(crate) fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.into() })
}

fn invalid<T>(message: impl Into<String>) -> Result<T, Refusal> {
    refuse("InvalidParameterValue", message)
}

/// The namespace and the datums of a call, if every one of them is within the limits.
pub(crate) fn check(body: &Value) -> Result<(String, Vec<Datum>), Refusal> {
    known(body, &["Namespace", "MetricData", "EntityMetricData", "StrictEntityValidation"])?;
    let Some(namespace) = field(body, "Namespace").and_then(Value::as_text) else {
        return refuse("MissingParameter", "Namespace is missing");
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "./-_#: ".contains(c);
    if namespace.is_empty()
        || namespace.len() > 255
        || namespace.starts_with(':')
        || !namespace.chars().all(legal)
    {
        return invalid(format!("Namespace {namespace:?} is not valid"));
    }
    if namespace.starts_with("AWS/") {
        return invalid("Namespace AWS/ is reserved");
    }
    let Some(data) = field(body, "MetricData").and_then(Value::as_array) else {
        return refuse("MissingParameter", "MetricData is missing");
    };
    if data.is_empty() || data.len() > MAX_DATUMS {
        return invalid(format!("{} datums in one call", data.len()));
    }
    let datums = data.iter().map(check_datum).collect::<Result<_, _>>()?;
    Ok((namespace.to_owned(), datums))
}

fn check_datum(data: &Value) -> Result<Datum, Refusal> {
    known(
        data,
        &[
            "MetricName",
            "Dimensions",
            "Timestamp",
            "Value",
            "StatisticValues",
            "Values",
            "Counts",
            "Unit",
            "StorageResolution",
        ],
    )?;
    let name = string(data, "MetricName", 255)?;
    let mut datum = Datum { name: name.clone(), ..Datum::default() };
    for dimension in field(data, "Dimensions").and_then(Value::as_array).into_iter().flatten() {
        let key = string(dimension, "Name", 255)?;
        let value = string(dimension, "Value", 1024)?;
        if key.starts_with(':') || value.trim().is_empty() {
            return invalid(format!("{name}: dimension {key:?}={value:?}"));
        }
        if datum.dimensions.insert(key.clone(), value).is_some() {
            return invalid(format!("{name}: dimension {key} is given twice"));
        }
    }
    if datum.dimensions.len() > MAX_DIMENSIONS {
        return invalid(format!("{name}: {} dimensions", datum.dimensions.len()));
    }
    if let Some(unit) = field(data, "Unit") {
        let unit = unit.as_text().unwrap_or("");
        if !UNITS.contains(&unit) {
            return invalid(format!("{name}: unit {unit:?}"));
        }
        datum.unit = Some(unit.to_owned());
    }
    datum.timestamp = timestamp(data, &name)?;
    datum.resolution = match field(data, "StorageResolution").map(number) {
        None => None,
        Some(Some(1.0)) => Some(1),
        Some(Some(60.0)) => Some(60),
        Some(other) => return invalid(format!("{name}: storage resolution {other:?}")),
    };
    if let Some(value) = field(data, "Value") {
        datum.value = Some(finite(Some(value), &name)?);
    }
    datum.values = numbers(data, "Values", &name)?;
    datum.counts = numbers(data, "Counts", &name)?;
    if let Some(set) = field(data, "StatisticValues") {
        let mut statistics = [0.0; 4];
        for (slot, key) in statistics.iter_mut().zip(["SampleCount", "Sum", "Minimum", "Maximum"]) {
            *slot = finite(field(set, key), &name)?;
        }
        if statistics[0] <= 0.0 || statistics[2] > statistics[3] {
            return invalid(format!("{name}: statistics {statistics:?}"));
        }
        datum.statistics = Some(statistics);
    }
    if datum.values.len() > MAX_VALUES {
        return invalid(format!("{name}: {} values", datum.values.len()));
    }
    if !datum.counts.is_empty() && datum.counts.len() != datum.values.len() {
        return invalid(format!(
            "{name}: {} counts for {} values",
            datum.counts.len(),
            datum.values.len()
        ));
    }
    if datum.counts.iter().any(|count| *count <= 0.0) {
        return invalid(format!("{name}: a count that is not positive"));
    }
    let given = [datum.value.is_some(), !datum.values.is_empty(), datum.statistics.is_some()]
        .iter()
        .filter(|g| **g)
        .count();
    match given {
        1 => Ok(datum),
        0 => refuse("MissingParameter", format!("{name}: no value")),
        _ => refuse("InvalidParameterCombination", format!("{name}: more than one kind of value")),
    }
}

fn timestamp(data: &Value, name: &str) -> Result<Option<f64>, Refusal> {
    let at = match field(data, "Timestamp") {
        None => return Ok(None),
        Some(Value::Tag(1, at)) => number(at),
        Some(_) => None,
    };
    let Some(at) = at else {
        return refuse(
            "SerializationException",
            format!("{name}: the timestamp is not tagged epoch seconds"),
        );
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    if at < now - 14.0 * 24.0 * HOUR || at > now + 2.0 * HOUR {
        return invalid(format!("{name}: the timestamp is {:.0} s away from now", at - now));
    }
    Ok(Some(at))
}

fn known(value: &Value, keys: &[&str]) -> Result<(), Refusal> {
    let Some(map) = value.as_map() else {
        return refuse("SerializationException", "not a structure");
    };
    match map.iter().find(|(key, _)| !key.as_text().is_some_and(|key| keys.contains(&key))) {
        None => Ok(()),
        Some((key, _)) => refuse("SerializationException", format!("unknown member {key:?}")),
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let (_, value) = value.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name))?;
    (!value.is_null()).then_some(value)
}

fn string(value: &Value, name: &str, longest: usize) -> Result<String, Refusal> {
    let text = field(value, name).and_then(Value::as_text).unwrap_or("");
    if text.is_empty()
        || text.len() > longest
        || !text.is_ascii()
        || text.chars().any(|c| c.is_ascii_control())
    {
        return invalid(format!("{name} {text:?} is not valid"));
    }
    Ok(text.to_owned())
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        #[allow(clippy::cast_precision_loss, reason = "the service stores doubles too")]
        Value::Integer(integer) => Some(i128::from(*integer) as f64),
        _ => None,
    }
}

fn finite(value: Option<&Value>, name: &str) -> Result<f64, Refusal> {
    match value.and_then(number) {
        Some(value) if value.is_finite() && value.abs() <= 2f64.powi(360) => Ok(value),
        other => invalid(format!("{name}: value {other:?}")),
    }
}

fn numbers(data: &Value, key: &str, name: &str) -> Result<Vec<f64>, Refusal> {
    let list = field(data, key).and_then(Value::as_array);
    list.into_iter().flatten().map(|value| finite(Some(value), name)).collect()
}
