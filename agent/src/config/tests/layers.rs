use serde_json::json;

use super::{layer, toml_layer};
use crate::config::merge::Layer;
use crate::config::origin::LayerName;
use crate::config::path::KeyPath;
use crate::config::trust::{self, Finals, Pattern, Refused, Rights};

#[test]
fn a_tag_cannot_reach_what_root_runs_or_where_data_goes() {
    let mut service = layer(
        LayerName::Service,
        "tags:gild:",
        json!({
            "scope": { "global": { "sources": ["http://evil/"] } },
            "configuration": {
                "exec": ["/bin/sh"], "playbook": "/tmp", "timeout": "1h",
                "vault_password": { "ssm": "/p" }
            },
            "sink": { "mimir": { "url": "http://evil/", "flush": "30s" } },
            "vars": { "name": "x", "shadow": { "file": "/etc/shadow" } },
            "metrics": { "interval": "30s" }
        }),
    );
    let refused = trust::enforce(&mut service, &Rights::default());
    let keys: Vec<_> = refused.iter().map(|refused| refused.key.to_string()).collect();
    assert_eq!(keys, ["configuration", "scope", "sink", "vars.shadow",]);
    assert_eq!(
        serde_json::Value::Object(service.document.root),
        json!({
            "vars": { "name": "x" },
            "metrics": { "interval": "30s" }
        })
    );
}

#[test]
fn a_layer_may_not_unset_what_it_may_not_set_nor_what_holds_it() {
    let mut service = layer(LayerName::Service, "tags:gild:", json!({}));
    service.document.unset = ["configuration", "sink.mimir.url", "sink.mimir", "metrics.interval"]
        .iter()
        .map(|key| KeyPath::parse(key).unwrap())
        .collect();
    let refused = trust::enforce(&mut service, &Rights::default());
    assert_eq!(refused.len(), 3);
    assert_eq!(service.document.unset, [KeyPath::parse("metrics.interval").unwrap()]);
}

#[test]
fn only_the_hosts_own_layers_may_say_where_configuration_comes_from() {
    let values = json!({ "scope": { "deadline": "1s" }, "configuration": { "exec": ["/x"] } });
    for name in LayerName::ALL {
        let mut layer = layer(name, "x", values.clone());
        let refused = trust::enforce(&mut layer, &Rights::default());
        let expected = match name {
            LayerName::Service => 2,
            LayerName::Global | LayerName::Account => 1,
            _ => 0,
        };
        assert_eq!(refused.len(), expected, "{name}");
    }
}

/// The step's variables outrank all others of a play: these would run code.
#[test]
fn no_remote_layer_may_set_what_is_ansible_s_own() {
    let values = json!({ "vars": {
        "ansible_connection": "ssh",
        "ansible_ssh_common_args": "-o ProxyCommand=touch\\ /tmp/pwned",
        "ansible_python_interpreter": "/tmp/x",
        "_ansible_ansiballz_debugpy_config": {},
        "environment": { "LD_PRELOAD": "/tmp/x" },
        "hostvars": { "a": 1 },
        "gild": { "account": "other" },
        "ansible": "a plain name",
        "app": { "ansible_connection": "not at the top" }
    } });
    for name in LayerName::ALL {
        let mut layer = layer(name, "x", values.clone());
        layer.document.unset = vec![
            KeyPath::parse("vars.ansible_connection").unwrap(),
            KeyPath::parse("vars.app").unwrap(),
        ];
        let refused = trust::enforce(&mut layer, &Rights::default());
        if !name.is_remote() {
            assert_eq!(refused, [], "{name}");
            continue;
        }
        assert_eq!(refused.len(), 8, "{name}: {refused:?}");
        assert!(refused.iter().all(|refused| refused.origin.layer == name));
        assert_eq!(
            serde_json::Value::Object(layer.document.root),
            json!({ "vars": {
                "ansible": "a plain name",
                "app": { "ansible_connection": "not at the top" }
            } })
        );
        assert_eq!(layer.document.unset, [KeyPath::parse("vars.app").unwrap()]);
    }
}

/// What the daemon runs is no tag's to say, whatever else a tag may say of a service.
#[test]
fn a_tag_may_watch_a_service_and_not_run_a_program() {
    let document = "unset = ['service.old', 'service.old.http']\n\
                    [service.web]\nunit = 'web'\nexec = ['/bin/sh', '-c', 'id']\n";
    let mut layer = toml_layer(LayerName::Service, "tags", document);
    let refused = trust::enforce(&mut layer, &Rights::default());
    let keys: Vec<_> = refused.iter().map(|one| one.key.to_string()).collect();
    assert_eq!(keys, ["service.web.exec", "service.old"]);
    let left = json!({ "service": { "web": { "unit": "web" } } });
    assert_eq!(serde_json::Value::Object(layer.document.root), left);
    let mut layer = toml_layer(LayerName::Account, "parameter", document);
    assert_eq!(trust::enforce(&mut layer, &Rights::default()), []);
}

fn may_set(patterns: &[&str]) -> Rights {
    let service = patterns.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    Rights { service, ..Rights::default() }
}

fn texts(refused: &[Refused]) -> Vec<String> {
    refused.iter().map(|one| format!("{} {}: {}", one.origin, one.key, one.reason)).collect()
}

