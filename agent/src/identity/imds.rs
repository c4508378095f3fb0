//! The instance metadata service, version 2 only, over one connection.
//!
//! Every read ends within the caller's deadline: a service that is not up yet,
//! throttles, breaks off or forgets its tokens is asked again; a path that does
//! not exist is `None`, whatever its page says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::error::ImdsError;
use crate::platform::retry::{Backoff, Tries, until};

/// The longest life that a token may have, in seconds.
const TOKEN_TTL: &str = "21600";

/// While the service is not there at all, it is tried in even steps.
const PROBE: Backoff =
    Backoff { first: Duration::from_millis(100), most: Duration::from_millis(100) };

/// Once it is there, failures are retried with growing waits.
const RETRY: Backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(2) };

/// Where the group's decision about the instance is.
pub(crate) const TARGET_STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";

/// The tag that holds the name of the autoscaling group.
pub(super) const GROUP_TAG: &str = "aws:autoscaling:groupName";

/// What tag keys may hold besides letters and digits where tags are in the
/// metadata; all of it may stand in a path as it is.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'+')
    .remove(b'-')
    .remove(b'=')
    .remove(b'.')
    .remove(b',')
    .remove(b'_')
    .remove(b':')
    .remove(b'@');

/// The tags that are worth a request each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedTags {
    /// Keys that begin with one of these.
    pub prefixes: BTreeSet<String>,
    /// These keys.
    pub keys: BTreeSet<String>,
}

impl WantedTags {
    /// Whether a tag is among them.
    pub(super) fn wants(&self, key: &str) -> bool {
        key == GROUP_TAG
            || self.keys.contains(key)
            || self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

/// The instance's tags; `None` where they are not in the metadata at all.
pub type Tags = Option<BTreeMap<String, String>>;

/// The parts of the identity document that gild reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityDocument {
    /// `i-…`.
    pub instance_id: String,
    /// Such as `t4g.small`.
    pub instance_type: Option<String>,
    /// Such as `eu-west-1`.
    pub region: Option<String>,
    /// Such as `eu-west-1a`.
    pub availability_zone: Option<String>,
    /// The account's twelve digits.
    pub account_id: Option<String>,
    /// `ami-…`.
    pub image_id: Option<String>,
    /// The primary private address.
    pub private_ip: Option<String>,
}

/// The metadata service.
#[derive(Debug)]
pub struct Imds {
    connection: Connection,
    token: Option<String>,
}

impl Imds {
    /// The service at `endpoint`; nothing is sent yet.
    pub fn new(endpoint: &str) -> Result<Self, ImdsError> {
        Ok(Self { connection: Connection::new(endpoint)?, token: None })
    }

    /// Waits until the service gives a token.
    pub async fn reach(&mut self, deadline: Instant) -> Result<(), ImdsError> {
        let open = async || before(deadline, self.connection.open()).await;
        until(deadline, PROBE, open).await.result?;
        until(deadline, RETRY, async || before(deadline, self.authorise()).await).await.result
    }

    /// The identity document.
    pub async fn document(&mut self, deadline: Instant) -> Result<IdentityDocument, ImdsError> {
        let path = "/latest/dynamic/instance-identity/document";
        let parse = |text: &str| {
            let document: IdentityDocument =
                serde_json::from_str(text).map_err(ImdsError::Document)?;
            let fields = [
                Some(&document.instance_id),
                document.instance_type.as_ref(),
                document.region.as_ref(),
                document.availability_zone.as_ref(),
                document.account_id.as_ref(),
                document.image_id.as_ref(),
                document.private_ip.as_ref(),
            ];
            let fine = fields.into_iter().flatten().all(|field| is_word(field));
            fine.then_some(document)
                .ok_or(ImdsError::Malformed { expected: "an identity document" })
        };
        self.read("the identity document", path, deadline, parse)
            .await?
            .ok_or(ImdsError::Status { status: 404 })
    }

    /// The host name.
    pub async fn hostname(&mut self, deadline: Instant) -> Result<Option<String>, ImdsError> {
        let parse = |text: &str| {
            // An instance in a network with several domains has several, in one line.
            let name = text.split_whitespace().next().unwrap_or_default();
            let fine = is_word(name) && name.len() <= 255;
            fine.then(|| name.to_owned()).ok_or(ImdsError::Malformed { expected: "a host name" })
        };
        self.read("the host name", "/latest/meta-data/local-hostname", deadline, parse).await
    }

    /// The public address; `None` where the instance has none.
    pub async fn public_ip(&mut self, deadline: Instant) -> Result<Option<String>, ImdsError> {
        let parse = |text: &str| {
            let address: Result<Ipv4Addr, _> = text.trim().parse();
            let malformed = |_| ImdsError::Malformed { expected: "an address" };
            address.map(|address| address.to_string()).map_err(malformed)
        };
        self.read("the public address", "/latest/meta-data/public-ipv4", deadline, parse).await
    }

