//! One rule: what is done about files that match a pattern.

use core::str::FromStr;
use xferd_plugin_sdk::policy::{Action, Effect, PathRule};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Bytes;

/// A rule as its text says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Rule {
    what: What,
    pattern: String,
}

/// What is done about a file that matches.
#[derive(Clone, PartialEq, Debug)]
enum What {
    /// Nothing, and no later rule either.
    Allow,
    /// It is not brought.
    Deny,
    /// It is neither brought, nor got, nor listed, nor removed.
    Hide,
    /// It is neither brought, nor replaced, nor removed.
    ReadOnly,
    /// It is not brought when it is larger.
    Max(u64),
    /// It is stored elsewhere.
    Store(String),
}

impl Rule {
    /// The rule as the engine runs it; none where it says nothing about the action. A plain name may be a folder's: then
    /// the rule holds for all below it.
    pub(crate) fn for_action(&self, action: &Action) -> Vec<PathRule> {
        let Some(rule) = self.one(action) else { return Vec::new() };
        let glob = rule.glob.trim_end_matches('/');
        let last = glob.rsplit('/').next().unwrap_or_default();
        if last.bytes().any(|byte| b"*?[".contains(&byte)) {
            return vec![rule];
        }
        let below = PathRule { glob: format!("{glob}/**"), ..rule.clone() };
        vec![PathRule { glob: glob.to_owned(), ..rule.clone() }, below]
    }

    fn one(&self, action: &Action) -> Option<PathRule> {
        let brings = matches!(action, Action::Push | Action::Replace);
        let rule = |effect, code| PathRule::new(self.pattern.clone(), effect, code);
        match &self.what {
            What::Allow => Some(rule(Effect::Allow, "content-allow")),
            What::Hide => Some(rule(Effect::Deny, "content-hide")),
            What::Deny => brings.then(|| rule(Effect::Deny, "content-deny")),
            What::ReadOnly => action.writes().then(|| rule(Effect::Deny, "content-read-only")),
            What::Max(bytes) => {
                brings.then(|| PathRule { bytes_max: Some(*bytes), ..rule(Effect::Allow, "content-max") })
            }
            What::Store(place) => brings
                .then(|| PathRule { store_as: Some(place.clone()), ..rule(Effect::Allow, "content-store") }),
        }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (what, pattern) = match words[..] {
            ["allow", pattern] => (What::Allow, pattern),
            ["deny", pattern] => (What::Deny, pattern),
            ["hide", pattern] => (What::Hide, pattern),
            ["read-only", pattern] => (What::ReadOnly, pattern),
            ["max", size, pattern] => (What::Max(size.parse::<Bytes>()?.0), pattern),
            ["store", place, pattern] => (What::Store(stored_at(place)?), pattern),
            _ => {
                let forms = "allow, deny, hide or read-only PATTERN; max SIZE PATTERN; store PLACE PATTERN";
                return Err(format!("write it as one of: {forms}"));
            }
        };
        Ok(Self { what, pattern: pattern.to_owned() })
    }
}

/// A path beneath the root; with a `/` at its end a folder below which a file keeps its path.
fn stored_at(place: &str) -> Result<String, String> {
    let names = place.trim_matches('/');
    let is_path = !names.is_empty() && names.split('/').all(|name| !matches!(name, "" | "." | ".."));
    if is_path { Ok(place.to_owned()) } else { Err(format!("\"{place}\" is no path beneath the root")) }
}
