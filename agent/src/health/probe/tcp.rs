//! A TCP connection that must be accepted. Nothing is sent.
//!
//! Names are resolved in process: the C library's resolver would load the
//! host's NSS libraries into a static binary.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use tokio::net::TcpStream;

use super::ProbeError;
use crate::health::target::HostPort;

pub(super) async fn probe(target: &HostPort) -> Result<(), ProbeError> {
    let failed = |source| ProbeError::Connect { target: target.to_string(), source };
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for address in addresses(&target.host).await? {
        match TcpStream::connect(SocketAddr::new(address, target.port)).await {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// The resolver is made anew for each look: early in a boot the host's
/// resolver configuration may still change, and addresses need none of this.
async fn addresses(host: &str) -> Result<Vec<IpAddr>, ProbeError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let lookup = async {
        let resolver = TokioResolver::builder_tokio()?.build()?;
        resolver.lookup_ip(host).await
    };
    let found = lookup
        .await
        .map_err(|error| ProbeError::Resolve { host: host.to_owned(), source: Box::new(error) })?;
    Ok(found.iter().collect())
}
