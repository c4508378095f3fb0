//! Targets that are this host itself or on its link: loopback, link-local, and
//! the metadata service wherever it is.
//!
//! Who may say where a document is fetched from must not thereby be able to ask
//! what only this host can reach. What is looked at are the addresses that a
//! connection would go to: those that a name has at the very look-up that the
//! connection is made with, so that a name cannot be one thing when it is looked
//! at and another when it is used; and those that a URL spells, which are never
//! looked up.

use std::error::Error;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::dns::Dns;

/// A target that is this host itself or on its link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct LocalTarget {
    host: String,
    address: IpAddr,
}

impl LocalTarget {
    fn text(&self) -> String {
        let Self { host, address } = self;
        let named = host.trim_matches(['[', ']']);
        match named == address.to_string() {
            true => format!("{address} is this host itself, or on its link"),
            false => format!("'{host}' is {address}, this host itself or on its link"),
        }
    }
}

/// The target of a URL that spells an address, where that is a local one. URLs
/// know every spelling: `http://2130706433/` is `127.0.0.1` too.
pub fn spelled(url: &Url) -> Option<LocalTarget> {
    let host = url.host_str()?;
    let address = host.trim_matches(['[', ']']).parse().ok()?;
    is_local(address).then(|| LocalTarget { host: host.to_owned(), address })
}

/// The target for which a request was refused, if that is why it failed.
pub fn refused<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a LocalTarget> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(target) = error.downcast_ref() {
            return Some(target);
        }
        next = error.source();
    }
    None
}

/// Whether an address is this host itself or on its link.
fn is_local(address: IpAddr) -> bool {
    match address {
        // The whole of 0.0.0.0/8 is "this host on this network" (RFC 1122, 3.2.1.3).
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => match v4_within(v6) {
            Some(v4) => is_local(v4),
            None => {
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_unicast_link_local()
                    // What EC2 serves to an instance on its link: metadata, names, time.
                    || v6.segments().starts_with(&[0xfd00, 0x0ec2])
            }
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: as `::ffff:127.0.0.1`
/// does, and as `::127.0.0.1` once did.
fn v4_within(v6: Ipv6Addr) -> Option<IpAddr> {
    match v6.is_loopback() || v6.is_unspecified() {
        true => None,
        false => v6.to_ipv4().map(IpAddr::V4),
    }
}

/// The process's resolver, without the local addresses of a name.
#[derive(Debug)]
pub(super) struct Outward(pub(super) Dns);

impl Resolve for Outward {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = dns.addresses(host).await?;
            let (local, outward): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|address| is_local(*address));
            if let (Some(address), true) = (local.first(), outward.is_empty()) {
                return Err(LocalTarget { host: host.to_owned(), address: *address }.into());
            }
            // Port 0 stands for the one in the URL.
            let addresses = outward.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_local_address_is_one() {
        for host in [
            "127.0.0.1",
            "127.8.9.10",
            "127.0.0.1.",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "①②⑦.0.0.1",
            "0",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.170.2",
            "0xa9fea9fe",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[fe80::1]",
            "[febf::1]",
            "[fd00:ec2::254]",
            "[fd00:0ec2::253]",
        ] {
            let url = Url::parse(&format!("http://{host}:8080/x")).unwrap();
            assert!(spelled(&url).is_some(), "{host}");
        }
        for host in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "1.0.0.127",
            "128.0.0.1",
            "169.253.1.1",
            "[::ffff:10.0.0.1]",
            "[fd00:ec1::254]",
            "[fc00::1]",
            "[2001:db8::1]",
            "bucket.s3.eu-west-1.amazonaws.com",
            "localhost.example",
            "127.0.0.1.example",
        ] {
            let url = Url::parse(&format!("https://{host}/x")).unwrap();
            assert_eq!(spelled(&url), None, "{host}");
        }
    }

    async fn look_up(hosts: &str, name: &str) -> Result<Vec<IpAddr>, String> {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("hosts");
        std::fs::write(&file, hosts).unwrap();
        let outward = Outward(Dns::new(&root.path().join("resolv.conf"), &file));
        match outward.resolve(name.parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            Err(error) => Err(refused(&*error).unwrap().to_string()),
        }
    }

    #[tokio::test]
    async fn a_name_goes_to_those_of_its_addresses_that_are_not_local() {
        let hosts = "127.0.0.1 all\n::1 all\n169.254.169.254 some\n10.1.2.3 some\nfe80::1 some\n";
        assert_eq!(look_up(hosts, "some").await.unwrap(), ["10.1.2.3".parse::<IpAddr>().unwrap()]);
        let error = look_up(hosts, "all").await.unwrap_err();
        assert_eq!(error, "'all' is ::1, this host itself or on its link");
        for name in ["localhost", "LOCALHOST.", "x.localhost"] {
            assert!(look_up(hosts, name).await.is_err(), "{name}");
        }
    }
}
