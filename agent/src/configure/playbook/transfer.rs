//! One file from a bucket or a web server to disk: streamed, hashed on the way,
//! capped, and tried again as sources of configuration are.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::platform::aws::AwsError;
use crate::platform::hex::hex;
use crate::platform::http::{HttpError, refused};
use crate::platform::retry::{Retryable, Verdict, until_within};
use crate::platform::targets;
use crate::scope::aws::{LazyAws, NoRegion};
use crate::scope::error::SourceError;
use crate::scope::fetch::BACKOFF;
use crate::scope::http::Web;
use crate::scope::s3::has_own_endpoint;
use crate::scope::source::Source;

/// How long a server may be silent: before an answer, and in the middle of one.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// A file that was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The source brought nothing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no such file.
    #[error("there is no such object or document")]
    Absent,
    /// It is not the one that was listed.
    #[error("it changed while the playbook was fetched")]
    Changed,
    /// Time is up.
    #[error("it did not come in time")]
    TooLate,
    /// It is larger than it may be.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// It cannot be written.
    #[error("failed to write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl From<HttpError> for TransferError {
    fn from(error: HttpError) -> Self {
        Self::Source(error.into())
    }
}

impl From<NoRegion> for TransferError {
    fn from(error: NoRegion) -> Self {
        Self::Source(error.into())
    }
}

impl Retryable for TransferError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Source(error) => error.verdict(),
            _ => Verdict::Permanent,
        }
    }
}

/// What files are fetched with.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    /// How web servers are asked.
    pub(super) web: &'a Web,
    /// The way to AWS.
    pub(super) aws: &'a LazyAws,
    /// The client of S3, made when it is first needed.
    pub(super) s3: OnceCell<S3>,
    /// The account that the bucket must belong to.
    pub(super) owner: Option<String>,
    /// Whether this is no instance, whose role may come late.
    pub(super) off_ec2: bool,
    /// When all must be over.
    pub(super) deadline: Instant,
}

impl Reach<'_> {
    /// The client of S3.
    pub(super) async fn s3(&self) -> Result<&S3, TransferError> {
        let make = async || {
            let config = Builder::from(&self.aws.get().await?.config);
            // What a file may have, `fetch` counts.
            let config = config.http_client(self.aws.streaming());
            Ok(S3::from_conf(config.force_path_style(has_own_endpoint()).build()))
        };
        self.s3.get_or_try_init(make).await
    }

    /// A refusal of S3's, which may be one of the bucket's owner.
    pub(super) fn refused(&self, operation: &'static str, source: AwsError) -> TransferError {
        SourceError::Aws { operation, source }.of_owner(self.owner.as_deref()).into()
    }

    /// Asks until there is an answer, a refusal for good, or no time left.
    pub(super) async fn tried<T>(
        &self,
        mut question: impl AsyncFnMut() -> Result<T, TransferError>,
    ) -> Result<T, TransferError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let too_late = || TransferError::TooLate;
        let tries = until_within(self.deadline, BACKOFF, left, too_late, async || {
            question().await.map_err(|error| match error {
                TransferError::Source(error) => error.for_good(self.off_ec2).into(),
                other => other,
            })
        });
        tries.await.result
    }
}

/// On what condition a file is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// In any case.
    Any,
    /// If it is another one than this entity tag names.
    Unless(&'a str),
    /// If it is still the one that this entity tag names.
    Only(&'a str),
}

/// What is known about a file that came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// Its entity tag.
    pub(super) etag: Option<String>,
    /// Its version in a bucket that keeps versions.
    pub(super) version: Option<String>,
    /// How long it is.
    pub(super) bytes: u64,
    /// Its SHA-256, as hexadecimal digits.
    pub(super) sha256: String,
}

/// Fetches a file of at most `limit` bytes; `None` where it is still the one
/// that was not wanted.
pub(super) async fn fetch(
    reach: &Reach<'_>,
    source: &Source,
    wanted: Wanted<'_>,
    limit: u64,
    to: &Path,
) -> Result<Option<Arrived>, TransferError> {
    reach.tried(async || once(reach, source, wanted, limit, to).await).await
}

