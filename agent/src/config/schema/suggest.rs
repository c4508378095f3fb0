//! Keys that are nearly right: a typing error in one part of a path, or the
//! last part of a path without the tables above it.

use super::shape::Shape;
use super::words::nearest;
use crate::config::path::KeyPath;

/// What stands in a path where the user chooses a name.
pub const NAME: &str = "NAME";

/// How many keys are named at most.
const NAMED: usize = 3;

impl Shape {
    /// The keys that may be meant by a path that is none, the likeliest first.
    pub fn suggest(&self, path: &[String]) -> Vec<KeyPath> {
        match self.mended(path) {
            Some(mended) => vec![mended.into_iter().collect()],
            None => self.ending_in(path),
        }
    }

    /// The path with its first wrong key replaced by the nearest right one, and
    /// what follows it too, as far as that is known.
    fn mended(&self, path: &[String]) -> Option<Vec<String>> {
        let (key, rest) = path.split_first()?;
        let one = std::slice::from_ref(key);
        let key = match self.at(one) {
            Some(_) => key.clone(),
            None => nearest(key, &self.keys())?.to_owned(),
        };
        let mut mended = vec![key];
        let below = self.at(&mended)?;
        if below.at(rest).is_some() {
            mended.extend(rest.iter().cloned());
        } else {
            let rest = below.mended(rest);
            // The key stands in no other place, or nothing below it is near.
            if rest.is_none() && mended.as_slice() == one {
                return None;
            }
            mended.extend(rest.unwrap_or_default());
        }
        Some(mended)
    }

    /// The keys further down whose paths end like this one.
    fn ending_in(&self, path: &[String]) -> Vec<KeyPath> {
        let mut all = Vec::new();
        self.collect(&mut Vec::new(), &mut all);
        let mut found: Vec<(usize, Vec<String>)> = Vec::new();
        for known in all.iter().filter(|known| known.len() > path.len()) {
            let (above, end) = known.split_at(known.len() - path.len());
            let distances = end.iter().zip(path).map(|(known, word)| distance(known, word));
            let Some(distance) = distances.sum::<Option<usize>>() else { continue };
            // A name is the user's own, and is kept where there is one.
            let end = end.iter().zip(path);
            let end = end.map(|(known, word)| if *known == NAME { word } else { *known });
            let path = above.iter().copied().chain(end).map(str::to_owned).collect();
            found.push((distance, path));
        }
        let least = found.iter().map(|(distance, _)| *distance).min();
        found.retain(|(distance, _)| Some(*distance) == least);
        let mut found: Vec<KeyPath> =
            found.into_iter().map(|(_, path)| path.into_iter().collect()).collect();
        found.dedup();
        found.truncate(NAMED);
        found
    }

    /// The paths of all keys that are neither a table nor an entry of the user's.
    fn collect(&self, path: &mut Vec<&'static str>, all: &mut Vec<Vec<&'static str>>) {
        let mut below = |key: &'static str, shape: &Shape| {
            path.push(key);
            shape.collect(path, all);
            path.pop();
        };
        match self {
            Shape::Table(fields) => {
                fields.iter().for_each(|field| below(field.key, &field.shape));
            }
            Shape::Map(entry) => match **entry {
                Shape::Table(_) | Shape::Variants { .. } => below(NAME, entry),
                // Its keys are names, which are near to nothing.
                _ => all.push(path.clone()),
            },
            Shape::Variants { tag, words, variants } => {
                below(tag, &Shape::Choice(words));
                let mut seen = Vec::new();
                for field in variants.iter().flat_map(|(_, fields)| fields) {
                    if !seen.contains(&field.key) {
                        seen.push(field.key);
                        below(field.key, &field.shape);
                    }
                }
            }
            _ => all.push(path.clone()),
        }
    }
}

/// How far a word is from a key that may be meant; `None` where it is too far.
/// Stricter than among the keys of one table, because here are many.
fn distance(known: &str, word: &str) -> Option<usize> {
    if known == NAME {
        return Some(0);
    }
    let (long, short) = (known.len().max(word.len()), known.len().min(word.len()));
    let most = short / 4;
    // Long words come from outside, and comparing them takes time.
    let distance = (long - short <= 4 * most)
        .then(|| strsim::damerau_levenshtein(known, word))
        .filter(|distance| *distance <= most)?;
    Some(distance)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::config::Settings;
    use crate::config::path::KeyPath;
    use crate::config::schema::Setting;

    fn suggested(text: &str) -> Vec<String> {
        let path: KeyPath = text.split('.').collect();
        let suggested = Settings::shape().suggest(path.segments());
        suggested.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_typing_error_anywhere_in_a_path_is_mended() {
        for (wrong, right) in [
            ("metrics.intervall", "metrics.interval"),
            ("metric.interval", "metrics.interval"),
            ("metric.intervall", "metrics.interval"),
            ("metric.nothing_like_it", "metrics"),
            ("servce.web.fail_afer", "service.web.fail_after"),
            ("service.web.fail_afer", "service.web.fail_after"),
            ("sink.mimir.tennant", "sink.mimir.tenant"),
            ("scope.globl.required", "scope.global.required"),
        ] {
            assert_eq!(suggested(wrong), [right], "{wrong}");
        }
    }

    #[test]
    fn a_key_without_the_tables_above_it_is_found() {
        for (wrong, right) in [
            (
                "interval",
                &["metrics.interval", "lifecycle.interval", "service.NAME.interval"] as &[&str],
            ),
            ("intervall", &["metrics.interval", "lifecycle.interval", "service.NAME.interval"]),
            ("fail_after", &["service.NAME.fail_after"]),
            ("web.fail_after", &["service.web.fail_after"]),
            ("mimir.tenant", &["sink.mimir.tenant"]),
            ("global.required", &["scope.global.required"]),
            ("url", &["sink.NAME.url", "notify.NAME.url", "scrape.NAME.url"]),
        ] {
            assert_eq!(suggested(wrong), right, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_suggested_is_a_key(
            segments in prop::collection::vec("[a-z_.é]{0,12}|metrics|sink|interval|flus", 0..5)
        ) {
            for found in Settings::shape().suggest(&segments) {
                prop_assert!(Settings::shape().at(found.segments()).is_some(), "{}", found);
            }
        }
    }

    #[test]
    fn what_is_near_to_nothing_has_no_suggestion() {
        let long = "interval".repeat(100_000);
        for wrong in ["bananas", "metrics.bananas.x", "", "x", "urk", &long] {
            assert_eq!(suggested(wrong), Vec::<String>::new(), "{}", wrong.len());
        }
    }
}
