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
    assert_eq!(
        keys,
        [
            "configuration.exec",
            "configuration.playbook",
            "configuration.vault_password",
            "scope",
            "sink.mimir.url",
            "vars.shadow",
        ]
    );
    assert_eq!(
        serde_json::Value::Object(service.document.root),
        json!({
            "configuration": { "timeout": "1h" },
            "sink": { "mimir": { "flush": "30s" } },
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
