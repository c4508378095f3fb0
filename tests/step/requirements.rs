//! Roles and collections that `requirements.yml` names: found where they are baked
//! in, missed otherwise, fetched only where that is asked for.

use super::*;

/// A host whose playbook uses a role that is not there, and says where it is.
fn in_need_of_a_role() -> Host {
    let host = Host::new("- hosts: all\n  gather_facts: false\n  roles: [acme.web]\n");
    let source = host.path("source/acme.web");
    fs::create_dir_all(source.join("tasks")).unwrap();
    fs::create_dir_all(source.join("meta")).unwrap();
    let task = "- name: from the role\n  ansible.builtin.debug: {}\n";
    fs::write(source.join("tasks/main.yml"), task).unwrap();
    let about = "galaxy_info: {author: a, description: d, license: MIT, min_ansible_version: '2.1'}\n\
                 dependencies: []\n";
    fs::write(source.join("meta/main.yml"), about).unwrap();
    let archive = host.path("acme.web.tar.gz");
    let packed = Command::new("tar")
        .arg("-czf")
        .args([&archive, Path::new("-C"), &host.path("source"), Path::new("acme.web")])
        .status();
    assert!(packed.unwrap().success());
    let text = format!("roles:\n  - name: acme.web\n    src: file://{}\n", archive.display());
    host.file("playbook/requirements.yml", &text);
    host
}

#[tokio::test]
async fn what_is_missing_is_named_and_nobody_is_asked_for_it() {
    let host = in_need_of_a_role();
    let text = "roles: [acme.web]\ncollections: [acme.tools, ansible.builtin]\n";
    host.file("playbook/requirements.yml", text);
    let result = host.run().await;
    let failure = result.failure.unwrap();
    let missing = "names what is not on this host: the role acme.web, the collection acme.tools";
    assert!(failure.message.contains(missing), "{failure:?}");
    assert!(result.tasks.is_empty());
    assert!(!host.path("playbook/roles").exists());
}

#[tokio::test]
async fn what_is_baked_in_is_enough() {
    let host = in_need_of_a_role();
    let baked = host.path("playbook/roles");
    fs::create_dir(&baked).unwrap();
    fs::rename(host.path("source/acme.web"), baked.join("acme.web")).unwrap();
    let collection = host.path("playbook/collections/ansible_collections/acme/tools");
    fs::create_dir_all(collection).unwrap();
    host.file("playbook/requirements.yml", "roles: [acme.web]\ncollections: [acme.tools]\n");
    for setting in ["require", "install", "ignore"] {
        let mut host = Host { directory: tempfile::tempdir().unwrap(), ..Host::new("") };
        host.settings = in_playbook(&baked, setting);
        let result = host.run().await;
        assert_eq!(result.failure, None, "{setting}");
        assert!(!result.installed);
        assert_eq!(outcomes(&result.tasks).len(), 1);
    }
}

fn in_playbook(roles: &Path, requirements: &str) -> Map<String, Value> {
    let playbook = roles.parent().unwrap();
    let settings = json!({
        "playbook": playbook, "tags": [], "timeout": "60s", "requirements": requirements,
    });
    settings.as_object().unwrap().clone()
}

#[tokio::test]
async fn where_it_is_asked_for_what_is_missing_is_installed_once() {
    let host = in_need_of_a_role().set("requirements", json!("install"));
    let mut plan = Host { check: true, settings: host.settings.clone(), ..Host::new("") };
    plan.vars = Map::new();
    let planned = plan.run().await;
    assert_eq!(outcomes(&planned.tasks), [("requirements", TaskOutcome::Changed)]);
    let told = planned.tasks[0].message.as_ref().unwrap();
    assert!(told.contains("would be installed: the role acme.web"), "{told}");
    assert!(!host.path("playbook/roles").exists());

    let result = host.run().await;
    assert_eq!(result.failure, None, "{:?}", result.tasks);
    assert!(result.installed);
    let names: Vec<_> = outcomes(&result.tasks).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["requirements", "acme.web : from the role"]);
    assert!(host.path("playbook/roles/acme.web/tasks/main.yml").exists());
    // Its source is gone, and it is not missed.
    fs::remove_file(host.path("acme.web.tar.gz")).unwrap();
    let result = host.run().await;
    assert_eq!(result.failure, None);
    assert_eq!((result.tasks.len(), result.installed), (1, false));
}

#[tokio::test]
async fn what_cannot_be_installed_fails_as_a_task_of_its_own() {
    let host = in_need_of_a_role().set("requirements", json!("install"));
    fs::remove_file(host.path("acme.web.tar.gz")).unwrap();
    let result = host.run().await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.task.as_deref(), Some("requirements"));
    assert!(failure.message.starts_with("ansible-galaxy ended with exit status: 1"), "{failure:?}");
    assert_eq!(outcomes(&result.tasks), [("requirements", TaskOutcome::Failed)]);
}

#[tokio::test]
async fn nothing_is_installed_into_what_was_fetched() {
    let host = in_need_of_a_role().set("requirements", json!("install"));
    let result = host.run_fetched().await;
    let failure = result.failure.unwrap();
    assert!(failure.message.contains("into a playbook that was fetched"), "{failure:?}");
    assert!(!host.path("playbook/roles").exists());
}

#[tokio::test]
async fn requirements_that_make_no_sense_are_told_with_their_line() {
    let host = Host::with_tasks("- ansible.builtin.debug: {}\n");
    host.file("playbook/requirements.yml", "roles:\n  - [\n");
    let failure = host.run().await.failure.unwrap();
    assert!(failure.message.contains("requirements.yml': line 3"), "{failure:?}");
    let host = host.set("requirements", json!("ignore"));
    assert_eq!(host.run().await.failure, None);
}
