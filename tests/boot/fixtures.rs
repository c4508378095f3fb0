//! What the machines of the scenarios are given: the image's configuration, the documents
//! of the three scopes, and a playbook with a vaulted file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::disk::Disk;
use crate::fakes::imds::Instance;
use crate::machine::Machine;
use crate::vault::encrypt;
use crate::world::{Prometheus, World, drop_in};

/// How often a service is looked at, in seconds. With `FAIL_AFTER` it says when a stopped
/// service must have turned down.
pub(crate) const PROBE_SECONDS: f64 = 2.0;
/// How many looks in a row must fail.
pub(crate) const FAIL_AFTER: f64 = 3.0;
/// How often the collectors run, in seconds.
pub(crate) const TICK_SECONDS: f64 = 1.0;

/// The file that the playbook makes of the variables of all scopes.
pub(crate) const RENDERED: &str = "/srv/web/rendered.txt";
/// What the vaulted file holds.
pub(crate) const VAULTED: &str = "opened with the password";

const GLOBAL: &str = r#"
[vars]
only_global = "global"
global_and_account = "global"
in_all = "global"
"#;

pub(crate) const ACCOUNT: &str = r#"
[vars]
only_account = "account"
global_and_account = "account"
account_and_service = "account"
parameter_and_object = "parameter"
in_all = "account"
"#;

const ACCOUNT_OBJECT: &str = r#"
[vars]
parameter_and_object = "object"
"#;

/// The lines of the rendered file when every scope was merged as it should be.
pub(crate) const MERGED: &[(&str, &str)] = &[
    ("only_global", "global"),
    ("only_account", "account"),
    ("only_service", "service"),
    ("global_and_account", "account"),
    ("account_and_service", "service"),
    ("parameter_and_object", "object"),
    ("in_all", "service"),
    ("playbook_name", "web"),
    ("vaulted", VAULTED),
];

/// An instance with the tags of the service scope.
pub(crate) fn instance() -> Instance {
    let tags = [
        ("Name", "web-1"),
        ("playbook_name", "web"),
        ("gild:vars.only_service", "service"),
        ("gild:vars.account_and_service", "service"),
        ("gild:vars.in_all", "service"),
    ];
    let tags = tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    Instance { tags, ..Instance::default() }
}

/// What one scenario does differently.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The playbook's entry.
    pub(crate) playbook: String,
    /// Variables besides `MERGED` to write into the rendered file.
    pub(crate) more_variables: Vec<&'static str>,
    /// Environment of gild's services besides the common one.
    pub(crate) environment: BTreeMap<&'static str, String>,
    /// The `[scope]` table's own keys.
    pub(crate) scope: &'static str,
    /// The global scope's document.
    pub(crate) global: String,
    /// More of the image's configuration.
    pub(crate) image: String,
    /// More files, by their path.
    pub(crate) files: Vec<(String, String)>,
    /// Directories of this host that the disk gets, by their path there.
    pub(crate) trees: Vec<(String, PathBuf)>,
    /// Units that stay disabled.
    pub(crate) disable: Vec<&'static str>,
    /// The password of the vault.
    pub(crate) password: String,
    /// More keys of the sink that pushes to Prometheus.
    pub(crate) push: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            playbook: PLAYBOOK.to_owned(),
            more_variables: Vec::new(),
            environment: BTreeMap::new(),
            scope: "deadline = \"60s\"",
            global: GLOBAL.to_owned(),
            image: String::new(),
            files: Vec::new(),
            trees: Vec::new(),
            disable: Vec::new(),
            password: password(),
            push: "",
        }
    }
}

/// A password that occurs nowhere else.
pub(crate) fn password() -> String {
    let mut random = [0u8; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), &mut random)
        .unwrap();
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fills the world's stores and boots a machine in it.
pub(crate) fn boot(world: &World, plan: &Plan) -> Machine {
    let region = Instance::default().region;
    world.files.put("/gild/global.toml", plan.global.clone());
    world.moto.put_parameter(&region, "/gild/account", "String", ACCOUNT);
    world.moto.put_object("internal-123456789012", "gild/account.toml", ACCOUNT_OBJECT);
    world.moto.put_secret(&region, "vault_secret", &plan.password);

    let mut disk =
        Disk { disable: plan.disable.clone(), trees: plan.trees.clone(), ..Disk::default() };
    disk.add("/usr/lib/gild/config.d/10-image.toml", &image_layer(world, plan));
    disk.add("/etc/hosts", "127.0.0.1 localhost global.test\n");
    // Nobody answers there: names that the hosts file does not know stay unknown, quickly.
    disk.add("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    for service in [
        "gild.service",
        "gild-configure.service",
        "gild-reconfigure.service",
        "gild-drain.service",
        "gild-drain-now.service",
    ] {
        disk.add(&drop_in(service), &environment(world, plan));
    }
    playbook(&mut disk, plan);
    disk.files.extend(plan.files.iter().cloned());
    Machine::boot(&world.place, &disk)
}

