//! The host's configuration in all its states. Nobody is asked: what is tested
//! is whom the resolver would ask.
#![allow(clippy::unwrap_used)]

use tempfile::TempDir;

use super::*;

struct Host {
    files: TempDir,
    dns: Dns,
}

impl Host {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let dns = Dns::new(&files.path().join("resolv.conf"), &files.path().join("hosts"));
        Self { files, dns }
    }

    fn write(&self, name: &str, text: &str) {
        // Another file each time, as network managers replace it.
        let new = self.files.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.files.path().join(name)).unwrap();
    }

    fn error(&self) -> String {
        self.dns.servers().map(drop).unwrap_err().to_string()
    }
}

#[tokio::test]
async fn no_name_server_is_an_error_until_there_is_one() {
    let host = Host::new();
    let path = host.files.path().join("resolv.conf");
    let none = format!("there is no name server in '{}'", path.display());
    assert_eq!(host.error(), none, "no file");
    for text in ["", "# nameserver 192.0.2.1\nsearch example.com\n"] {
        host.write("resolv.conf", text);
        assert_eq!(host.error(), none, "{text:?}");
    }
    host.write("resolv.conf", "nameserver nonsense\n");
    assert!(host.error().starts_with("failed to use '"));
    assert!(matches!(host.dns.addresses("x.example").await, Err(DnsError::Use { .. })));
    host.write("resolv.conf", "search example.com\nnameserver 192.0.2.1\n");
    assert!(host.dns.servers().is_ok());
    fs::remove_file(&path).unwrap();
    assert_eq!(host.error(), none, "it went away again");
}

#[test]
fn a_file_is_read_again_only_once_it_is_another() {
    let host = Host::new();
    let mut kept = Kept::new(&host.files.path().join("resolv.conf"));
    let mut reads = 0;
    let mut now = || {
        kept.now(|_, text| {
            reads += 1;
            let text = String::from_utf8(text.unwrap_or_default()).unwrap();
            if text == "bad" { Err(DnsError::NoServer(PathBuf::new())) } else { Ok(text) }
        })
        .ok()
    };
    assert_eq!((now().as_deref(), now().as_deref()), (Some(""), Some("")), "no file");
    for text in [Some("one"), Some("two"), None, Some("one")] {
        host.write("resolv.conf", text.unwrap_or("bad"));
        assert_eq!((now().as_deref(), now().as_deref()), (text, text));
    }
    assert_eq!(reads, 1 + 1 + 1 + 2 + 1, "a failure is not kept");
}

#[tokio::test]
async fn addresses_and_listed_names_need_no_name_server() {
    let host = Host::new();
    let local: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for (name, addresses) in [
        ("192.0.2.7", vec!["192.0.2.7".parse().unwrap()]),
        ("2001:db8::7", vec!["2001:db8::7".parse().unwrap()]),
        ("LocalHost", local.clone()),
        ("bucket.localhost.", local),
    ] {
        assert_eq!(host.dns.addresses(name).await.unwrap(), addresses, "{name}");
    }
    assert!(matches!(host.dns.addresses("db.internal").await, Err(DnsError::NoServer(_))));
    host.write("hosts", "192.0.2.9 db.internal db # here\n");
    for name in ["db.internal", "DB"] {
        let found = host.dns.addresses(name).await.unwrap();
        assert_eq!(found, ["192.0.2.9".parse::<IpAddr>().unwrap()], "{name}");
    }
    host.write("hosts", "2001:db8::9 db.internal\n");
    let found = host.dns.addresses("db.internal").await.unwrap();
    assert_eq!(found, ["2001:db8::9".parse::<IpAddr>().unwrap()]);
}
