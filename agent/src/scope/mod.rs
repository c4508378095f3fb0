//! Where configuration comes from: sources, fetched together before one
//! deadline.
//!
//! `source` reads what is asked for, `placeholder` fills in who asks, one file
//! a kind asks (`file`, `http`, `s3`, `ssm`, `tags`), `question` asks again where
//! that may help, `fetch` asks all at the same time (`waves` holds back what
//! cannot be asked yet), `answer` reads what comes, `last_good` stands in for what
//! does not answer, `settle` leaves
//! out what cannot be used, and `resolve` is the whole way. To add a kind of
//! source: see `source`.

/// What a source answered, read.
mod answer;
/// What came of one source.
pub mod arrived;
/// The way to AWS, made ready when needed.
pub mod aws;
/// Several parameters in one question.
mod batch;
/// Documents that are on the host already.
pub mod documents;
/// Why a source brought nothing.
pub mod error;
/// All sources at the same time.
pub mod fetch;
/// Documents on disk.
pub mod file;
/// Documents on web servers.
pub mod http;
/// The last valid copies.
pub mod last_good;
/// What a source says about the instance.
pub mod placeholder;
/// One source, asked until it answers.
mod question;
/// What is left for the rooms that follow.
pub mod resolution;
/// The whole way to settings.
pub mod resolve;
/// Objects in S3.
pub mod s3;
/// References to secrets, resolved.
pub mod secrets;
/// What can be configured.
pub mod settings;
/// What all documents say together, without those that cannot be used.
pub mod settle;
/// The text of a source.
pub mod source;
/// Parameters.
pub mod ssm;
/// The instance's tags, kept where late ones can be added.
pub mod tag_store;
/// Tags as configuration.
pub mod tags;
/// What a source answers.
pub mod text;
/// Single values that stand each by itself.
pub mod units;
/// Whether the configuration is as it should be.
pub mod verdict;
/// Which sources wait for which.
pub(crate) mod waves;

pub use resolution::Resolution;
pub use resolve::{Context, resolve};
pub use verdict::Verdict;
