//! A TCP connection that must be accepted. Nothing is sent.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::ProbeError;
use crate::health::target::HostPort;
use crate::platform::dns;

pub(super) async fn probe(target: &HostPort) -> Result<(), ProbeError> {
    let failed = |source| ProbeError::Connect { target: target.to_string(), source };
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    let resolved = dns::system().addresses(&target.host).await;
    let addresses =
        resolved.map_err(|source| ProbeError::Resolve { host: target.host.clone(), source })?;
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, target.port)).await {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}
