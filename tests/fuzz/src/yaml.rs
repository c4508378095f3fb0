//! Reads the YAML that gild writes for Ansible, by another reader's rules: what
//! is quoted is a text, whatever its tag says; what is plain is a number, a
//! truth or nothing.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The one value that a text holds.
pub fn value(text: &str) -> Value {
    let mut events = Parser::new_from_str(text).map(|event| event.expect("valid YAML").0);
    loop {
        match events.next().expect("a value") {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => return of(event, &mut events),
        }
    }
}

fn plain(text: &str) -> Option<Value> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(Value::from(value));
    }
    if let Ok(value) = text.parse::<u64>() {
        return Some(Value::from(value));
    }
    match text {
        "null" => Some(Value::Null),
        "true" | "false" => Some(Value::from(text == "true")),
        // Floats by the standard library, which rounds them right.
        _ => Some(Value::from(text.parse::<f64>().ok()?)),
    }
}

fn of<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            plain(&text).expect("a number, a truth or nothing")
        }
        Event::Scalar(text, ..) => Value::String(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next().expect("an end") {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(of(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut table = Map::new();
            loop {
                match events.next().expect("an end") {
                    Event::MappingEnd => return Value::Object(table),
                    key => {
                        let Value::String(key) = of(key, events) else { panic!("a key is a text") };
                        let below = events.next().expect("a value");
                        let before = table.insert(key, of(below, events));
                        assert!(before.is_none(), "no key twice");
                    }
                }
            }
        }
        other => panic!("nothing else is written: {other:?}"),
    }
}
