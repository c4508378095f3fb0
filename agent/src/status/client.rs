//! Asking the daemon: one request over the status socket, within a deadline.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Longer than the server gives a request.
const LIMIT: Duration = Duration::from_secs(12);

/// The largest answer: a configuration of many documents fits well.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no daemon answers at '{}'", .socket.display())]
    NoDaemon {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The socket could not be opened.
    #[error("failed to connect to '{}'", .socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The request could not be made.
    #[error("failed to make a request for '{path}'")]
    Request {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        #[source]
        source: http::Error,
    },
    /// The conversation broke off.
    #[error("failed to ask the daemon for '{path}'")]
    Ask {
        /// What was asked for.
        path: String,
        /// What went wrong.
        #[source]
        source: hyper::Error,
    },
    /// The answer broke off or is too large.
    #[error("failed to read the daemon's answer about '{path}'")]
    Answer {
        /// What was asked for.
        path: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No complete answer in time.
    #[error("the daemon did not answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
}

/// `GET path`: the status and the body.
pub async fn get(socket: &Path, path: &str) -> Result<(u16, Bytes), ClientError> {
    ask(socket, Method::GET, path, LIMIT).await
}

/// One request within `limit`.
pub async fn ask(
    socket: &Path,
    method: Method,
    path: &str,
    limit: Duration,
) -> Result<(u16, Bytes), ClientError> {
    let asked = tokio::time::timeout(limit, exchange(socket, method, path));
    asked.await.unwrap_or(Err(ClientError::Timeout(limit)))
}

async fn exchange(socket: &Path, method: Method, path: &str) -> Result<(u16, Bytes), ClientError> {
    let stream = UnixStream::connect(socket).await.map_err(|source| {
        let socket = socket.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NoDaemon { socket, source }
            }
            _ => ClientError::Connect { socket, source },
        }
    })?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "gild")
        .body(Empty::<Bytes>::new())
        .map_err(|source| ClientError::Request { path: path.to_owned(), source })?;
    let failed = |source| ClientError::Ask { path: path.to_owned(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let talk = async {
        let answer = sender.send_request(request).await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|source| ClientError::Answer { path: path.to_owned(), source })?;
        Ok((status, body.to_bytes()))
    };
    // The connection moves only while it is polled beside the talk, which tells
    // how it went.
    let drive = async {
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        answer = talk => answer,
        never = drive => match never {},
    }
}
