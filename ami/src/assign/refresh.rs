//! Replacing the instances of the groups that start from a template, by an instance refresh of Auto
//! Scaling, which is followed to its end.

use std::time::Duration;

use crate::fleet::{Fleet, Image, Template};
use crate::plan::{Action, Plan};

/// The guard rails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// How many instances stay in service, in percent of the wanted ones.
    pub min_healthy_percent: u8,
    /// How long a new instance takes until it counts.
    pub warm_up: Duration,
}

impl Refresh {
    /// Plans for all groups of a template whose instances are of other images than this one.
    pub(super) fn plan(
        &self,
        plan: &mut Plan,
        fleet: &Fleet,
        (template, image): (&Template, &Image),
        number: u64,
        is_default: bool,
    ) {
        for group in &fleet.groups {
            let is_it = |used: &&crate::fleet::TemplateUse| {
                used.template == template.id || used.template == template.name
            };
            let Some(used) = group.templates.iter().find(is_it) else { continue };
            let follows = match used.version.as_str() {
                "$Latest" => true,
                "$Default" | "" => is_default || template.default_version == number,
                said => said == number.to_string(),
            };
            if !follows {
                let why = format!("it starts version {} and would not take this one", used.version);
                plan.keep(&group.name, &template.name, why);
                continue;
            }
            let of_group = |id: &String| fleet.instances.iter().find(|instance| instance.id == *id);
            let is_old = |id: &String| of_group(id).is_none_or(|it| it.image != image.id);
            let old = group.instances.iter().filter(|(id, _)| is_old(id)).count();
            if old == 0 {
                plan.keep(&group.name, &template.name, "all its instances are of this image");
                continue;
            }
            let action = Action::RefreshInstances {
                group: group.name.clone(),
                min_healthy_percent: self.min_healthy_percent,
                warm_up_seconds: self.warm_up.as_secs(),
            };
            let count = group.instances.len();
            let why = format!("{old} of {count} instances are of another image (--refresh)");
            plan.step(action, &template.name, why);
        }
    }
}
