//! Names to addresses, for the whole process. In process, because the C
//! library's resolver would load the host's NSS libraries into a static binary.
//!
//! Only the name servers that the host names are asked, never public ones: what
//! a host looks up is nobody else's business. Early in a boot there may be none
//! yet, so `/etc/resolv.conf` is read when a name must be resolved, and again
//! whenever it has become another file since; that there is none is an error of
//! that one look-up and is not remembered.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use hickory_resolver::config::{LookupIpStrategy, ResolveHosts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, TokioResolver};
use reqwest::dns::{Addrs, Resolve, Resolving};

/// A name that was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The host names no name server.
    #[error("there is no name server in '{}'", .0.display())]
    NoServer(PathBuf),
    /// The configuration cannot be read.
    #[error("failed to read '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The configuration is wrong.
    #[error("failed to use '{}'", path.display())]
    Use {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: NetError,
    },
    /// The name servers did not know, or did not answer.
    #[error("the name servers gave no address")]
    Ask(#[source] NetError),
}

/// The resolver of this process. There is one, because there is one
/// `/etc/resolv.conf`, and answers are worth keeping for everyone.
pub fn system() -> Dns {
    static SYSTEM: LazyLock<Dns> =
        LazyLock::new(|| Dns::new(Path::new("/etc/resolv.conf"), Path::new("/etc/hosts")));
    SYSTEM.clone()
}

/// A resolver over the host's own configuration. Clones share what it knows.
#[derive(Debug, Clone)]
pub struct Dns(Arc<Files>);

#[derive(Debug)]
struct Files {
    servers: Mutex<Kept<TokioResolver>>,
    hosts: Mutex<Kept<Arc<Hosts>>>,
}

impl Dns {
    pub(super) fn new(resolv_conf: &Path, hosts: &Path) -> Self {
        let (servers, hosts) = (Kept::new(resolv_conf), Kept::new(hosts));
        Self(Arc::new(Files { servers: Mutex::new(servers), hosts: Mutex::new(hosts) }))
    }

    /// The addresses of a host. An address is its own; other names are looked
    /// up in the hosts file and then asked for.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // The names that need no resolver (RFC 6761, 6.3).
        let plain = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if plain == "localhost" || plain.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let hosts = self.hosts()?;
        let known = listed(&hosts, &plain);
        if !known.is_empty() {
            return Ok(known);
        }
        let found = self.servers()?.lookup_ip(host).await.map_err(DnsError::Ask)?;
        Ok(found.iter().collect())
    }

    fn servers(&self) -> Result<TokioResolver, DnsError> {
        self.0.servers.lock().unwrap_or_else(PoisonError::into_inner).now(|path, text| {
            let text = text.unwrap_or_default();
            if !names_a_server(&text) {
                return Err(DnsError::NoServer(path.to_owned()));
            }
            let failed = |source| DnsError::Use { path: path.to_owned(), source };
            let (config, mut options) = parse_resolv_conf(&text).map_err(failed)?;
            options.use_hosts_file = ResolveHosts::Never;
            // Both, so that a client can take whichever of them connects.
            options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
                .with_options(options)
                .build()
                .map_err(failed)
        })
    }

    fn hosts(&self) -> Result<Arc<Hosts>, DnsError> {
        self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner).now(|path, text| {
            let mut hosts = Hosts::default();
            hosts
                .read_hosts_conf(text.unwrap_or_default().as_slice())
                .map_err(|source| DnsError::Read { path: path.to_owned(), source })?;
            Ok(Arc::new(hosts))
        })
    }
}

impl Resolve for Dns {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let dns = self.clone();
        Box::pin(async move {
            let found = dns.addresses(name.as_str()).await?;
            // Port 0 stands for the one in the URL.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// Whether a resolv.conf has a name server at all.
fn names_a_server(text: &[u8]) -> bool {
    String::from_utf8_lossy(text)
        .lines()
        .any(|line| line.split_ascii_whitespace().next() == Some("nameserver"))
}

/// The addresses of a name in the hosts file.
fn listed(hosts: &Hosts, name: &str) -> Vec<IpAddr> {
    let Ok(name) = Name::from_str(name) else { return Vec::new() };
    [RecordType::AAAA, RecordType::A]
        .into_iter()
        .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)))
        .flat_map(|found| {
            found.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>()
        })
        .collect()
}

/// What a file says, read again once it has become another.
#[derive(Debug)]
struct Kept<T> {
    path: PathBuf,
    known: Option<(Option<Stamp>, T)>,
}

/// What tells one state of a file from another: device, inode, when it last
/// changed in any way, and its size.
type Stamp = (u64, u64, i64, i64, u64);

impl<T: Clone> Kept<T> {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), known: None }
    }

    /// What the file says now; `read` makes sense of its content, or of there
    /// being no file. Failures are not kept.
    fn now(
        &mut self,
        read: impl FnOnce(&Path, Option<Vec<u8>>) -> Result<T, DnsError>,
    ) -> Result<T, DnsError> {
        let failed = |source| DnsError::Read { path: self.path.clone(), source };
        // Looked at before it is read: what changes in between shows next time.
        let stamp = stamp(&self.path).map_err(failed)?;
        if let Some((known, value)) = &self.known
            && *known == stamp
        {
            return Ok(value.clone());
        }
        self.known = None;
        let text = absent_is_none(fs::read(&self.path)).map_err(failed)?;
        let value = read(&self.path, text)?;
        self.known = Some((stamp, value.clone()));
        Ok(value)
    }
}

fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    // Of the file that a symbolic link leads to, as resolv.conf often is one.
    let found = absent_is_none(fs::metadata(path))?;
    Ok(found.map(|file| (file.dev(), file.ino(), file.ctime(), file.ctime_nsec(), file.size())))
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
