//! Which versions of launch templates go.

use std::collections::BTreeSet;

use super::Rules;
use crate::fleet::tags::{is_young, opted_out};
use crate::fleet::usage::Versions;
use crate::fleet::{Fleet, Template};
use crate::plan::{Action, Plan};

/// Plans for all templates, and says which versions go.
pub(super) fn plan(plan: &mut Plan, fleet: &Fleet, rules: &Rules) -> Versions {
    let used = fleet.used_versions();
    let mut gone = Versions::new();
    for template in &fleet.templates {
        if let Some(why) = spared(template, rules) {
            plan.keep(&template.id, &template.name, why);
            continue;
        }
        let mut versions = BTreeSet::new();
        let mut others = 0;
        for version in template.versions.iter().rev() {
            if version.number == template.default_version {
                continue;
            }
            others += 1;
            let object = || format!("{} {}", template.id, version.number);
            let is_young = is_young(version.created, fleet.now, rules.min_age);
            if let Some(who) = used.get(&(template.id.clone(), version.number)) {
                plan.keep(&object(), &template.name, format!("in use: {who}"));
            } else if others > rules.template_versions
                && version.number != template.latest_version
                && !is_young
            {
                versions.insert(version.number);
            }
        }
        if versions.is_empty() {
            continue;
        }
        gone.extend(versions.iter().map(|number| (template.id.clone(), *number)));
        let why = format!(
            "older than the newest {} besides the default, and used by no group",
            rules.template_versions
        );
        let template_id = template.id.clone();
        plan.step(
            Action::DeleteTemplateVersions { template: template_id, versions },
            &template.name,
            why,
        );
    }
    gone
}

/// Why a template is left alone.
fn spared(template: &Template, rules: &Rules) -> Option<&'static str> {
    opted_out(&template.tags, rules.only_marked).or_else(|| {
        let known = |number| template.versions.iter().any(|version| version.number == number);
        (!known(template.default_version))
            .then_some("its default version is not among its versions")
    })
}
