//! The configuration step with the real `ansible-playbook`, whose path the
//! harness gives in `GILD_TEST_ANSIBLE`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::future::{Future, pending};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gild::config::origin::{LayerName, Origin};
use gild::config::schema::{Reader, Setting};
use gild::config::{KeyPath, Node};
use gild::configure::report::{TaskOutcome, TaskReport};
use gild::configure::settings::ConfigurationSettings;
use gild::configure::{Progress, Step, StepResult};
use gild::identity::{Identity, Provenance};
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

fn ansible() -> PathBuf {
    std::env::var_os("GILD_TEST_ANSIBLE")
        .expect("GILD_TEST_ANSIBLE must be the path of an ansible-playbook")
        .into()
}

/// A playbook and the directories of a gild that runs it.
struct Host {
    directory: tempfile::TempDir,
    settings: Map<String, Value>,
    vars: Map<String, Value>,
    tags: BTreeMap<String, String>,
    password: Option<String>,
    redactor: Redactor,
    check: bool,
}

impl Host {
    fn new(playbook: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("playbook")).unwrap();
        let settings = json!({
            "playbook": directory.path().join("playbook"),
            "tags": [],
            "timeout": "60s",
        });
        let host = Self {
            settings: settings.as_object().unwrap().clone(),
            directory,
            vars: Map::new(),
            tags: BTreeMap::new(),
            password: None,
            redactor: Redactor::default(),
            check: false,
        };
        host.file("playbook/main.yml", playbook);
        // The playbook's own settings of Ansible hold; here the Python, which
        // Ansible would else look for among all that a developer has.
        let python = ansible().with_file_name("python3");
        let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
        host.file("playbook/ansible.cfg", &settings);
        host
    }

    fn with_tasks(tasks: &str) -> Self {
        let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
        Self::new(&format!(
            "- name: a play\n  hosts: all\n  gather_facts: false\n  tasks:\n{indented}"
        ))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.settings.insert(key.to_owned(), value);
        self
    }

    async fn run(&self) -> StepResult {
        self.run_until(&mut |_| (), pending()).await
    }

    async fn run_until(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let mut settings = self.settings.clone();
        settings.entry("ansible_playbook").or_insert_with(|| json!(ansible()));
        let origin = Origin {
            layer: LayerName::Local,
            source: "test".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let node = Node::from_value(&Value::Object(settings), &origin);
        let mut reader = Reader::default();
        let settings = ConfigurationSettings::read(&node, &KeyPath::root(), &mut reader).unwrap();
        let identity = Identity {
            provenance: Provenance::Host,
            instance_id: "i-0123".to_owned(),
            instance_type: None,
            region: Some("eu-west-1".to_owned()),
            availability_zone: None,
            account: None,
            image_id: None,
            private_ip: None,
            hostname: "host".to_owned(),
            autoscaling_group: None,
            tags: self.tags.clone(),
        };
        let paths = Paths::private(Path::new("/"), &self.path("gild"));
        let step = Step {
            paths: &paths,
            settings: &settings,
            vars: &self.vars,
            identity: &identity,
            vault_password: self.password.clone().map(SecretString::from),
            redactor: &self.redactor,
            check: self.check,
        };
        let result = step.run(progress, cancel).await;
        assert!(!paths.step().exists(), "the step's directory is left behind");
        result
    }
}

fn outcomes(tasks: &[TaskReport]) -> Vec<(&str, TaskOutcome)> {
    tasks.iter().map(|task| (task.name.as_str(), task.outcome)).collect()
}

/// The processes whose command line holds `text`.
fn running(text: &str) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

