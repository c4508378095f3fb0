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
        self.used_images_beside(without, &BTreeSet::new())
    }

    /// The images in use, each with by what. Versions in `without` and `instances` are looked
    /// upon as gone.
    pub fn used_images_beside(
        &self,
        without: &Versions,
        instances: &BTreeSet<&str>,
    ) -> BTreeMap<&str, String> {
        let mut used = BTreeMap::new();
        for instance in self.instances.iter().filter(|it| !instances.contains(it.id.as_str())) {
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

    /// The snapshots in use, each with by what.
    pub fn used_snapshots(&self) -> BTreeMap<&str, String> {
        let mut used = self.used_snapshots_by_launches();
        for image in &self.images {
            for id in &image.snapshots {
                used.entry(id.as_str()).or_insert_with(|| format!("image {} has it", image.id));
            }
        }
        used
    }

    /// The snapshots that templates and launch configurations make volumes of.
    pub fn used_snapshots_by_launches(&self) -> BTreeMap<&str, String> {
        let mut used = BTreeMap::new();
        for found in &self.configurations {
            let who = || format!("launch configuration {}", found.name);
            for id in &found.snapshots {
                used.entry(id.as_str()).or_insert_with(who);
            }
        }
        for template in &self.templates {
            for version in &template.versions {
                let who =
                    || format!("launch template {} version {}", template.name, version.number);
                for id in &version.snapshots {
                    used.entry(id.as_str()).or_insert_with(who);
                }
            }
        }
        used
    }

    /// The first template that starts an image which only AWS can name (`resolve:ssm:…`): while
    /// there is one, any image may be in use. Versions in `without` are looked upon as gone.
    pub fn unnamed_image(&self, without: &Versions) -> Option<(&Template, &str)> {
        self.templates.iter().find_map(|template| {
            let stays = |number| !without.contains(&(template.id.clone(), number));
            let versions = template.versions.iter().filter(|version| stays(version.number));
            let mut images = versions.filter_map(|version| version.image.as_deref());
            Some((template, images.find(|image| !image.starts_with("ami-"))?))
        })
    }
}
