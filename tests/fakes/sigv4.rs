//! Signatures of requests for AWS, worked out anew from what arrived, as AWS does it
//! ("Create a signed AWS API request"). Nothing here comes from the SDK.

use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::server::Asked;

/// Whose signatures are good, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: Option<&'static str>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
}

/// How far the clocks may be apart.
const CLOCKS: Duration = Duration::from_secs(300);

/// The headers that must be signed where they are there.
const SIGNED: &[&str] =
    &["host", "content-type", "content-encoding", "x-amz-date", "x-amz-security-token"];

/// Why a request is not signed as it must be.
pub(crate) fn check(asked: &Asked, expected: &Expected) -> Result<(), String> {
    let at = asked.header("x-amz-date");
    let now = SystemTime::now();
    let moments = [now - CLOCKS, now, now + CLOCKS].map(stamp);
    if !(moments[0].as_str()..=moments[2].as_str()).contains(&at) {
        return Err(format!("x-amz-date is {at:?}, and it is {}", moments[1]));
    }
    if asked.header("x-amz-security-token") != expected.token.unwrap_or_default() {
        return Err("the session token is another one".to_owned());
    }
    let day = &at[..8];
    let scope = format!("{day}/{}/{}/aws4_request", expected.region, expected.service);
    let authorization = asked.header("authorization");
    let prefix = format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=", expected.key);
    let rest = authorization
        .strip_prefix(&prefix)
        .ok_or_else(|| format!("{authorization:?} does not begin with {prefix:?}"))?;
    let (names, signature) = rest.split_once(", Signature=").ok_or("there is no signature")?;
    let listed: Vec<&str> = names.split(';').collect();
    if !listed.is_sorted() {
        return Err(format!("{names:?} is not sorted"));
    }
    for name in SIGNED {
        if asked.headers.contains_key(*name) && !listed.contains(name) {
            return Err(format!("{name} is not signed"));
        }
    }
    let mut canonical = format!("{}\n{}\n{}\n", asked.method, asked.path, asked.query);
    for name in &listed {
        canonical += &format!("{name}:{}\n", asked.header(name).trim());
    }
    canonical += &format!("\n{names}\n{}", hex(&Sha256::digest(&asked.body)));
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{}", expected.secret).into_bytes();
    for part in [day, expected.region, expected.service, "aws4_request", &to_sign] {
        key = hmac(&key, part.as_bytes());
    }
    match hex(&key) == signature {
        true => Ok(()),
        false => Err(format!("the signature of {canonical:?} is not {signature}")),
    }
}

/// RFC 2104, with SHA-256 and keys of at most a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A moment such as `20270115T080000Z`.
fn stamp(moment: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(moment).to_string();
    text.replace(['-', ':'], "")
}
