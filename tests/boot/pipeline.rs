//! The image pipeline as a service's workflow runs it: `ami/build` with Debian's Packer against
//! moto, which says that an instance runs, and a machine of the test's own that stands for it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::base::{directory, run};
use crate::disk::Disk;
use crate::fakes::imds::Instance;
use crate::fakes::tool::tool;
use crate::fixtures::password;
use crate::machine::Machine;
use crate::package::{DEB, package};
use crate::vault::encrypt;
use crate::world::World;

/// How long the machine may take to be up.
const START: Duration = Duration::from_secs(60);

/// The webhook that is told.
pub(crate) const WEBHOOK: &str = "images";
/// The parameter with the account scope.
const PARAMETER: &str = "/gild/account";
/// An account that images are shared with.
pub(crate) const FRIEND: &str = "210987654321";
/// A region that they are copied to.
pub(crate) const ELSEWHERE: &str = "eu-central-1";

const CONFIG: &str = "[configuration]
timeout = \"3m\"
vault_password = { secretsmanager = \"vault_secret\" }
";

// What the one word of the build that Debian's packages lack says, by moto.
const AWS: &str = "import sys
import boto3
assert sys.argv[1:3] == ['ssm', 'get-parameter'], sys.argv
name = sys.argv[sys.argv.index('--name') + 1]
print(boto3.client('ssm').get_parameter(Name=name)['Parameter']['Value'])
";

/// The files of one run.
#[derive(Debug)]
pub(crate) struct Pipeline<'a> {
    world: &'a World,
    files: TempDir,
    /// The password of the playbook's vault.
    pub(crate) password: String,
}

impl<'a> Pipeline<'a> {
    /// A pipeline, and the machine that it makes an image of with this playbook.
    pub(crate) fn new(world: &'a World, playbook: &str) -> (Self, Machine) {
        let pipeline = Self { world, files: directory(), password: password() };
        pipeline.templates();
        pipeline.account();
        let packages = pipeline.path("packages");
        fs::create_dir(&packages).unwrap();
        run(Command::new("cp").arg(package(DEB, None)).arg(&packages));
        let sums = "cd \"$1\" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS";
        run(Command::new("sh").args(["-euc", sums, "sums"]).arg(&packages));
        fs::write(pipeline.path("image.toml"), CONFIG).unwrap();
        let notify =
            format!("[notify.a]\ntype = 'discord'\nurl = '{}'\n", world.chat.webhook(WEBHOOK));
        fs::write(pipeline.path("notify.toml"), notify).unwrap();
        let machine = pipeline.machine(playbook);
        (pipeline, machine)
    }

    /// A path among the files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The repository's `ami/`, less what Debian's Packer is too old for.
    fn templates(&self) {
        let ami = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ami");
        fs::create_dir(self.path("ami")).unwrap();
        for name in ["build", "install.sh", "variables.pkr.hcl"] {
            fs::copy(ami.join(name), self.path("ami").join(name)).unwrap();
        }
        let whole = fs::read_to_string(ami.join("gild.pkr.hcl")).unwrap();
        let (before, rest) = whole.split_once("  # From Packer 1.7").expect("a part that is new");
        let (new, after) = rest.split_once("  # Until here.\n").expect("an end of it");
        for setting in ["\"v2.0\"", "http_tokens ", "\"required\"", "hop_limit", "metadata_tags"] {
            assert!(new.contains(setting), "{setting} is not in {new}");
        }
        fs::write(self.path("ami/gild.pkr.hcl"), format!("{before}{after}")).unwrap();
    }

    /// What the account says of sharing, and a key pair that it has.
    fn account(&self) {
        let moto = &self.world.moto;
        let region = Instance::default().region;
        let scope = format!("ami:\n  accounts: ['{FRIEND}']\n  regions: [{ELSEWHERE}]\n");
        moto.put_parameter(&region, PARAMETER, "String", &scope);
        moto.put_secret(&region, "vault_secret", &self.password);
        let key = self.path("key");
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"])
            .arg(&key));
        let public = STANDARD.encode(fs::read(key.with_extension("pub")).unwrap());
        let public =
            percent_encoding::utf8_percent_encode(&public, percent_encoding::NON_ALPHANUMERIC);
        self.ec2(&region, &format!("ImportKeyPair&KeyName=gild&PublicKeyMaterial={public}"));
        let aws = self.path("bin/aws");
        fs::create_dir(self.path("bin")).unwrap();
        let python = tool("GILD_TEST_MOTO", "moto_server").with_file_name("python3");
        fs::write(&aws, format!("#!{}\n{AWS}", python.display())).unwrap();
        fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What EC2 says to this, as XML.
    pub(crate) fn ec2(&self, region: &str, action: &str) -> String {
        self.world.moto.form(region, "ec2", &format!("Version=2016-11-15&Action={action}"))
    }