#[test]
fn only_what_the_patterns_cover_may_be_set() {
    let document = "unset = ['vars.x', 'metrics']\nfinal = ['vars.y', 'sink']\n\
                    metrics = { interval = '5s', collectors = ['cpu'] }\n\
                    vars.a = 1\nsink.m.flush = '5s'\nservice = {}\n";
    for (patterns, left, taken, unset, finals) in [
        (
            &["vars", "metrics.interval"] as &[&str],
            json!({ "vars": { "a": 1 }, "metrics": { "interval": "5s" } }),
            &["metrics.collectors", "service", "sink"] as &[&str],
            &["metrics"] as &[&str],
            &["sink"] as &[&str],
        ),
        (
            &["*", "!sink", "sink.*.flush", "!metrics.interval"],
            json!({
                "vars": { "a": 1 }, "metrics": { "collectors": ["cpu"] }, "service": {},
                "sink": { "m": { "flush": "5s" } }
            }),
            &["metrics.interval"],
            &["metrics"],
            &["sink"],
        ),
        (
            &[],
            json!({}),
            &["metrics", "service", "sink", "vars"],
            &["vars.x", "metrics"],
            &["vars.y", "sink"],
        ),
    ] {
        let mut layer = toml_layer(LayerName::Service, "tags", document);
        let refused = trust::enforce(&mut layer, &may_set(patterns));
        assert_eq!(serde_json::Value::Object(layer.document.root), left, "{patterns:?}");
        let of = |start: &str| -> Vec<String> {
            let of = refused.iter().filter(|one| one.reason.starts_with(start));
            of.map(|one| one.key.to_string()).collect()
        };
        assert_eq!(of("scope.service.may_set does not allow it"), taken, "{patterns:?}");
        assert_eq!(of("unset: scope.service.may_set does"), unset, "{patterns:?}");
        assert_eq!(of("final: scope.service.may_set does"), finals, "{patterns:?}");
    }
}

/// Whoever writes the list may give much, but not the keys to the host.
#[test]
fn no_list_can_give_what_no_remote_layer_may_have() {
    let values = json!({
        "scope": { "deadline": "1s" }, "sink": { "m": { "type": "log" } },
        "vars": { "ansible_connection": "ssh", "secret": { "ssm": "/p" }, "a": 1 }
    });
    let mut layer = layer(LayerName::Service, "tags", values);
    let rights = may_set(&["*", "scope", "vars.ansible_connection", "vars.secret"]);
    let refused = trust::enforce(&mut layer, &rights);
    assert_eq!(
        serde_json::Value::Object(layer.document.root),
        json!({ "sink": { "m": { "type": "log" } }, "vars": { "a": 1 } })
    );
    assert_eq!(
        texts(&refused),
        [
            "service tags scope: only the image and local layers may say that",
            "service tags vars.ansible_connection: it is Ansible's own; only the image and local \
             layers may say that",
            "service tags vars.secret: this layer may not refer to secrets",
        ]
    );
}

/// A reference is one thing: who may not set a part of it may not replace it.
#[test]
fn a_reference_is_set_as_a_whole_or_not_at_all() {
    let mut layer = layer(LayerName::Account, "a", json!({ "vars": { "p": { "file": "/x" } } }));
    let account = ["*", "!vars.p.ssm"].map(|text| Pattern::parse(text).unwrap());
    let rights = Rights { account: account.to_vec(), ..Rights::default() };
    assert_eq!(trust::enforce(&mut layer, &rights).len(), 1);
    assert!(layer.document.root.is_empty());
}

fn final_in(lower: &Layer, higher: &mut Layer) -> Vec<String> {
    let mut finals = Finals::default();
    finals.learn(lower);
    texts(&finals.enforce(higher))
}

#[test]
fn what_is_final_no_higher_remote_layer_may_set_change_or_unset() {
    let lower = toml_layer(
        LayerName::Global,
        "https://b/g.toml",
        "vars.p.ssm = '/p'\n\nfinal = ['metrics.interval', 'sink.mimir', 'vars.p.ssm']\n",
    );
    let document = "metrics = { interval = '1s', collectors = ['cpu'] }\n\
                    sink.mimir.url = 'http://evil/'\nsink.other.type = 'log'\n\
                    vars.p = { file = '/x' }\n\
                    unset = ['metrics', 'sink.mimir.tenant', 'sink', 'sink.other', 'vars.q']\n";
    let mut higher = toml_layer(LayerName::Account, "a", document);
    assert_eq!(
        final_in(&lower, &mut higher),
        [
            "account a:1 metrics.interval: final since global https://b/g.toml:3",
            "account a:2 sink.mimir: final since global https://b/g.toml:3",
            "account a:4 vars.p: final since global https://b/g.toml:3",
            "account a:5 metrics: unset: final since global https://b/g.toml:3",
            "account a:5 sink.mimir.tenant: unset: final since global https://b/g.toml:3",
            "account a:5 sink: unset: final since global https://b/g.toml:3",
        ]
    );
    assert_eq!(
        serde_json::Value::Object(higher.document.root),
        json!({ "metrics": { "collectors": ["cpu"] }, "sink": { "other": { "type": "log" } } })
    );
    assert_eq!(higher.document.unset.len(), 2);
}

#[test]
fn what_is_final_binds_neither_its_own_layer_nor_lower_ones_nor_the_operator() {
    let lower = toml_layer(LayerName::Account, "a", "final = ['metrics']\n");
    for (name, refused) in [
        (LayerName::Image, 0),
        (LayerName::Global, 0),
        (LayerName::Account, 0),
        (LayerName::Service, 1),
        (LayerName::Local, 0),
    ] {
        let mut layer = layer(name, "x", json!({ "metrics": { "interval": "1s" } }));
        assert_eq!(final_in(&lower, &mut layer).len(), refused, "{name}");
    }
    // The image's own last word is the lowest of all.
    let image = toml_layer(LayerName::Image, "i", "final = ['metrics']\n");
    let mut global = layer(LayerName::Global, "g", json!({ "metrics": { "interval": "1s" } }));
    assert_eq!(final_in(&image, &mut global).len(), 1);
}
