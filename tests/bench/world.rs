//! What an instance of the benchmarks sees: its metadata, a bucket over HTTP, an
//! account's parameter and object, each behind a link.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::link::{Certificate, Link};
use crate::fakes::parameters::Parameters;
use crate::fakes::place::loopback;

/// The metadata service, as far away as it is on EC2.
const TO_IMDS: Duration = Duration::from_millis(1);

/// The fakes.
pub(crate) struct World {
    pub(crate) imds: Imds,
    pub(crate) global: Files,
    pub(crate) account: Files,
    pub(crate) ssm: Parameters,
    links: Vec<Link>,
    scheme: &'static str,
    certificate: Option<Certificate>,
}

/// The values of one scope, of an ordinary size.
fn document(scope: &str) -> String {
    let lines = (0..40).map(|number| format!("{scope}_{number} = \"value {number}\"\n"));
    format!("[vars]\n{}", lines.collect::<String>())
}

impl World {
    /// Remotes at this round trip, with or without TLS.
    pub(crate) fn new(round_trip: Duration, tls: bool) -> Self {
        let tags = [("Name", "web"), ("gild:metrics.interval", "20s"), ("gild:vars.role", "web")];
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let instance = Instance { tags, ..Instance::default() };
        let imds = Imds::start(loopback(), &instance);
        imds.faults.always("", Fault::Delay(TO_IMDS));
        let (global, account) = (Files::start(loopback()), Files::start(loopback()));
        global.put("/gild/global.toml", document("global"));
        account.put("/conf-123456789012/gild/account.toml", document("account"));
        let ssm = Parameters::start(loopback());
        ssm.put("/gild/account", &document("parameter"));
        let certificate = tls.then(Certificate::new);
        let links = [global.address(), account.address(), ssm.address()]
            .map(|far| Link::new(far, round_trip, certificate.as_ref()))
            .into();
        let scheme = if tls { "https" } else { "http" };
        Self { imds, global, account, ssm, links, scheme, certificate }
    }

    /// The addresses of the bucket, the account's bucket and the parameters.
    pub(crate) fn urls(&self) -> [String; 3] {
        [0, 1, 2].map(|at: usize| format!("{}://{}", self.scheme, self.links[at].address()))
    }

    /// Makes `root` the root of an instance whose step never runs.
    pub(crate) fn install(&self, root: &Path) {
        for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "usr/lib/gild/config.d"]
        {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for directory in ["proc", "sys"] {
            std::os::unix::fs::symlink(format!("/{directory}"), root.join(directory)).unwrap();
        }
        let [global, ..] = self.urls();
        let image = format!(
            "scope.local_targets = true\n\
             scope.global.sources = ['{global}/gild/global.toml']\n\
             scope.account.sources = ['ssm:/gild/account', 's3://conf-{{account}}/gild/account.toml']\n\
             scope.service.sources = ['tags:gild:']\n\
             scope.service.import = {{ Name = 'vars.name' }}\n\
             configuration.run = 'never'\n"
        );
        fs::write(root.join("usr/lib/gild/config.d/10-image.toml"), image).unwrap();
        if let Some(certificate) = &self.certificate {
            fs::write(root.join("ca.pem"), &certificate.pem).unwrap();
        }
    }

    /// Another remote at the end of a link, and its address.
    pub(crate) fn link(&self, far: SocketAddr, round_trip: Duration) -> (Link, String) {
        let link = Link::new(far, round_trip, self.certificate.as_ref());
        let url = format!("{}://{}", self.scheme, link.address());
        (link, url)
    }

    /// `gild configure` on the instance at `root`.
    pub(crate) fn configure(&self, gild: &Path, root: &Path) -> Command {
        self.gild(gild, root, "configure")
    }

    /// The daemon on the instance at `root`.
    pub(crate) fn daemon(&self, gild: &Path, root: &Path, cloudwatch: &str) -> Command {
        let mut command = self.gild(gild, root, "run");
        command.env("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch);
        command
    }

    fn gild(&self, gild: &Path, root: &Path, verb: &str) -> Command {
        let [_, account, ssm] = self.urls();
        let mut command = Command::new(gild);
        command.env_clear().arg("--root").arg(root).arg(verb);
        command
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint())
            .env("AWS_ENDPOINT_URL_S3", account)
            .env("AWS_ENDPOINT_URL_SSM", ssm);
        if self.certificate.is_some() {
            command.env("AWS_CA_BUNDLE", root.join("ca.pem"));
        }
        command
    }
}