    /// What the instance's autoscaling group makes of it, such as `InService`; `None` where
    /// it is in no group.
    pub async fn target_lifecycle_state(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<String>, ImdsError> {
        let parse = |text: &str| {
            let state = text.trim();
            let fine = is_word(state) && state.len() <= 64;
            fine.then(|| state.to_owned()).ok_or(ImdsError::Malformed { expected: "a state" })
        };
        self.read("the target lifecycle state", TARGET_STATE, deadline, parse).await
    }

    /// The name of the role that the instance has; `None` where it has none.
    pub async fn role(&mut self, deadline: Instant) -> Result<Option<String>, ImdsError> {
        let parse = |text: &str| {
            let name = text.lines().next().unwrap_or_default().trim();
            let malformed = ImdsError::Malformed { expected: "the name of a role" };
            (is_word(name) && name.len() <= 128).then(|| name.to_owned()).ok_or(malformed)
        };
        let path = "/latest/meta-data/iam/security-credentials/";
        self.read("the name of the role", path, deadline, parse).await
    }

    /// The tags that are wanted and there.
    pub async fn tags(
        &mut self,
        wanted: &WantedTags,
        deadline: Instant,
    ) -> Result<Tags, ImdsError> {
        let index = "/latest/meta-data/tags/instance";
        let names = |text: &str| {
            let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
            // The longest key has 128 characters; a page or a token is no list.
            let fine = |name: &String| {
                name.chars().count() <= 128 && !name.contains(|c: char| c.is_control() || c == '<')
            };
            let malformed = ImdsError::Malformed { expected: "a list of tags" };
            names.iter().all(fine).then_some(names).ok_or(malformed)
        };
        let Some(names) = self.read("the list of tags", index, deadline, names).await? else {
            return Ok(None);
        };
        let mut tags = BTreeMap::new();
        for key in names.into_iter().filter(|key| !key.is_empty() && wanted.wants(key)) {
            let path = format!("{index}/{}", utf8_percent_encode(&key, KEY));
            let value = |text: &str| Ok(text.to_owned());
            let what = format!("the tag '{}'", key.escape_debug());
            // A tag may be taken away between the list and its value.
            if let Some(value) = self.read(&what, &path, deadline, value).await? {
                tags.insert(key, value);
            }
        }
        Ok(Some(tags))
    }

    /// Reads one path until it parses, is absent, fails for good, or time is up.
    async fn read<T>(
        &mut self,
        what: &str,
        path: &str,
        deadline: Instant,
        parse: impl Fn(&str) -> Result<T, ImdsError>,
    ) -> Result<Option<T>, ImdsError> {
        let mut tries = Tries::new(deadline, RETRY);
        loop {
            let answer = before(deadline, self.get(path)).await;
            match answer.and_then(|text| text.map(|text| parse(&text)).transpose()) {
                Err(error) if tries.again(&error).await => {}
                result => {
                    return result.map_err(|source| ImdsError::Read {
                        what: what.to_owned(),
                        attempts: tries.count,
                        source: Box::new(source),
                    });
                }
            }
        }
    }

    /// Reads one path once; the token is renewed where it must be.
    pub(super) async fn get(&mut self, path: &str) -> Result<Option<String>, ImdsError> {
        let mut renewed = false;
        loop {
            self.authorise().await?;
            let token = self.token.clone().unwrap_or_default();
            let answer =
                self.connection.send("GET", path, ("x-aws-ec2-metadata-token", &token)).await?;
            match answer.status {
                200 => {
                    return String::from_utf8(answer.body)
                        .map(Some)
                        .map_err(|_| ImdsError::Malformed { expected: "text" });
                }
                404 => return Ok(None),
                401 => {
                    self.token = None;
                    if renewed {
                        return Err(ImdsError::Status { status: 401 });
                    }
                    renewed = true;
                }
                status => return Err(ImdsError::Status { status }),
            }
        }
    }

    async fn authorise(&mut self) -> Result<(), ImdsError> {
        if self.token.is_some() {
            return Ok(());
        }
        let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL);
        let answer = self.connection.send("PUT", "/latest/api/token", ttl).await?;
        if answer.status != 200 {
            return Err(ImdsError::Status { status: answer.status });
        }
        let token = String::from_utf8(answer.body).ok().filter(|token| is_word(token));
        let malformed = ImdsError::Malformed { expected: "a token" };
        self.token = Some(token.ok_or(malformed)?);
        Ok(())
    }
}

/// Ends an attempt at the deadline, however long it may take otherwise.
pub(super) async fn before<T>(
    deadline: Instant,
    attempt: impl Future<Output = Result<T, ImdsError>>,
) -> Result<T, ImdsError> {
    let left = deadline.saturating_duration_since(Instant::now());
    timeout_at(deadline, attempt).await.unwrap_or(Err(ImdsError::Timeout(left)))
}

/// Whether a text is one printable word, as everything but tags is.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<')
}
