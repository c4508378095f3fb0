//! Playbooks from elsewhere, by the program itself: archives and prefixes from
//! moto's S3 and from a web server, and what a crash or an outage makes of them.

mod archives;
mod crashes;
mod prefixes;
mod web;

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use minisign::KeyPair;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::fakes::imds::{Imds, Instance};
use crate::fakes::moto::{Moto, tool};
use crate::fakes::place::{Place, loopback};
use crate::program::gild;

/// An instance with a root of its own.
struct Host {
    root: TempDir,
    imds: Imds,
    /// Where AWS is, where it is anywhere.
    endpoint: Option<String>,
}

impl Host {
    fn new(moto: Option<&Moto>) -> Self {
        let instance = Instance { tags: Default::default(), ..Instance::default() };
        let imds = Imds::start(loopback(), &instance);
        let host = Self { root: TempDir::new().unwrap(), imds, endpoint: moto.map(Moto::endpoint) };
        for directory in ["run/gild", "var/lib/gild", "etc/gild/config.d", "usr/lib/gild/config.d"]
        {
            fs::create_dir_all(host.path(directory)).unwrap();
        }
        for directory in ["proc", "sys"] {
            std::os::unix::fs::symlink(format!("/{directory}"), host.path(directory)).unwrap();
        }
        host
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// Sets the step to what these lines say.
    fn configured(&self, lines: &str) {
        let local = "[scope]\nlocal_targets = true";
        let document = format!("{local}\n[configuration]\ntags = []\n{lines}\n");
        fs::write(self.path("etc/gild/config.d/10-local.toml"), document).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = gild();
        command.arg("--root").arg(self.root.path()).arg("configure");
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint());
        // Where there is no moto, nobody shall answer.
        let endpoint = self.endpoint.as_deref().unwrap_or("http://127.0.0.1:9");
        command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = ansible.parent().unwrap().display().to_string();
        command.env("PATH", format!("{bin}:{path}"));
        command
    }

    /// One boot: its exit code and its report.
    fn boot(&self) -> (Option<i32>, Value) {
        let status = self.command().stderr(Stdio::null()).status().unwrap();
        let bytes = fs::read(self.path("run/gild/report.json")).unwrap();
        (status.code(), serde_json::from_slice(&bytes).unwrap())
    }

    /// A boot that must succeed; how its playbook was obtained, and whether the
    /// step ran.
    fn good_boot(&self) -> (String, bool) {
        let (code, report) = self.boot();
        assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report:#}");
        let state = report["playbook"]["state"].as_str().unwrap().to_owned();
        (state, report["decision"]["run"].as_bool().unwrap())
    }

    /// The message of a boot that must fail before its step.
    fn refused(&self) -> String {
        let (code, report) = self.boot();
        assert_eq!((code, &report["outcome"]), (Some(1), &Value::from("failed")), "{report:#}");
        assert_eq!(report["tasks"], Value::Array(Vec::new()));
        report["failure"]["message"].as_str().unwrap().to_owned()
    }

    /// What the step has written.
    fn written(&self) -> String {
        fs::read_to_string(self.path("written")).unwrap_or_default()
    }

    /// The names of what is kept of playbooks, sorted; records left out.
    fn kept(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("var/lib/gild/playbooks")) else {
            return Vec::new();
        };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".json"));
        names.sort();
        names
    }

    /// A playbook that writes `text` where `written` finds it.
    fn playbook(&self, text: &str) -> Vec<(String, String)> {
        let path = self.path("written");
        let python = tool("GILD_TEST_ANSIBLE", "ansible-playbook").with_file_name("python3");
        let play = format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: write\n      \
             ansible.builtin.copy:\n        content: \"{text}\"\n        dest: {}\n        \
             mode: '0644'\n",
            path.display()
        );
        let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
        vec![("main.yml".to_owned(), play), ("ansible.cfg".to_owned(), settings)]
    }

    /// A program that does the same, for tests in which Ansible would only take
    /// time, and the lines that configure it.
    fn script(&self, text: &str) -> Vec<(String, String)> {
        let script =
            format!("#!/bin/sh\nprintf %s '{text}' >'{}'\n", self.path("written").display());
        vec![("run.sh".to_owned(), script)]
    }
}

/// The lines that make the step the script of the playbook.
const SCRIPT: &str = "exec = [\"./run.sh\"]";

/// A tar archive of these files, all of them programs.
fn tar(files: &[(String, String)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn tar_gz(files: &[(String, String)]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&tar(files)).unwrap();
    packer.finish().unwrap()
}

fn tar_zst(files: &[(String, String)]) -> Vec<u8> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    ruzstd::encoding::compress_to_vec(&tar(files)[..], level)
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Somebody who signs archives.
struct Signer(KeyPair);

impl Signer {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    fn key(&self) -> String {
        self.0.pk.to_base64()
    }

    fn sign(&self, archive: &[u8], comment: &str) -> String {
        let archive = Cursor::new(archive);
        let signed = minisign::sign(Some(&self.0.pk), &self.0.sk, archive, Some(comment), None);
        signed.unwrap().into_string()
    }
}

fn moto() -> Moto {
    Moto::start(&Place::Host)
}