#[tokio::test]
async fn a_play_is_reported_task_by_task() {
    let host = Host::with_tasks(
        "- name: first\n  ansible.builtin.debug: {msg: hi}\n\
         - name: second\n  ansible.builtin.copy: {content: x, dest: \"{{ out }}\"}\n\
         - name: third\n  ansible.builtin.command: 'false'\n  ignore_errors: true\n\
         - name: fourth\n  ansible.builtin.debug: {msg: hi}\n  when: false\n",
    );
    let mut host = host;
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    let mut seen = Vec::new();
    let result = host.run_until(&mut |event| seen.push(event), pending()).await;
    assert_eq!(result.failure, None);
    assert_eq!(result.engine, "ansible");
    use TaskOutcome::{Changed, Ignored, Ok, Skipped};
    assert_eq!(
        outcomes(&result.tasks),
        [("first", Ok), ("second", Changed), ("third", Ignored), ("fourth", Skipped)]
    );
    assert_eq!(result.tasks[1].action, "ansible.builtin.copy");
    assert!(result.tasks.iter().all(|task| task.duration_ms > 0.0));
    assert!(seen.contains(&Progress::Play("a play".to_owned())));
    assert!(seen.contains(&Progress::Started("second".to_owned())));
    assert!(seen.contains(&Progress::Ended(result.tasks[3].clone())));
}

#[tokio::test]
async fn a_failed_task_is_named_with_its_message() {
    let host = Host::with_tasks(
        "- name: one\n  ansible.builtin.debug: {msg: 1}\n\
         - name: two\n  ansible.builtin.debug: {msg: 2}\n\
         - name: three\n  ansible.builtin.fail: {msg: the disk is not there}\n\
         - name: four\n  ansible.builtin.debug: {msg: 4}\n",
    );
    let result = host.run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("three"));
    assert!(failure.message.contains("the disk is not there"), "{}", failure.message);
    assert_eq!(failure.chain[0], "ansible-playbook ended with exit status: 2");
    assert_eq!(result.tasks.len(), 3);
    assert_eq!(result.tasks[2].outcome, TaskOutcome::Failed);
}

#[tokio::test]
async fn a_failure_that_is_rescued_and_raised_again_keeps_its_name() {
    let block = |raise: &str| {
        Host::with_tasks(&format!(
            "- block:\n\
             \x20   - name: the cause\n      ansible.builtin.command: /bin/sh -c 'echo broken >&2; exit 3'\n\
             \x20 rescue:\n\
             \x20   - name: notify\n      ansible.builtin.debug: {{msg: oh}}\n\
             {raise}"
        ))
    };
    let result = block("    - name: raise\n      ansible.builtin.fail: {msg: again}\n").run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("the cause"));
    assert!(failure.message.contains("broken"), "{}", failure.message);

    let result = block("").run().await;
    assert_eq!(result.failure, None);
    assert_eq!(result.tasks[0].outcome, TaskOutcome::Ignored);
}

#[tokio::test]
async fn the_failed_items_of_a_loop_are_named() {
    let host = Host::with_tasks(
        "- name: loop\n  ansible.builtin.command: 'test {{ item }} != b'\n  loop: [a, b]\n",
    );
    let failure = host.run().await.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("loop"));
    assert!(failure.message.starts_with("item b: "), "{}", failure.message);
}

#[tokio::test]
async fn what_no_log_hides_stays_hidden() {
    let tasks = "- name: quiet\n  ansible.builtin.command: /bin/sh -c 'echo tell-tale >&2; exit 1'\n  \
                 no_log: true\n";
    let looped = tasks.replace("no_log", "loop: [tell-tale]\n  no_log");
    for tasks in [tasks.to_owned(), looped] {
        let result = Host::with_tasks(&tasks).run().await;
        let failure = result.failure.unwrap();
        assert_eq!(failure.task.as_deref(), Some("quiet"));
        assert_eq!(failure.message, "hidden by no_log");
        assert!(!format!("{failure:?} {:?}", result.tasks).contains("tell-tale"));
    }
}

