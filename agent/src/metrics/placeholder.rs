//! Fills `{instance_id}` and its like in the labels and dimensions of sinks.
//!
//! To add a placeholder: one line in `value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;

use crate::identity::Identity;

/// The text with every placeholder filled; `None` where one of them is not
/// known of this instance, or not known at all.
pub fn fill(text: &str, identity: &Identity) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&value(name, identity)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// The entries whose values can be filled and are not empty, in the order of
/// their names.
pub fn fill_all(entries: &BTreeMap<String, String>, identity: &Identity) -> Vec<(String, String)> {
    let fill = |(name, text): (&String, &String)| {
        let value = fill(text, identity).filter(|value| !value.is_empty())?;
        Some((name.clone(), value))
    };
    entries.iter().filter_map(fill).collect()
}

fn value<'a>(name: &str, identity: &'a Identity) -> Option<Cow<'a, str>> {
    let known = match name {
        "instance_id" => Some(&identity.instance_id),
        "instance_type" => identity.instance_type.as_ref(),
        "image_id" => identity.image_id.as_ref(),
        "region" => identity.region.as_ref(),
        "availability_zone" | "az" => identity.availability_zone.as_ref(),
        "account" => identity.account.as_ref(),
        "private_ip" => identity.private_ip.as_ref(),
        "hostname" => Some(&identity.hostname),
        "kernel_hostname" => return kernel_hostname().map(Cow::Owned),
        "autoscaling_group" | "asg" => identity.autoscaling_group.as_ref(),
        _ => identity.tags.get(name.strip_prefix("tag:")?),
    };
    known.map(|value| Cow::Borrowed(value.as_str()))
}

/// What programs on this host take for its name. The metadata service may have a longer one.
fn kernel_hostname() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::identity::Provenance;

    pub(crate) fn identity() -> Identity {
        Identity {
            provenance: Provenance::Host,
            instance_id: "i-1".to_owned(),
            instance_type: None,
            region: Some("eu-west-1".to_owned()),
            availability_zone: None,
            account: None,
            image_id: None,
            private_ip: None,
            public_ip: None,
            hostname: "host".to_owned(),
            autoscaling_group: None,
            tags: [("Name".to_owned(), "web {region}".to_owned())].into(),
        }
    }

    #[test]
    fn known_placeholders_are_filled_once() {
        let fill = |text| fill(text, &identity());
        assert_eq!(fill("plain").as_deref(), Some("plain"));
        assert_eq!(fill("{region}/{instance_id}!").as_deref(), Some("eu-west-1/i-1!"));
        assert_eq!(fill("{tag:Name}").as_deref(), Some("web {region}"));
    }

    #[test]
    fn the_kernels_name_of_the_host_is_that_of_hostname() {
        let uname = nix::sys::utsname::uname().map(|name| name.nodename().to_owned());
        let filled = fill("{kernel_hostname}", &identity());
        assert_eq!(filled.as_deref(), uname.as_ref().ok().and_then(|name| name.to_str()));
    }

    #[test]
    fn what_is_not_known_leaves_the_entry_out() {
        for text in ["{image_id}", "a {asg}", "{tag:Other}", "{nonsense}", "{region", "{}"] {
            assert_eq!(fill(text, &identity()), None, "{text}");
        }
        let entries = [("a".to_owned(), "{asg}".to_owned()), ("b".to_owned(), "x".to_owned())];
        let filled = fill_all(&entries.into(), &identity());
        assert_eq!(filled, [("b".to_owned(), "x".to_owned())]);
    }
}