    /// The machine that is taken for the instance: Amazon's image, as far as this needs it.
    fn machine(&self, playbook: &str) -> Machine {
        let mut disk = Disk::default();
        disk.add("/etc/hosts", "127.0.0.1 localhost gild-test\n");
        disk.add("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
        disk.add("/deployment/playbook/main.yml", playbook);
        let vaulted = encrypt("vaulted: sesame\n", &self.password);
        disk.add("/deployment/playbook/secrets.yml", &vaulted);
        disk.add(
            "/etc/ssh/sshd_config.d/test.conf",
            &format!(
                "AuthorizedKeysFile /etc/ssh/keys\nStrictModes no\nUseDNS no\n\
                 PubkeyAcceptedAlgorithms +ssh-rsa\nSetEnv AWS_ENDPOINT_URL={}\n",
                self.world.moto.endpoint()
            ),
        );
        let key = fs::read_to_string(self.path("key.pub")).unwrap();
        disk.add("/etc/ssh/keys", &key);
        let sudo = "Defaults env_keep += \"AWS_ENDPOINT_URL\"\nec2-user ALL=(ALL) NOPASSWD: ALL\n";
        disk.add("/etc/sudoers.d/ec2-user", sudo);
        let machine = Machine::bare(&self.world.place, &disk);
        machine.wait_for("multi-user.target", &["active"], START);
        for command in [
            &["useradd", "--create-home", "--shell", "/bin/bash", "ec2-user"][..],
            &["systemctl", "start", "ssh.service"],
        ] {
            let output = machine.exec(command);
            assert!(output.status.success(), "{command:?}: {output:?}");
        }
        machine
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = self.world.place.command(&program.display().to_string());
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(self.files.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.files.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", Instance::default().region)
            .env("AWS_DEFAULT_REGION", Instance::default().region)
            .env("AWS_ENDPOINT_URL", self.world.moto.endpoint())
            .stdin(Stdio::null());
        command
    }

    fn variables(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let variables = [
            ("app", "web".to_owned()),
            ("version", "1.4.2".to_owned()),
            ("revision", "0f1e2d3c4b5a69788796".to_owned()),
            ("packages", path("packages")),
            ("config", path("image.toml")),
            ("region", Instance::default().region),
            ("ec2_endpoint", self.world.moto.endpoint()),
            ("ssh_host", "127.0.0.1".to_owned()),
            ("ssh_keypair_name", "gild".to_owned()),
            ("ssh_private_key_file", path("key")),
        ];
        let pair = |(name, value)| ["-var".to_owned(), format!("{name}={value}")];
        variables.into_iter().flat_map(pair).collect()
    }

    /// `packer validate`.
    pub(crate) fn validate(&self, more: &[&str]) -> Output {
        let mut packer = self.command(Path::new("packer"));
        packer.arg("validate").args(self.variables()).args(more).arg(self.path("ami"));
        packer.output().expect("packer starts")
    }

    /// `ami/build` for one system and processor.
    pub(crate) fn build(&self) -> Output {
        let binary = std::env::var_os("GILD_BIN")
            .map_or_else(|| env!("CARGO_BIN_EXE_gild").into(), PathBuf::from);
        let mut build = self.command(&self.path("ami/build"));
        build
            .env("GILD", binary)
            .env("GILD_OUTPUT", self.path("out"))
            .env("GILD_ACCOUNT_PARAMETER", PARAMETER)
            .env("GILD_NOTIFY_CONFIG", self.path("notify.toml"))
            .args(self.variables())
            .arg("-only=amazon-ebs.al2023-arm64");
        build.output().expect("ami/build starts")
    }

    /// A JSON file that the run left.
    pub(crate) fn left(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path("out").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}