#[tokio::test]
async fn hostile_text_arrives_as_text() {
    let mut host = Host::with_tasks(
        "- ansible.builtin.copy:\n    content: \"{{ dump | to_json }}\"\n    dest: \"{{ out }}\"\n\
         - ansible.builtin.debug: {msg: \"{{ item.key }} {{ item.value }}\"}\n  loop: \"{{ dump | dict2items }}\"\n\
         - ansible.builtin.copy:\n    content: \"{{ gild | to_json }}\"\n    dest: \"{{ out }}.facts\"\n\
         - ansible.builtin.copy:\n    content: \"{{ plain }}\"\n    dest: \"{{ out }}.plain\"\n",
    );
    let pwned = host.path("pwned");
    let hostile = format!("{{{{ lookup('pipe','touch {}') }}}}", pwned.display());
    let awkward =
        "a b\t\"c\" 'd'\n\n  $(touch x) `y` \\n # no: comment, é \u{2028}😀\u{7f}\u{1} {% if %} ";
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.vars.insert("plain".to_owned(), json!(hostile));
    let dump = json!({
        "hostile": hostile,
        "awkward": awkward,
        "in a list": [hostile, {"deep": awkward}],
        hostile.clone(): "on",
        "long ".repeat(300): "0x10",
        "words": ["yes", "null", "~", "no\n", "0x10", "1:30", "=", "<<", "1e3", "2001-01-01", "!unsafe x", "", "@x", "$ANSIBLE_VAULT;1.1"],
        "numbers": [0, -5, u64::MAX, 0.1, 1e30, -1.5e-7, 100.0],
        "none": null,
        "truth": [true, false],
        "empty": {"list": [], "table": {}},
    });
    host.vars.insert("dump".to_owned(), dump.clone());
    // Names that no variable may have do no harm either.
    host.vars.insert(hostile.clone(), json!(1));
    host.vars.insert("a-b c".to_owned(), json!(1));
    host.tags.insert("gild:note".to_owned(), hostile.clone());
    host.tags.insert("gild:other".to_owned(), awkward.to_owned());
    let result = host.run().await;
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(host.path(name)).unwrap()).unwrap()
    };
    assert_eq!(read("out"), dump);
    assert_eq!(read("out.facts")["tags"]["gild:note"], json!(hostile));
    assert_eq!(read("out.facts")["tags"]["gild:other"], json!(awkward));
    assert_eq!(read("out.facts")["region"], json!("eu-west-1"));
    assert_eq!(fs::read_to_string(host.path("out.plain")).unwrap(), hostile);
    assert!(!pwned.exists());
}

/// A file encrypted with Ansible Vault.
fn vault(host: &Host, name: &str, password: &str, text: &str) {
    host.file("password", password);
    host.file(name, text);
    let done = Command::new(ansible().with_file_name("ansible-vault"))
        .arg("encrypt")
        .arg("--vault-password-file")
        .arg(host.path("password"))
        .arg(host.path(name))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::remove_file(host.path("password")).unwrap();
}

#[tokio::test]
async fn the_vault_password_opens_vaults_and_is_nowhere_to_be_found() {
    let mut host = Host::new(
        "- hosts: all\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks:\n\
         \x20   - ansible.builtin.include_vars: more.yml\n\
         \x20   - ansible.builtin.copy: {src: vaulted.txt, dest: \"{{ out }}.copied\"}\n\
         \x20   - ansible.builtin.copy: {content: \"{{ one }} {{ two }}\", dest: \"{{ out }}\"}\n\
         \x20   - ansible.builtin.wait_for: {path: \"{{ out }}.go\", sleep: 1, timeout: 30}\n",
    );
    let password = format!("pw-{:016x}", std::process::id().wrapping_mul(2_654_435_761));
    vault(&host, "playbook/secret.yml", &password, "one: 1st\n");
    vault(&host, "playbook/more.yml", &password, "two: 2nd\n");
    vault(&host, "playbook/vaulted.txt", &password, "copied");
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.password = Some(password.clone());

    let mut found = Vec::new();
    let result = {
        let mut look = |event: Progress| {
            if matches!(event, Progress::Started(name) if name.contains("wait_for")) {
                found = holders(&password, host.directory.path());
                fs::write(host.path("out.go"), "").unwrap();
            }
        };
        host.run_until(&mut look, pending()).await
    };
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    assert_eq!(fs::read_to_string(host.path("out")).unwrap(), "1st 2nd");
    assert_eq!(fs::read_to_string(host.path("out.copied")).unwrap(), "copied");
    assert!(host.path("out.go").exists(), "nobody looked");
    assert_eq!(found, Vec::<PathBuf>::new());
}