async fn once(
    reach: &Reach<'_>,
    source: &Source,
    wanted: Wanted<'_>,
    limit: u64,
    to: &Path,
) -> Result<Option<Arrived>, TransferError> {
    let asked = async {
        match source {
            Source::S3 { bucket, key } => object(reach, bucket, key, wanted).await,
            Source::Http(url) => document(reach.web, url, wanted).await,
            _ => Err(TransferError::Absent),
        }
    };
    let silent = || TransferError::from(SourceError::Timeout(SILENCE));
    let answer = timeout(SILENCE, asked).await.unwrap_or_else(|_| Err(silent()))?;
    let Some((mut arrived, mut body)) = answer else { return Ok(None) };
    let failed = |source| TransferError::Write { path: to.to_owned(), source };
    let mut file = new_file(to).map_err(failed)?;
    let mut digest = Sha256::new();
    while let Some(bytes) = timeout(SILENCE, body.next()).await.unwrap_or_else(|_| Err(silent()))? {
        arrived.bytes += bytes.len() as u64;
        if arrived.bytes > limit {
            return Err(TransferError::TooLarge(limit));
        }
        digest.update(&bytes);
        file.write_all(&bytes).map_err(failed)?;
    }
    arrived.sha256 = hex(&digest.finalize());
    Ok(Some(arrived))
}

/// A file for its owner alone. One that an earlier attempt left is emptied.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

type Answer = Option<(Arrived, Body)>;

async fn object(
    reach: &Reach<'_>,
    bucket: &str,
    key: &str,
    wanted: Wanted<'_>,
) -> Result<Answer, TransferError> {
    let request = reach.s3().await?.get_object().bucket(bucket).key(key);
    let request = request.set_expected_bucket_owner(reach.owner.clone());
    let request = match wanted {
        Wanted::Any => request,
        Wanted::Unless(etag) => request.if_none_match(etag),
        Wanted::Only(etag) => request.if_match(etag),
    };
    let object = match request.send().await.map_err(AwsError::from) {
        Ok(object) => object,
        Err(error) => {
            return match (error.status(), error.code(), wanted) {
                (Some(304), _, Wanted::Unless(_)) => Ok(None),
                (Some(412), _, Wanted::Only(_)) => Err(TransferError::Changed),
                (_, Some("NoSuchKey"), _) => Err(TransferError::Absent),
                _ => Err(reach.refused("GetObject", error)),
            };
        }
    };
    let arrived = Arrived {
        etag: object.e_tag().map(str::to_owned),
        version: object.version_id().map(str::to_owned),
        ..Arrived::default()
    };
    Ok(Some((arrived, Body::Object(object.body))))
}

async fn document(web: &Web, url: &str, wanted: Wanted<'_>) -> Result<Answer, TransferError> {
    let request = web.client(url)?.get(url);
    let request = match wanted {
        Wanted::Any => request,
        Wanted::Unless(etag) => request.header(IF_NONE_MATCH, etag),
        Wanted::Only(etag) => request.header(IF_MATCH, etag),
    };
    let response = request.send().await.map_err(|error| match targets::refused(&error) {
        Some(target) => SourceError::LocalTarget(target.clone()),
        None => HttpError::Send(error).into(),
    })?;
    match (response.status().as_u16(), wanted) {
        (200, _) => {
            let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
            let arrived = Arrived { etag: etag.map(str::to_owned), ..Arrived::default() };
            Ok(Some((arrived, Body::Document(response))))
        }
        (304, Wanted::Unless(_)) => Ok(None),
        (404 | 410, _) => Err(TransferError::Absent),
        (412, Wanted::Only(_)) => Err(TransferError::Changed),
        (status @ 300..=399, _) => Err(SourceError::Redirect { status }.into()),
        _ => Err(refused(response).await.into()),
    }
}

/// The body of an answer, piece by piece.
enum Body {
    Object(ByteStream),
    Document(Response),
}

impl Body {
    async fn next(&mut self) -> Result<Option<Bytes>, TransferError> {
        match self {
            Self::Object(stream) => {
                let bytes = stream.next().await.transpose();
                bytes.map_err(|error| SourceError::Body(error.into()).into())
            }
            Self::Document(response) => Ok(response.chunk().await.map_err(HttpError::Body)?),
        }
    }
}
