//! telegraf's filters: which metrics of a plugin pass, by their names and tags. gild's `include`
//! names what is sent, so what passes is worked out here, once.

use super::super::draft::Metric;
use super::super::tree::Item;

/// The tags of each input that are dimensions in gild.
const TAGS: [(&str, &[&str]); 4] = [
    ("cpu", &["cpu"]),
    ("disk", &["device", "fstype", "mode", "path"]),
    ("diskio", &["name"]),
    ("net", &["interface"]),
];

const TOO_MUCH: &str = "gild's patterns have one * at their end; name the metrics in the sink's \
    include";

/// A test of names.
struct Names<'a> {
    pass: Option<Vec<&'a str>>,
    drop: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn read(table: &'a Item, pass: &[&str], drop: &[&str]) -> Self {
        let find = |keys: &[&str]| {
            let found = keys.iter().filter_map(|key| table.get(key)).filter_map(patterns);
            found.reduce(|mut all, more| {
                all.extend(more);
                all
            })
        };
        Self {
            pass: find(pass).filter(|all| !all.is_empty()),
            drop: find(drop).unwrap_or_default(),
        }
    }

    fn passes(&self, name: &str) -> bool {
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| glob(pattern, name));
        self.pass.as_ref().is_none_or(|pass| any(pass)) && !any(&self.drop)
    }
}

/// The patterns of a key; nothing, with a note, where they are of a kind that is not known here.
fn patterns(item: &Item) -> Option<Vec<&str>> {
    let plain = |text: &&str| !text.contains(['[', ']', '{', '}', '\\', '!', '$']);
    match item.texts().filter(|texts| texts.iter().all(plain)) {
        Some(texts) => {
            item.carried();
            Some(texts)
        }
        None => {
            item.left("it is passed over: write the metrics that it means in the sink's include");
            None
        }
    }
}

/// What passes of a plugin.
pub(super) struct Filter<'a> {
    measurements: Names<'a>,
    fields: Names<'a>,
    /// One of these must hold, where there are any.
    either: Vec<(&'a str, &'a str)>,
    /// None of these may hold.
    neither: Vec<(&'a str, &'a str)>,
    tags: [Option<&'a Item>; 2],
}

impl<'a> Filter<'a> {
    /// The filters of a plugin.
    pub(super) fn read(table: &'a Item) -> Self {
        let [pass, drop] = ["tagpass", "tagdrop"].map(|key| table.get(key));
        Self {
            measurements: Names::read(table, &["namepass"], &["namedrop"]),
            fields: Names::read(
                table,
                &["fieldinclude", "fieldpass", "pass"],
                &["fieldexclude", "fielddrop", "drop"],
            ),
            either: pass.map(conditions).unwrap_or_default(),
            neither: drop.map(conditions).unwrap_or_default(),
            tags: [pass, drop],
        }
    }

    /// Whether a field of a measurement passes.
    pub(super) fn passes(&self, measurement: &str, field: &str) -> bool {
        self.measurements.passes(measurement) && self.fields.passes(field)
    }

    /// The metrics that pass, with what their dimensions must meet.
    pub(super) fn apply(&self, metrics: Vec<Metric>) -> Vec<Metric> {
        let passes = |metric: &Metric| self.passes(metric.plugin, metric.field());
        let metrics: Vec<Metric> = metrics.into_iter().filter(passes).collect();
        let known = |metric: &Metric, tag: &str| {
            let tags = TAGS.iter().find(|(plugin, _)| *plugin == metric.plugin);
            tags.is_some_and(|(_, tags)| tags.contains(&tag))
        };
        let foreign = |wanted: &[(&str, &str)]| {
            metrics.iter().any(|metric| wanted.iter().any(|(tag, _)| !known(metric, tag)))
        };
        let [mut either, mut neither] = [self.either.clone(), self.neither.clone()];
        for (wanted, item) in [(&mut either, self.tags[0]), (&mut neither, self.tags[1])] {
            if foreign(wanted) {
                wanted.clear();
                if let Some(item) = item {
                    every_entry(
                        item,
                        "gild has no such dimension here, so all is sent; name what \
                                       is wanted in the sink's include",
                    );
                }
            }
        }
        let mut out = Vec::new();
        for metric in metrics {
            let mut with = |condition: Option<String>| {
                let mut metric = metric.clone();
                if condition.is_some() {
                    metric.count = metric.count.min(1);
                }
                metric.about.extend(condition);
                let not = neither.iter().map(|(tag, value)| [*tag, "!=", *value].concat());
                metric.about.extend(not);
                out.push(metric);
            };
            match either.is_empty() {
                true => with(None),
                false => {
                    either.iter().for_each(|(tag, value)| with(Some([*tag, "=", *value].concat())));
                }
            }
        }
        out
    }
}

fn every_entry(table: &Item, advice: &'static str) {
    table.items().iter().for_each(|entry| entry.left(advice));
}

/// The tags and values of a filter; those that are no patterns of gild's are noted, and then none
/// of them counts.
fn conditions(table: &Item) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    for entry in table.items() {
        let texts = entry.texts().filter(|texts| texts.iter().all(|text| is_pattern(text)));
        match texts {
            Some(texts) => {
                entry.carried();
                all.extend(texts.into_iter().map(|text| (entry.key.as_str(), text)));
            }
            None => {
                every_entry(table, TOO_MUCH);
                return Vec::new();
            }
        }
    }
    all
}

/// Whether a text may stand as a value in a pattern of gild's.
pub(super) fn is_pattern(text: &str) -> bool {
    let plain = text.strip_suffix('*').unwrap_or(text);
    !plain.contains(['*', '?', '[', ']', '{', '}', ',', '"', '\\', '!', '$'])
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a pattern with `*` and `?` stands for a name.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut behind) = (0, 0);
    // Where the last star stands, and how much of the name it covers so far.
    let mut star: Option<(usize, usize)> = None;
    while behind < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, behind));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[behind] => {
                at += 1;
                behind += 1;
            }
            _ => match &mut star {
                Some((place, covered)) => {
                    *covered += 1;
                    (at, behind) = (*place + 1, *covered);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_telegraf() {
        for (pattern, yes, no) in [
            ("usage_*", "usage_idle", "time_idle"),
            ("*_idle", "usage_idle", "usage_idle2"),
            ("a*b*c", "aXbYbc", "aXbYbd"),
            ("io_?til", "io_util", "io_futil"),
            ("*", "", "\u{0}never"),
            ("", "", "x"),
        ] {
            assert!(glob(pattern, yes), "{pattern}");
            assert!(!glob(pattern, no) || pattern == "*", "{pattern}");
        }
    }
}
