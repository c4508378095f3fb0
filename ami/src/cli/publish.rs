//! `gild-ami publish`: a playbook for instances to fetch.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Failure;
use super::common::Common;
use crate::publish::{Destination, Signer, VERB, files, objects, pack, plan, read, survey};

/// Publish a playbook's directory, for instances to fetch.
///
/// The same directory gives the same archive. A version that is published never changes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The playbook's directory.
    directory: PathBuf,
    /// Where playbooks are: s3://BUCKET/PREFIX.
    #[arg(long, value_name = "URL", value_parser = base)]
    base: (String, String),
    /// The playbook's name.
    #[arg(long, value_name = "NAME", value_parser = word)]
    name: String,
    /// Its version.
    #[arg(long = "of-version", value_name = "VERSION", value_parser = word)]
    version: String,
    /// What must be at its top.
    #[arg(long, value_name = "FILE", default_value = "main.yml")]
    entry: String,
    /// How it is laid out: one archive, or one object for each file, which is the older way.
    #[arg(long, value_name = "LAYOUT", default_value = "archive")]
    layout: Layout,
    /// It is the newest version from now on.
    #[arg(long)]
    latest: bool,
    /// The secret key of minisign's that signs the archive.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// A file with the password of that key.
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    sign_password_file: Option<PathBuf>,
    /// A number that grows with each version: instances refuse an older one than they had.
    #[arg(long, value_name = "N", requires = "sign_key")]
    serial: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    Archive,
    Prefix,
}

pub(super) async fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (bucket, base) = arguments.base.clone();
    let to = Destination {
        bucket,
        base,
        name: arguments.name.clone(),
        version: arguments.version.clone(),
    };
    let entries = read(&arguments.directory, &arguments.entry)?;
    let objects = match arguments.layout {
        Layout::Prefix if arguments.latest => {
            return Err("--latest needs one archive: a prefix cannot be replaced in one go".into());
        }
        Layout::Prefix if arguments.sign_key.is_some() => {
            return Err(
                "--sign-key needs one archive: nobody looks for a signature of a prefix".into()
            );
        }
        Layout::Prefix => files(&to, &entries).map_err(|name| {
            format!(
                "'{name}' cannot be published in a prefix: it is a link, or in the manifest's place"
            )
        })?,
        Layout::Archive => {
            let archive = pack(&entries)?;
            let signer = arguments
                .sign_key
                .as_ref()
                .map(|key| Signer::open(key, arguments.sign_password_file.as_deref()));
            let signature = signer
                .transpose()?
                .map(|signer| signer.sign(&archive.bytes, &to, arguments.serial))
                .transpose()?;
            objects(&to, &archive, signature)
        }
    };
    let cloud = common.cloud().await?;
    let found = survey(&cloud, &to).await;
    let plan = found.map(|survey| plan(&cloud.place, &survey, &to, &objects, arguments.latest));
    common.settle(VERB, &cloud, plan).await
}

/// A bucket, and a prefix that is empty or ends with a `/`.
fn base(text: &str) -> Result<(String, String), &'static str> {
    const WRONG: &str = "must be s3://BUCKET or s3://BUCKET/PREFIX";
    let rest = text.strip_prefix("s3://").ok_or(WRONG)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    if bucket.is_empty() || (!prefix.is_empty() && !prefix.split('/').all(is_plain)) {
        return Err(WRONG);
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok((bucket.to_owned(), prefix))
}

fn word(text: &str) -> Result<String, &'static str> {
    is_plain(text).then(|| text.to_owned()).ok_or("must be letters, digits and . _ + - alone")
}

/// Whether a part of a key means itself everywhere.
fn is_plain(part: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    !part.is_empty() && !part.starts_with('.') && part.len() <= 128 && part.bytes().all(fits)
}