fn image_layer(world: &World, plan: &Plan) -> String {
    let port = world.files.address().port();
    let write = Prometheus::WRITE_URL;
    format!(
        r#"
[scope]
local_targets = true
{scope}
[scope.global]
sources = ["http://global.test:{port}/gild/global.toml"]
[scope.account]
sources = ["ssm:/gild/account", "s3://internal-{{account}}/gild/account.toml"]
[scope.service]
sources = ["tags:gild:"]
import = {{ playbook_name = "vars.playbook_name" }}

[configuration]
timeout = "3m"
vault_password = {{ secretsmanager = "vault_secret" }}

[metrics]
interval = "{TICK_SECONDS}s"

[sink.cloudwatch]
type = "cloudwatch"
flush = "5s"

[sink.prometheus]
type = "remote_write"
url = "{write}"
flush = "1s"
{push}

[service.web]
unit = "nginx.service"
http = "http://127.0.0.1/health"
interval = "{PROBE_SECONDS}s"
fail_after = {FAIL_AFTER}
recover_after = 2
{image}"#,
        scope = plan.scope,
        image = plan.image,
        push = plan.push,
    )
}

fn environment(world: &World, plan: &Plan) -> String {
    let mut all = BTreeMap::from([
        ("AWS_ENDPOINT_URL", world.moto.endpoint()),
        ("AWS_ENDPOINT_URL_AUTO_SCALING", world.group.endpoint()),
        ("AWS_ENDPOINT_URL_CLOUDWATCH", world.cloudwatch.endpoint()),
    ]);
    all.extend(plan.environment.clone());
    let lines = all.iter().map(|(name, value)| format!("Environment={name}={value}\n"));
    format!("[Service]\n{}", lines.collect::<String>())
}

fn playbook(disk: &mut Disk, plan: &Plan) {
    let here = "/deployment/playbook";
    let mut template = String::new();
    let known = MERGED.iter().map(|(name, _)| *name);
    for name in known.chain(plan.more_variables.iter().copied()) {
        // As JSON, so that a value is one line whatever it holds.
        template.push_str(&format!("{name}={{{{ {name} | default('absent') | to_json }}}}\n"));
    }
    disk.add(&format!("{here}/rendered.j2"), &template);
    disk.add(
        &format!("{here}/secrets.yml"),
        &encrypt(&format!("vaulted: {VAULTED}\n"), &plan.password),
    );
    disk.add(&format!("{here}/site.conf"), SITE);
    disk.add(&format!("{here}/main.yml"), &plan.playbook);
}

// The machine shares its network with the metadata service's address, so the site
// listens on the loopback address only.
const SITE: &str = "server {\n  listen 127.0.0.1:80 default_server;\n  location /health { return 200 'well'; }\n}\n";

const PLAYBOOK: &str = r#"- name: Configure the web server
  hosts: all
  gather_facts: false
  vars_files: [secrets.yml]
  tasks:
    - name: Write what the scopes say
      tags: [configuration]
      block:
        - name: Make the place
          ansible.builtin.file: { path: /srv/web, state: directory, mode: "0755" }
        - name: Write the variables
          ansible.builtin.template: { src: rendered.j2, dest: /srv/web/rendered.txt, mode: "0644" }
    - name: Do what is not configuration
      ansible.builtin.file: { path: /srv/web/untagged, state: touch, mode: "0644" }
    - name: Write the site
      tags: [configuration]
      ansible.builtin.copy: { src: site.conf, dest: /etc/nginx/sites-enabled/default, mode: "0644" }
    - name: Start the web server
      tags: [configuration]
      ansible.builtin.service: { name: nginx, state: started }
"#;
