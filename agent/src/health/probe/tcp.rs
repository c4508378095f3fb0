//! A TCP connection that must be accepted. Nothing is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::{Probe, ProbeError, Running};
use crate::health::means::Means;
use crate::health::settings::ServiceSettings;
use crate::health::target::HostPort;
use crate::platform::dns;

pub(super) fn of(service: &ServiceSettings) -> Option<Arc<dyn Probe>> {
    service.tcp.clone().map(|target| Arc::new(Tcp(target)) as _)
}

/// A host and port that must accept a connection.
#[derive(Debug)]
struct Tcp(HostPort);

impl Probe for Tcp {
    fn label(&self) -> &'static str {
        "tcp"
    }

    fn target(&self) -> String {
        self.0.to_string()
    }

    fn run<'a>(&'a self, _: &'a Means, _: Duration) -> Running<'a> {
        Box::pin(connect(&self.0))
    }
}

async fn connect(target: &HostPort) -> Result<(), ProbeError> {
    let failed = |source| ProbeError::Connect { target: target.to_string(), source };
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    let resolved = dns::system().addresses(&target.host).await;
    let addresses = resolved.map_err(|source| {
        let source = Box::new(source);
        ProbeError::Resolve { host: target.host.clone(), source }
    })?;
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, target.port)).await {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}