/// Where a text stands: in files below a directory, or in what other processes
/// show of themselves.
fn holders(text: &str, directory: &Path) -> Vec<PathBuf> {
    let mut open = vec![directory.to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() { &mut open } else { &mut files }
                .push(entry.path());
        }
    }
    for process in fs::read_dir("/proc").unwrap().flatten() {
        files.extend(["cmdline", "environ"].map(|name| process.path().join(name)));
    }
    files
        .into_iter()
        .filter(|file| {
            let bytes = fs::read(file).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .collect()
}

#[tokio::test]
async fn a_wrong_vault_password_is_a_clear_failure() {
    let mut host =
        Host::new("- hosts: all\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks: []\n");
    vault(&host, "playbook/secret.yml", "right-password", "one: 1st\n");
    host.password = Some("wrong-password".to_owned());
    let failure = host.run().await.failure.unwrap();
    assert!(failure.chain.join(" ").contains("ecrypt"), "{failure:?}");
    assert!(!format!("{failure:?}").contains("wrong-password"));
}

#[tokio::test]
async fn the_deadline_ends_all_that_came_from_the_step() {
    // One that ends when asked, one that does not, one that has left the session.
    let host = Host::with_tasks(
        "- name: quick\n  ansible.builtin.debug: {msg: 1}\n\
         - name: slow\n  ansible.builtin.shell: |\n\
         \x20   setsid sleep {{ mark }} &\n\
         \x20   trap '' TERM\n\
         \x20   sh -c \"trap '' TERM; sleep {{ mark }}; sleep {{ mark }}\"\n",
    )
    .set("timeout", json!("8s"));
    let mut host = host;
    let mark = format!("31{:07}", std::process::id() % 10_000_000);
    host.vars.insert("mark".to_owned(), json!(mark));
    let begun = Instant::now();
    let mut during = Vec::new();
    let result = host
        .run_until(
            &mut |event| {
                if event == Progress::Started("slow".to_owned()) {
                    during.push(begun.elapsed());
                }
            },
            pending(),
        )
        .await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("slow"));
    assert_eq!(failure.message, "it did not end within 8s and was killed");
    assert_eq!(during.len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(running(&format!("sleep {mark}")), Vec::<String>::new());
}

#[tokio::test]
async fn being_told_to_stop_ends_the_step() {
    let host = Host::with_tasks("- name: slow\n  ansible.builtin.command: sleep 6543.25\n");
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut stop = Some(stop);
    let result = host
        .run_until(
            &mut |event| {
                if event == Progress::Started("slow".to_owned()) {
                    stop.take().unwrap().send(()).unwrap();
                }
            },
            async {
                stopped.await.unwrap();
            },
        )
        .await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.message, "interrupted: gild was told to stop");
    assert_eq!(failure.task.as_deref(), Some("slow"));
    assert_eq!(running("sleep 6543.25"), Vec::<String>::new());
}

#[tokio::test]
async fn what_ends_before_any_task_says_why() {
    let failure = Host::new("- hosts: all\n  tasks: [\n").run().await.failure.unwrap();
    assert_eq!(failure.task, None);
    assert!(failure.message.contains("exit status: 4"), "{failure:?}");
    assert!(failure.chain.join("\n").to_lowercase().contains("yaml"), "{failure:?}");

    let failure = Host::with_tasks("- no_such_module: {}\n").run().await.failure.unwrap();
    assert!(failure.message.contains("no_such_module"), "{failure:?}");

    let failure =
        Host::with_tasks("").set("entry", json!("other.yml")).run().await.failure.unwrap();
    assert!(failure.message.contains("failed to find the entry 'other.yml'"), "{failure:?}");

    let missing = Host::with_tasks("").set("ansible_playbook", json!("/no/such/ansible"));
    let failure = missing.run().await.failure.unwrap();
    assert!(failure.message.contains("'/no/such/ansible', names no program"), "{failure:?}");

    let other = Host::new("- hosts: web\n  tasks:\n    - ansible.builtin.debug: {}\n");
    let failure = other.run().await.failure.unwrap();
    assert!(failure.message.contains("no task ran"), "{failure:?}");
}

