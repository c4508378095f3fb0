//! What probes are aimed at and what they expect, checked when the
//! configuration is read, so that a typing error is a problem of the
//! configuration and not a service that never comes up.
//!
//! To add a kind: a type with `FromStr`, and one line in `settings!` below.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use reqwest::Url;

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};
use crate::platform::http::plain_url;

/// An HTTP or HTTPS URL, without user or password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl(pub Url);

impl FromStr for HttpUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        plain_url(text).map(Self).ok_or(())
    }
}

/// A host, by name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = text.rsplit_once(':').ok_or(())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let usable = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains([':', '/', '[', ']', ' ']),
        };
        let port = port.parse().map_err(drop)?;
        let host = bare.unwrap_or(host).to_owned();
        (usable && port != 0).then_some(Self { host, port }).ok_or(())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

/// The HTTP statuses that count as success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect(Vec<RangeInclusive<u16>>);

impl Expect {
    /// Whether a status is among them.
    pub fn holds(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl FromStr for Expect {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let status = |text: &str| match text.trim().parse() {
            Ok(status @ 100..=599) => Ok(status),
            _ => Err(()),
        };
        let range = |part: &str| match part.split_once("..") {
            Some((first, last)) => {
                let (first, last) = (status(first)?, status(last)?);
                (first <= last).then_some(first..=last).ok_or(())
            }
            None => status(part).map(|status| status..=status),
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, range) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match range.start() == range.end() {
                true => write!(formatter, "{comma}{}", range.start())?,
                false => write!(formatter, "{comma}{}..{}", range.start(), range.end())?,
            }
        }
        Ok(())
    }
}

/// An absolute path of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPath(pub String);

impl FromStr for HostPath {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fine = text.starts_with('/') && !text.contains('\0');
        fine.then(|| Self(text.to_owned())).ok_or(())
    }
}

/// A program by its absolute path, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argv(pub Vec<String>);

impl Setting for Argv {
    fn shape() -> Shape {
        Vec::<String>::shape()
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let argv = Vec::<String>::read(node, path, reader)?;
        let fine = argv.first().is_some_and(|program| program.starts_with('/'))
            && !argv.iter().any(|argument| argument.contains('\0'));
        if !fine {
            let right = "must begin with the absolute path of a program; no shell looks for it";
            reader.problem(node, path, right);
        }
        fine.then_some(Self(argv))
    }
}

macro_rules! settings {
    ($($type:ty: $problem:ident $expected:literal),+ $(,)?) => { $(
        impl Setting for $type {
            fn shape() -> Shape {
                Shape::Text
            }

            fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
                let parse = |text: &str| text.parse().ok();
                reader.spelled(node, path, parse, Reader::$problem, concat!("must be ", $expected))
            }
        }
    )+ };
}

settings! {
    // It may hold a password, so it is not shown.
    HttpUrl: hidden_problem "a URL such as \"http://127.0.0.1/health\", without user or password",
    HostPort: problem "a host and port such as \"127.0.0.1:6379\"",
    HostPath: problem "an absolute path such as \"/var/backups/last\"",
    Expect: problem "a status from 100 to 599, a range such as \"200..299\", or several with commas",
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::schema::Problem;

    #[test]
    fn expectations_are_statuses_ranges_and_lists() {
        for (text, good, bad) in [
            ("200", vec![200], vec![199, 201]),
            ("200..299", vec![200, 250, 299], vec![199, 300]),
            ("200, 204,300..399", vec![200, 204, 302], vec![201, 400]),
        ] {
            let expect: Expect = text.parse().unwrap();
            assert!(good.iter().all(|status| expect.holds(*status)), "{text}");
            assert!(!bad.iter().any(|status| expect.holds(*status)), "{text}");
            assert_eq!(expect.to_string().parse::<Expect>().unwrap(), expect);
        }
        for text in ["", "ok", "200..", "299..200", "99", "600", "200,,204", "200..=299"] {
            assert!(text.parse::<Expect>().is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for text in ["127.0.0.1:6379", "redis.internal:1", "[::1]:80"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        for text in ["", "redis", ":80", "host:", "host:0", "host:70000", "::1:80", "http://x:80"] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_not_shown() {
        assert!("http://127.0.0.1:8080/health".parse::<HttpUrl>().is_ok());
        let problem = problem::<HttpUrl>("http://me:hush@127.0.0.1/health");
        assert!(problem.message.contains("without user or password"));
        assert!(!format!("{problem:?}").contains("hush"), "{problem:?}");
    }

    fn problem<T: Setting>(value: impl Into<serde_json::Value>) -> Problem {
        let mut reader = Reader::default();
        let origin = crate::config::Origin {
            layer: crate::config::LayerName::Local,
            source: "x.toml".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let node = Node::from_value(&value.into(), &origin);
        assert!(T::read(&node, &KeyPath::root(), &mut reader).is_none());
        reader.problems.remove(0)
    }

    #[test]
    fn paths_and_programs_are_absolute() {
        assert!("/var/backups/last".parse::<HostPath>().is_ok());
        for text in ["", "last", "~/last", "/a\0b"] {
            assert!(text.parse::<HostPath>().is_err(), "{text:?}");
        }
        for argv in [serde_json::json!([]), serde_json::json!(["sh", "-c"]), "/bin/sh -c".into()] {
            let problem = problem::<Argv>(argv.clone());
            assert!(problem.message.contains("must be"), "{argv}: {}", problem.message);
        }
        let nul = problem::<Argv>(serde_json::json!(["/bin/sh", "a\0b"]));
        assert!(nul.message.contains("absolute path of a program"), "{}", nul.message);
    }

    #[test]
    fn a_wrong_target_is_a_problem_that_says_what_would_be_right() {
        assert!(problem::<Expect>("2xx").message.contains("200..299"));
    }
}
