//! Addresses that are this host's own business: its loopback, its link, and what a
//! cloud puts there, such as the metadata service. A URL that is filled in from a tag
//! or looked up by a foreign name server must not lead there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::dns::Dns;

/// A name or an address that leads to this host or its link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{host}' is at {address}, a loopback or link-local address")]
pub struct LocalTarget {
    /// The host of the URL.
    pub host: String,
    /// The address.
    pub address: IpAddr,
}

/// Whether an address is a loopback, link-local or unspecified one, in whatever form
/// an IPv4 address stands in an IPv6 one (RFC 4291, 2.5.5; RFC 6052, 2.1), or one of
/// the services that EC2 has below `fd00:ec2::`.
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => {
            let segments = address.segments();
            let ec2 = segments[..2] == [0xfd00, 0x0ec2];
            let own = address.is_loopback() || address.is_unspecified();
            own || ec2 || address.is_unicast_link_local() || inner(address).is_some_and(is_local_v4)
        }
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    // The kernel takes all of 0.0.0.0/8 for this host.
    address.is_loopback() || address.is_link_local() || address.octets()[0] == 0
}

/// The IPv4 address within an IPv6 one: mapped, compatible, or behind NAT64.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let before = &segments[..6];
    let holds = before == [0, 0, 0, 0, 0, 0xffff]
        || before == [0; 6]
        || before == [0x64, 0xff9b, 0, 0, 0, 0];
    let [.., a, b] = segments;
    holds.then(|| Ipv4Addr::from_bits(u32::from(a) << 16 | u32::from(b)))
}

/// Refuses a URL that spells a local address. Names are refused when they are
/// resolved, by `Remote`.
pub fn check(url: &Url) -> Result<(), LocalTarget> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
    match literal {
        Ok(address) if is_local(address) => Err(LocalTarget { host: host.to_owned(), address }),
        _ => Ok(()),
    }
}

/// Resolves names, and leaves out what is local. What it gives is what is connected
/// to, so a second look-up cannot say something else.
#[derive(Debug, Clone)]
pub(super) struct Remote(pub(super) Dns);

impl Resolve for Remote {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = dns.addresses(&host).await?;
            let (local, remote): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| is_local(*a));
            match (remote.is_empty(), local.first()) {
                (true, Some(address)) => Err(LocalTarget { host, address: *address }.into()),
                // Port 0 stands for the one in the URL.
                _ => Ok(Box::new(remote.into_iter().map(|a| SocketAddr::new(a, 0))) as Addrs),
            }
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn every_way_to_spell_this_host_is_known() {
        for url in [
            "http://127.0.0.1/x",
            "http://127.9.9.9:8080/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://0/",
            "http://169.254.169.254/latest/meta-data/",
            "http://169.254.170.2/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(check(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        for url in ["http://10.0.0.5/", "https://192.168.1.1/", "http://[2600::1]/", "http://a/"] {
            assert_eq!(check(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_here_is_refused() {
        let remote = Remote(super::super::dns::system());
        let error = remote.resolve(Name::from_str("localhost").unwrap()).await.err().unwrap();
        let error = error.downcast_ref::<LocalTarget>().unwrap();
        assert_eq!(error.host, "localhost");
    }
}
