//! The binary alone: in a root that holds nothing else but the files that say which names
//! there are, and where to look, it resolves names and fetches by them.
//!
//! A static binary could still load the host's libraries to resolve a name, and would only fail
//! where there are none.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;

use serde_json::Value;

use crate::base::{self, run};
use crate::fakes::imds::Instance;
use crate::fixtures::instance;
use crate::world::World;

#[test]
fn the_binary_alone_in_a_root_fetches_by_names_of_hosts_and_of_a_name_server() {
    let world = World::new(&instance());
    let region = Instance::default().region;
    world.files.put("/global.toml", "vars.from_hosts = \"yes\"\n");
    world.files.put("/more.toml", "vars.from_name_server = \"yes\"\n");
    world.moto.put_parameter(&region, "/gild/account", "String", "vars.from_aws = \"yes\"\n");
    let server = world.place.run(|| UdpSocket::bind("127.0.0.1:53")).expect("a name server");
    std::thread::spawn(move || answer(&server));

    let root = base::directory();
    let lay = |path: &str, content: String| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let binary = std::env::var_os("GILD_BIN").expect("GILD_BIN names the static binary");
    fs::copy(PathBuf::from(binary), root.path().join("gild")).unwrap();
    lay("etc/hosts", "127.0.0.1 hosts.test\n".to_owned());
    lay("etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n".to_owned());
    let port = world.files.address().port();
    lay(
        "usr/lib/gild/config.d/10-image.toml",
        format!(
            "configuration.run = \"never\"\n[scope]\nlocal_targets = true\n[scope.global]\nsources = [\
             \"http://hosts.test:{port}/global.toml\", \"http://served.test:{port}/more.toml\"]\n\
             [scope.account]\nsources = [\"ssm:/gild/account\"]\n"
        ),
    );
    let aws = world.moto.endpoint().replace("127.0.0.1", "served.test");
    let mut configure = world.place.command("chroot");
    configure.arg(root.path()).args(["/gild", "configure"]);
    configure.env_clear().env("PATH", crate::start::PATH).env("AWS_ENDPOINT_URL", aws);
    configure.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    run(&mut configure);
    let config = fs::read_to_string(root.path().join("run/gild/config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).expect("it leaves JSON");
    for name in ["from_hosts", "from_name_server", "from_aws"] {
        assert!(config.to_string().contains(name), "no {name} in {config:#}");
    }
}

/// Says of the name `served.test` that it is this host, and of all others that there are none.
fn answer(server: &UdpSocket) {
    const NAME: &[u8] = b"\x06served\x04test\x00";
    let mut question = [0; 512];
    while let Ok((length, from)) = server.recv_from(&mut question) {
        // A header of twelve bytes, the name, its type and its class.
        let end = 12 + NAME.len() + 4;
        let known = length >= end && question[12..12 + NAME.len()].eq_ignore_ascii_case(NAME);
        let address = known && question[end - 4..end] == [0, 1, 0, 1];
        let mut said = question[..length].to_vec();
        // An answer, recursion available; "no such name" where it is not known.
        said[2..4].copy_from_slice(&[0x81, if known { 0x80 } else { 0x83 }]);
        if known {
            said.truncate(end);
            said[4..12].copy_from_slice(&[0, 1, 0, u8::from(address), 0, 0, 0, 0]);
        }
        if address {
            said.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x01");
        }
        let _ = server.send_to(&said, from);
    }
}
