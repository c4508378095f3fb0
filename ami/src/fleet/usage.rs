//! Whether an image or a version of a template is in use, and by what. The words are those that
//! a plan gives as its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fleet, Template, TemplateUse};

/// Versions of templates, each by the template's id and its number.
pub type Versions = BTreeSet<(String, u64)>;

impl Fleet {
    /// The versions that groups and their instances start from, each with by whom.
    pub fn used_versions(&self) -> BTreeMap<(String, u64), String> {
        let mut used = BTreeMap::new();
        for group in &self.groups {
            let said = group.templates.iter().map(|it| (it, format!("group {}", group.name)));
            let started = group.instances.iter().filter_map(|(id, from)| {
                from.as_ref().map(|from| (from, format!("instance {id} of group {}", group.name)))
            });
            for (used_by, who) in said.chain(started) {
                if let Some((template, number)) = self.resolve(used_by) {
                    used.entry((template.id.clone(), number)).or_insert(who);
                }
            }
        }
        used
    }

    /// The template and the version that something starts from.
    pub fn resolve(&self, from: &TemplateUse) -> Option<(&Template, u64)> {
        let is_meant = |it: &&Template| it.id == from.template || it.name == from.template;
        let template = self.templates.iter().find(is_meant)?;
        let number = match from.version.as_str() {
            "$Default" | "" => template.default_version,
            "$Latest" => template.latest_version,
            number => number.parse().ok()?,
        };
        Some((template, number))
    }

    /// The images in use, each with by what. Versions in `without` are looked upon as gone.
    pub fn used_images(&self, without: &Versions) -> BTreeMap<&str, String> {
        let mut used = BTreeMap::new();
        for instance in &self.instances {
            let who = || format!("instance {} is {}", instance.id, instance.state);
            used.entry(instance.image.as_str()).or_insert_with(who);
        }
        for found in &self.configurations {
            let who = || format!("launch configuration {}", found.name);
            used.entry(found.image.as_str()).or_insert_with(who);
        }
        for template in &self.templates {
            for version in &template.versions {
                let Some(image) = &version.image else { continue };
                if without.contains(&(template.id.clone(), version.number)) {
                    continue;
                }
                let who =
                    || format!("launch template {} version {}", template.name, version.number);
                used.entry(image.as_str()).or_insert_with(who);
            }
        }
        used
    }

    /// The first template that starts an image which only AWS can name (`resolve:ssm:…`): while
    /// there is one, any image may be in use.
    pub fn unnamed_image(&self) -> Option<(&Template, &str)> {
        self.templates.iter().find_map(|template| {
            let images = template.versions.iter().filter_map(|it| it.image.as_deref());
            let mut unnamed = images.filter(|image| !image.starts_with("ami-"));
            Some((template, unnamed.next()?))
        })
    }
}
