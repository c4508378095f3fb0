//! The typed settings: what the rooms of gild are built from. Each room
//! declares its own table; this is where they meet.

use std::collections::BTreeMap;

use super::node::Node;
use super::path::KeyPath;
use super::schema::{Problem, Reader, Setting, Unknown};
use super::types::Free;
use crate::configure::settings::ConfigurationSettings;
use crate::health::settings::ServiceSettings;
use crate::lifecycle::settings::LifecycleSettings;
use crate::metrics::scrape::settings::ScrapeSettings;
use crate::metrics::settings::MetricsSettings;
use crate::metrics::sink::SinkSettings;
use crate::notify::NotifySettings;
use crate::scope::settings::ScopeSettings;

crate::settings! {
    /// Everything that can be configured.
    Settings {
        /// Where configuration comes from. Set by the image and local layers only.
        scope: ScopeSettings;
        /// The configuration step.
        configuration: ConfigurationSettings;
        /// What is measured, and how often.
        metrics: MetricsSettings;
        /// Where measurements go, each sink under a name.
        sink: BTreeMap<String, SinkSettings>;
        /// Who is told what came of a boot, each notifier under a name.
        notify: BTreeMap<String, NotifySettings>;
        /// The life of the instance: what its autoscaling group is told, what is watched
        /// for, what is done before it ends.
        lifecycle: LifecycleSettings;
        /// The services whose health is watched, each under a name.
        service: BTreeMap<String, ServiceSettings>;
        /// Pages of metrics that other programs serve, each under a name.
        scrape: BTreeMap<String, ScrapeSettings>;
        /// Free data for the playbook. gild passes it on and never interprets it.
        vars: Free;
    }
}

/// What came of reading settings.
#[derive(Debug)]
pub struct Typed {
    /// The settings; `None` where problems leave no whole.
    pub settings: Option<Settings>,
    /// Values that are not what they should be.
    pub problems: Vec<Problem>,
    /// Keys that nothing reads.
    pub unknown: Vec<Unknown>,
}

impl Settings {
    /// Types a merged tree, once. Every problem in it is found.
    pub fn typed(root: &Node) -> Typed {
        let mut reader = Reader::default();
        let settings = Settings::read(root, &KeyPath::root(), &mut reader);
        let settings = settings.filter(|_| reader.problems.is_empty());
        suggest_places(&mut reader.unknown);
        Typed { settings, problems: reader.problems, unknown: reader.unknown }
    }
}

/// Finds the place of keys at the top of a document that stand further down.
fn suggest_places(unknown: &mut [Unknown]) {
    let at_top = |unknown: &Unknown| unknown.path.segments().len() == 1;
    let lost = unknown.iter_mut().filter(|key| key.nearest.is_none() && at_top(key));
    let mut shape = None;
    for key in lost {
        let shape = shape.get_or_insert_with(Settings::shape);
        let places = shape.suggest(key.path.segments());
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        key.nearest = (!places.is_empty()).then(|| places.join(" or "));
    }
}
