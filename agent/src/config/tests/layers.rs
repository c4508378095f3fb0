use serde_json::json;

use super::layer;
use crate::config::origin::LayerName;
use crate::config::path::KeyPath;
use crate::config::trust;

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
    let refused = trust::enforce(&mut service);
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
    let refused = trust::enforce(&mut service);
    assert_eq!(refused.len(), 3);
    assert_eq!(service.document.unset, [KeyPath::parse("metrics.interval").unwrap()]);
}

#[test]
fn only_the_hosts_own_layers_may_say_where_configuration_comes_from() {
    let values = json!({ "scope": { "deadline": "1s" }, "configuration": { "exec": ["/x"] } });
    for name in LayerName::ALL {
        let mut layer = layer(name, "x", values.clone());
        let refused = trust::enforce(&mut layer);
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
        let refused = trust::enforce(&mut layer);
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
