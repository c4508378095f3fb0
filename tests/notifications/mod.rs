//! Who is told what came of a boot: in a channel and at a topic, once, however
//! the receivers behave, and without any effect on the boot.

mod images;
mod killed;
mod left;
mod moments;
mod outage;
mod receivers;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::boots::waiting_step;
use crate::fakes::chat::{Chat, TOKEN, path};
use crate::fakes::fault::Fault;
use crate::fakes::http::Files;
use crate::fakes::moto::Moto;
use crate::fakes::place::{Closed, Place, loopback};
use crate::fakes::tool::tool;
use crate::host::{Host, Running, wait_for};
use crate::program::gild;

const SECRET: &str = "correct horse battery staple";
const READY: &str = "[configuration]\nrun = \"never\"\n";

/// A Discord notifier named like its webhook.
fn discord(chat: &Chat, name: &str) -> String {
    format!("[notify.{name}]\ntype = \"discord\"\nurl = \"{}\"\n", chat.webhook(name))
}

/// A host whose daemon runs.
fn daemon(host: &Host) -> Running {
    let daemon = host.started(&["run"]);
    wait_for("daemon", || host.status().0 != Some(5));
    daemon
}

/// What a verb says on stderr.
fn stderr(host: &Host, arguments: &[&str]) -> (Option<i32>, String) {
    let output = host.gild(arguments).stdout(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The messages in the spool.
fn spooled(host: &Host) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(host.path("var/lib/gild/notify")) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn title(body: &Value) -> &str {
    body["embeds"][0]["title"].as_str().unwrap()
}

/// What the daemon has noted of its deliveries.
fn noted(host: &Host) -> String {
    fs::read_to_string(host.path("var/lib/gild/spool/notify/told.json")).unwrap_or_default()
}

/// A topic whose messages are kept in a queue.
fn topic(moto: &Moto) {
    moto.form("eu-west-1", "sns", "Action=CreateTopic&Version=2010-03-31&Name=boots");
    let queue = serde_json::json!({ "QueueName": "kept" });
    moto.call("eu-west-1", "sqs", "AmazonSQS.CreateQueue", &queue);
    let form = "Action=Subscribe&Version=2010-03-31&Protocol=sqs\
                &TopicArn=arn:aws:sns:eu-west-1:123456789012:boots\
                &Endpoint=arn:aws:sqs:eu-west-1:123456789012:kept";
    moto.form("eu-west-1", "sns", form);
}

/// What the topic was sent.
fn published(moto: &Moto) -> Vec<Value> {
    let url = format!("{}/123456789012/kept", moto.endpoint());
    let ask = serde_json::json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
    let answer = moto.call("eu-west-1", "sqs", "AmazonSQS.ReceiveMessage", &ask);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    let body = |message: Value| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    messages.into_iter().map(body).collect()
}

/// Lays a playbook and the Ansible of the tests below the host's root.
fn playbook(host: &Host, tasks: &str) {
    let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    fs::create_dir_all(host.path("deployment/ansibleenv")).unwrap();
    symlink(ansible.parent().unwrap(), host.path("deployment/ansibleenv/bin")).unwrap();
    fs::create_dir_all(host.path("deployment/playbook")).unwrap();
    let python = ansible.with_file_name("python3");
    let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
    fs::write(host.path("deployment/playbook/ansible.cfg"), settings).unwrap();
    let head = "- hosts: all\n  gather_facts: false\n  tasks:\n";
    fs::write(host.path("deployment/playbook/main.yml"), format!("{head}{tasks}")).unwrap();
}

/// No file below the directory holds the token of a webhook.
fn holds_no_token(directory: &std::path::Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds_no_token(&path);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(TOKEN), "{}: {text}", path.display());
        }
    }
}
