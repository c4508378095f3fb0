//! Which service and version an image is of. The tags of a shared image are seen by its owner
//! alone, so that the Packer template writes them into its description too:
//! `Image of web version 1.2.3 timestamp 20260701120000`.

use crate::fleet::{Image, Tags, tag};

/// What an image says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The service.
    pub app: String,
    /// Its version.
    pub version: String,
    /// When it was built: year to second.
    pub timestamp: Option<String>,
}

impl Described {
    /// By its tags where they are known, else by its description.
    pub fn of(image: &Image) -> Option<Self> {
        match (image.app(), image.tags.get(tag::VERSION)) {
            (Some(app), Some(version)) => Some(Self {
                app: app.to_owned(),
                version: version.clone(),
                timestamp: image.tags.get("timestamp").cloned(),
            }),
            _ => Self::parse(&image.description),
        }
    }

    /// By a description: all of it must be as it is written, or it says nothing.
    pub fn parse(description: &str) -> Option<Self> {
        let rest = description.strip_prefix("Image of ")?;
        let (rest, timestamp) = rest.rsplit_once(" timestamp ")?;
        let (app, version) = rest.rsplit_once(" version ")?;
        let is_time = timestamp.len() == 14 && timestamp.bytes().all(|it| it.is_ascii_digit());
        let is_word = |text: &str| !text.is_empty() && !text.chars().any(char::is_whitespace);
        (is_time && is_word(version) && is_word(app)).then(|| Self {
            app: app.to_owned(),
            version: version.to_owned(),
            timestamp: Some(timestamp.to_owned()),
        })
    }

    /// As tags.
    pub(super) fn tags(&self) -> Tags {
        let pairs = [(tag::APP, Some(&self.app)), (tag::VERSION, Some(&self.version))];
        let pairs = pairs.into_iter().chain([("timestamp", self.timestamp.as_ref())]);
        pairs.filter_map(|(key, value)| Some((key.to_owned(), value?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        #[test]
        fn a_description_is_read_back_and_nothing_else_is(
            app in "[a-z0-9][a-z0-9 -]{0,12}",
            version in "[0-9a-zA-Z.+-]{1,12}",
            time in "[0-9]{14}",
            text in ".{0,60}",
        ) {
            let found = Described::parse(&format!("Image of {app} version {version} timestamp {time}"));
            let expected = Described { app: app.clone(), version, timestamp: Some(time) };
            prop_assert_eq!(found, (!app.contains(' ')).then_some(expected));
            prop_assert_eq!(Described::parse(&text), None);
        }
    }
}