#[tokio::test]
async fn tags_choose_the_tasks_and_a_plan_changes_nothing() {
    let mut host = Host::with_tasks(
        "- {name: bake, tags: installation, ansible.builtin.debug: {}}\n\
         - {name: boot, tags: configuration, ansible.builtin.copy: {content: x, dest: \"{{ out }}\"}}\n",
    )
    .set("tags", json!(["configuration"]));
    host.vars.insert("out".to_owned(), json!(host.path("out")));
    host.check = true;
    let result = host.run().await;
    assert_eq!(outcomes(&result.tasks), [("boot", TaskOutcome::Changed)]);
    assert!(!host.path("out").exists());
    host.check = false;
    host.run().await;
    assert!(host.path("out").exists());
}

fn script(host: &Host, text: &str) {
    host.file("playbook/apply", text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(host.path("playbook/apply"), mode).unwrap();
}

#[tokio::test]
async fn a_command_gets_the_configuration_as_json() {
    let mut host = Host::new("").set("exec", json!(["./apply", "a b", "$(x)"]));
    script(&host, "#!/bin/sh\ncp \"$GILD_VARS\" vars.json\nprintf '%s|' \"$@\" > args\n");
    host.vars.insert("text".to_owned(), json!("{{ x }}\n\"y\""));
    let result = host.run().await;
    assert_eq!(result.failure, None);
    assert_eq!(result.engine, "exec");
    assert_eq!(outcomes(&result.tasks), [("apply", TaskOutcome::Changed)]);
    assert_eq!(fs::read_to_string(host.path("playbook/args")).unwrap(), "a b|$(x)|");
    let vars: Value =
        serde_json::from_slice(&fs::read(host.path("playbook/vars.json")).unwrap()).unwrap();
    assert_eq!(vars["text"], json!("{{ x }}\n\"y\""));
    assert_eq!(vars["gild"]["instance_id"], json!("i-0123"));
}

#[tokio::test]
async fn a_command_that_fails_shows_its_last_lines_without_secrets() {
    let host = Host::new("").set("exec", json!(["./apply"]));
    script(&host, "#!/bin/sh\necho trying hunter22 >&2\necho no way >&2\nexit 7\n");
    host.redactor.add("hunter22");
    let result = host.run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("apply"));
    assert_eq!(failure.message, "apply ended with exit status: 7: no way");
    assert!(result.tasks[0].message.as_ref().unwrap().contains("trying ‹secret›"));
}

#[tokio::test]
async fn a_command_may_leave_a_process_behind_unless_it_is_killed() {
    for (end, timeout, left) in [("exit 0", "30s", 1), ("sleep 7654", "1s", 0)] {
        let host = Host::new("").set("exec", json!(["./apply"])).set("timeout", json!(timeout));
        let seconds = if left == 1 { "4321.5" } else { "4321.25" };
        script(&host, &format!("#!/bin/sh\nsetsid sleep {seconds} &\necho $! > pid\n{end}\n"));
        let begun = Instant::now();
        host.run().await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let alive = running(&format!("sleep {seconds}")).len();
        if alive > 0 {
            let id = fs::read_to_string(host.path("playbook/pid")).unwrap();
            Command::new("kill").arg(id.trim()).status().unwrap();
        }
        assert_eq!(alive, left);
    }
}

#[tokio::test]
async fn either_engine_serves_where_the_other_is_missing() {
    let host = Host::new("")
        .set("engine", json!("either"))
        .set("exec", json!(["./apply"]))
        .set("ansible_playbook", json!("/no/such/ansible"));
    script(&host, "#!/bin/sh\n");
    assert_eq!(host.run().await.engine, "exec");
    let host = Host::with_tasks("- ansible.builtin.debug: {}\n")
        .set("engine", json!("either"))
        .set("exec", json!(["./apply"]));
    assert_eq!(host.run().await.engine, "ansible");
    let host = Host::new("").set("engine", json!("exec"));
    let failure = host.run().await.failure.unwrap();
    assert!(failure.message.contains("names no program"), "{failure:?}");
}
