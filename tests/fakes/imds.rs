//! A fake of the instance metadata service: version 2 only, a table of paths.
//!
//! Without a token it answers 401 to everything, as an instance does that requires
//! version 2. Paths that are not in the table answer 404 with the XML page that
//! the real service sends, which callers must not take for a value.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Response};

use super::fault::Faults;
use super::server::{Asked, Server, Service, text};

const TOKEN_PATH: &str = "/latest/api/token";
const NOT_FOUND: &str = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n\
  <title>404 - Not Found</title>\n </head>\n <body>\n  <h1>404 - Not Found</h1>\n </body>\n</html>\n";

/// The instance that the fake describes.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) account: String,
    pub(crate) image: String,
    pub(crate) private_ip: String,
    pub(crate) public_ip: String,
    pub(crate) role: String,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            id: "i-0123456789abcdef0".into(),
            kind: "t4g.small".into(),
            region: "eu-west-1".into(),
            zone: "eu-west-1b".into(),
            account: "123456789012".into(),
            image: "ami-0fedcba9876543210".into(),
            private_ip: "10.1.2.3".into(),
            public_ip: "198.51.100.7".into(),
            role: "gild-instance".into(),
            tags: BTreeMap::new(),
        }
    }
}

impl Instance {
    fn table(&self) -> BTreeMap<String, String> {
        let host =
            format!("ip-{}.{}.compute.internal", self.private_ip.replace('.', "-"), self.region);
        let meta = [
            ("ami-id", self.image.clone()),
            ("hostname", host.clone()),
            ("iam/security-credentials", self.role.clone()),
            ("instance-id", self.id.clone()),
            ("instance-life-cycle", "on-demand".into()),
            ("instance-type", self.kind.clone()),
            ("local-hostname", host),
            ("local-ipv4", self.private_ip.clone()),
            ("placement/availability-zone", self.zone.clone()),
            ("placement/region", self.region.clone()),
            ("public-ipv4", self.public_ip.clone()),
        ];
        let mut table: BTreeMap<_, _> =
            meta.into_iter().map(|(k, v)| (format!("/latest/meta-data/{k}"), v)).collect();
        let credentials = serde_json::json!({
            "Code": "Success",
            "LastUpdated": "2024-01-01T00:00:00Z",
            "Type": "AWS-HMAC",
            "AccessKeyId": access_key(&self.role),
            "SecretAccessKey": "fake/secret/access/key",
            "Token": "fake-session-token",
            "Expiration": "2099-01-01T00:00:00Z",
        });
        let role = format!("/latest/meta-data/iam/security-credentials/{}", self.role);
        table.insert(role, credentials.to_string());
        let document = serde_json::json!({
            "accountId": self.account,
            "architecture": "x86_64",
            "availabilityZone": self.zone,
            "imageId": self.image,
            "instanceId": self.id,
            "instanceType": self.kind,
            "pendingTime": "2024-01-01T00:00:00Z",
            "privateIp": self.private_ip,
            "region": self.region,
            "version": "2017-09-30",
        });
        table.insert("/latest/dynamic/instance-identity/document".into(), document.to_string());
        if !self.tags.is_empty() {
            let keys: Vec<_> = self.tags.keys().map(String::as_str).collect();
            table.insert("/latest/meta-data/tags/instance".into(), keys.join("\n"));
            for (key, value) in &self.tags {
                table.insert(format!("/latest/meta-data/tags/instance/{key}"), value.clone());
            }
        }
        table
    }
}

/// The id of the access key that the credentials of a role have.
pub(crate) fn access_key(role: &str) -> String {
    let letters = role.chars().filter(char::is_ascii_alphanumeric);
    format!("ASIA{}", letters.collect::<String>().to_ascii_uppercase())
}

#[derive(Debug, Default)]
struct State {
    table: BTreeMap<String, String>,
    tokens: HashMap<String, Instant>,
    issued: usize,
    longest: Option<Duration>,
    requests: Vec<String>,
}

/// The running fake.
#[derive(Debug)]
pub(crate) struct Imds {
    server: Server,
    state: Arc<Mutex<State>>,
    /// Orders for things to go wrong.
    pub(crate) faults: Faults,
}

impl Imds {
    /// Serves `instance` on `listener`.
    pub(crate) fn start(listener: TcpListener, instance: &Instance) -> Self {
        let state = Arc::new(Mutex::new(State { table: instance.table(), ..State::default() }));
        let faults = Faults::default();
        let server = Server::start(listener, faults.clone(), Metadata(Arc::clone(&state)));
        Self { server, state, faults }
    }

    /// The address for `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Replaces or adds one path; `None` removes it.
    pub(crate) fn set(&self, path: &str, body: Option<&str>) {
        let mut state = self.state();
        match body {
            Some(body) => state.table.insert(path.to_owned(), body.to_owned()),
            None => state.table.remove(path),
        };
    }

    /// Describes another instance from now on, as when tags appear late.
    pub(crate) fn describe(&self, instance: &Instance) {
        self.state().table = instance.table();
    }

    /// No token lives longer than this from now on, whatever the caller asked for.
    pub(crate) fn limit_tokens(&self, lifetime: Duration) {
        self.state().longest = Some(lifetime);
    }

    /// Forgets every token, as after a restart of the service.
    pub(crate) fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many tokens it gave out.
    pub(crate) fn tokens(&self) -> usize {
        self.state().issued
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The paths that were asked for with a valid token, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Metadata(Arc<Mutex<State>>);

impl Service for Metadata {
    fn handle(&self, asked: &Asked) -> Response<Bytes> {
        let mut state = lock(&self.0);
        if asked.path == TOKEN_PATH {
            return token(&mut state, asked);
        }
        let known = state.tokens.get(asked.header("x-aws-ec2-metadata-token"));
        if known.is_none_or(|until| *until < Instant::now()) {
            return text(401, "");
        }
        if asked.method != Method::GET {
            return text(405, "");
        }
        state.requests.push(asked.path.clone());
        let path = percent_encoding::percent_decode_str(&asked.path).decode_utf8_lossy();
        match state.table.get(path.trim_end_matches('/')) {
            Some(body) => text(200, body),
            None => {
                let mut page = text(404, NOT_FOUND);
                let kind = http::HeaderValue::from_static("text/html");
                page.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                page
            }
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        text(503, "")
    }
}

fn token(state: &mut State, asked: &Asked) -> Response<Bytes> {
    let seconds = asked.header("x-aws-ec2-metadata-token-ttl-seconds").parse::<u64>();
    let Some(seconds) = seconds.ok().filter(|s| (1..=21_600).contains(s)) else {
        return text(400, "");
    };
    // The real service refuses a token request that came through a proxy.
    if asked.method != Method::PUT || asked.headers.contains_key("x-forwarded-for") {
        return text(403, "");
    }
    let lifetime = Duration::from_secs(seconds);
    let lifetime = state.longest.map_or(lifetime, |longest| lifetime.min(longest));
    state.issued += 1;
    let token = format!("AQAEAFake{:04}==", state.issued);
    state.tokens.insert(token.clone(), Instant::now() + lifetime);
    let mut response = text(200, &token);
    let seconds = http::HeaderValue::from(lifetime.as_secs());
    response.headers_mut().insert("x-aws-ec2-metadata-token-ttl-seconds", seconds);
    response
}
