//! One HTTP/1.1 connection to an address, kept open between requests.
//!
//! The metadata service is one hop away, limits its callers by request, and is
//! asked a dozen things in a row. A pooled client may open a second connection
//! while the first is still on its way back to the pool; this one cannot.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::ImdsError;

/// How long a connection may take to come up: a network that is still coming
/// up drops packets, and the next try is cheap.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one request may take, its body included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer that is read. The identity document has about 500 bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Where the service is.
#[derive(Debug, Clone)]
struct Endpoint {
    address: SocketAddr,
    authority: String,
    prefix: String,
}

impl Endpoint {
    /// Reads `http://ADDRESS[:PORT]`. A name other than `localhost` is refused:
    /// the service lives on the link, where there may be no resolver yet.
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            other => other.parse().ok()?,
        };
        Some(Self {
            address: SocketAddr::new(ip, authority.port_u16().unwrap_or(80)),
            authority: authority.to_string(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// A connection that opens itself when it is needed.
#[derive(Debug)]
pub(super) struct Connection {
    endpoint: Endpoint,
    open: Option<SendRequest<Empty<Bytes>>>,
}

/// A status and a whole body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Connection {
    /// A connection to `endpoint`, not yet open.
    pub(super) fn new(endpoint: &str) -> Result<Self, ImdsError> {
        let parsed = Endpoint::parse(endpoint)
            .ok_or_else(|| ImdsError::Endpoint { endpoint: endpoint.to_owned() })?;
        Ok(Self { endpoint: parsed, open: None })
    }

    /// Makes sure that the connection is open.
    pub(super) async fn open(&mut self) -> Result<(), ImdsError> {
        if self.open.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return Ok(());
        }
        self.open = None;
        let address = self.endpoint.address;
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| ImdsError::Connect { address, source })?;
        // Small requests must not wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(ImdsError::Answer)?;
        // It ends when the sender is dropped; its error also reaches the request.
        tokio::spawn(connection);
        self.open = Some(sender);
        Ok(())
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(
        &mut self,
        method: &str,
        path: &str,
        header: (&str, &str),
    ) -> Result<Answer, ImdsError> {
        self.open().await?;
        let Some(mut sender) = self.open.take() else { return Err(ImdsError::Closed) };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint.prefix))
            .header("host", &self.endpoint.authority)
            .header("user-agent", concat!("gild/", env!("CARGO_PKG_VERSION")))
            .header(header.0, header.1)
            .body(Empty::new())
            .map_err(ImdsError::Request)?;
        let exchange = async {
            sender.ready().await.map_err(ImdsError::Answer)?;
            let response = sender.send_request(request).await.map_err(ImdsError::Answer)?;
            read(response).await
        };
        let answer = timeout(ANSWER_TIMEOUT, exchange)
            .await
            .unwrap_or(Err(ImdsError::Timeout(ANSWER_TIMEOUT)))?;
        // Only a connection whose last answer was whole can carry another.
        self.open = Some(sender);
        Ok(answer)
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, ImdsError> {
    let status = response.status().as_u16();
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(ImdsError::Answer)?.into_data() else { continue };
        if body.len() + data.len() > BODY_LIMIT {
            return Err(ImdsError::TooLarge { limit: BODY_LIMIT });
        }
        body.extend_from_slice(&data);
    }
    Ok(Answer { status, body })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_addresses_over_plain_http() {
        let parsed = Endpoint::parse("http://169.254.169.254").unwrap();
        assert_eq!(parsed.address, "169.254.169.254:80".parse().unwrap());
        let parsed = Endpoint::parse("http://[fd00:ec2::254]:8080/x/").unwrap();
        assert_eq!(parsed.address, "[fd00:ec2::254]:8080".parse().unwrap());
        assert_eq!(parsed.prefix, "/x");
        for wrong in ["https://169.254.169.254", "http://metadata.example", "169.254.169.254", ""] {
            assert!(Endpoint::parse(wrong).is_none(), "{wrong}");
        }
    }
}
