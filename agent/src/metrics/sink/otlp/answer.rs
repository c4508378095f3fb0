//! What a receiver answers: protobuf, with what it left out, or with why it refused.

use prost::Message;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::PROTOBUF;
use crate::platform::http::{self, HttpError};

/// The most that is read of an answer.
const MOST: usize = 64 * 1024;

/// The most bytes of a message that are kept.
const MESSAGE: usize = 200;

/// `ExportMetricsServiceResponse`.
#[derive(Clone, PartialEq, Message)]
struct Taken {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportMetricsPartialSuccess`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct PartialSuccess {
    /// How many points were left out; none where only something is to be said.
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
    /// Why.
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// `google.rpc.Status`, of which the text is of use.
#[derive(Clone, PartialEq, Eq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
}

/// What the receiver has to say where it took a request. What it says in another form than
/// it was asked in says no less that the request was taken.
pub(super) async fn taken(answer: Response) -> Option<PartialSuccess> {
    if !is_protobuf(answer.headers()) {
        return None;
    }
    let body = http::body(answer, MOST).await.ok()?;
    let mut partial = Taken::decode(&*body).ok()?.partial_success?;
    partial.message = line(&partial.message);
    Some(partial)
}

/// Why the receiver refused a request.
pub(super) async fn refused(answer: Response) -> HttpError {
    if !is_protobuf(answer.headers()) {
        return http::refused(answer).await;
    }
    http::refused_as(answer, |body| Status::decode(body).unwrap_or_default().message).await
}

fn is_protobuf(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(PROTOBUF))
}

/// A text of the receiver in one line that is not too long. It may tell a secret back, so
/// no word is cut: half of one would not be found to be masked.
fn line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let mut line = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if line.len() + word.len() > MESSAGE {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_that_ends_with_a_whole_word() {
        assert_eq!(line(" a\n\u{1b}[2J  b\t"), "a [2J b");
        let secret = "s".repeat(20);
        let long = format!("{} {secret} rest", "x".repeat(190));
        assert_eq!(line(&long), format!("{}…", "x".repeat(190)));
        assert_eq!(line(&"x".repeat(300)), "…");
    }
}
