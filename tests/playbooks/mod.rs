//! Playbooks from elsewhere, by the program itself: archives and prefixes from
//! moto's S3 and from a web server, and what a crash or an outage makes of them.

mod archives;
mod crashes;
mod hostile;
mod plans;
mod prefixes;
mod returns;
mod rollbacks;

use std::fs;
use std::io::{Cursor, Write};
use std::ops::Deref;
use std::process::Command;

use minisign::KeyPair;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::tool::tool;

/// Where nobody answers.
const NOBODY: &str = "http://127.0.0.1:9";

/// A host whose playbook comes from elsewhere.
struct Host(crate::host::Host);

impl Deref for Host {
    type Target = crate::host::Host;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Host {
    fn new(moto: Option<&Moto>) -> Self {
        let mut host = crate::host::Host::new("");
        let endpoint = moto.map_or_else(|| NOBODY.to_owned(), Moto::endpoint);
        let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = ansible.parent().unwrap().display();
        host.environment = vec![
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("PATH", format!("{bin}:{path}")),
        ];
        Self(host)
    }

    /// Lets nobody answer for AWS from now on.
    fn cut_off(&mut self) {
        self.0.environment.push(("AWS_ENDPOINT_URL", NOBODY.to_owned()));
    }

    /// Sets the step to what these lines say.
    fn configured(&self, lines: &str) {
        let local = "[scope]\nlocal_targets = true";
        self.0.configured(&format!("{local}\n[configuration]\ntags = []\n{lines}\n"));
    }

    fn command(&self) -> Command {
        self.gild(&["configure"])
    }

    /// One boot: its exit code and its report.
    fn boot(&self) -> (Option<i32>, Value) {
        self.configure(&[])
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
