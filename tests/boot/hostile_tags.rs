//! Tags that try to become code. Whoever may tag an instance may not run things on it.

use crate::check::{rendered, report, target};
use crate::fixtures::{Plan, boot, instance};
use crate::world::World;

const TEMPLATE: &str = "{{ lookup('pipe','touch /tmp/pwned') }}";
const SHELL: &str =
    "a  \"double\" and 'single'\n$(touch /tmp/pwned) `touch /tmp/pwned`; touch /tmp/pwned\n\\ end";
/// What would choose how Ansible connects, and what root runs as its interpreter.
const ANSIBLE: &[(&str, &str)] = &[
    ("vars.ansible_connection", "ssh"),
    ("vars.ansible_ssh_common_args", "-o ProxyCommand='touch /tmp/pwned'"),
    ("vars.ansible_python_interpreter", "/bin/sh -c 'touch /tmp/pwned' #"),
];
const STATEMENT: &str = "{% for x in range(3) %}{{ x }}{% endfor %}";

#[test]
fn tag_values_reach_the_playbook_as_text() {
    let mut instance = instance();
    for (name, value) in [("template", TEMPLATE), ("shell", SHELL), ("statement", STATEMENT)] {
        instance.tags.insert(format!("gild:vars.hostile_{name}"), value.to_owned());
    }
    for (key, value) in ANSIBLE {
        instance.tags.insert(format!("gild:{key}"), (*value).to_owned());
    }
    let world = World::new(&instance);
    let more_variables = vec!["hostile_template", "hostile_shell", "hostile_statement"];
    let plan = Plan { more_variables, ..Plan::default() };
    let machine = boot(&world, &plan);

    assert_eq!(target(&machine), "active", "{}", machine.story());
    let found = rendered(&machine);
    assert_eq!(found["hostile_template"], TEMPLATE);
    assert_eq!(found["hostile_shell"], SHELL);
    assert_eq!(found["hostile_statement"], STATEMENT);
    assert!(!machine.path("/tmp/pwned").exists(), "a tag value was run");

    let report = report(&machine);
    assert_eq!(report["outcome"], "ready", "{report:#}");
    let refused = report["refused_keys"].as_array().unwrap();
    let mut keys: Vec<_> = refused.iter().map(|refused| refused["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    let mut expected: Vec<_> = ANSIBLE.iter().map(|(key, _)| *key).collect();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}
