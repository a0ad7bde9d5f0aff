//! One rule: EFFECT WHO ACTIONS [PLACE].

use core::cell::OnceCell;
use core::str::FromStr;
use xferd_plugin_sdk::policy::{Action, Effect};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::value::{GroupId, Id32, PeerId};
use xferd_plugin_sdk::{context, identity};

/// Words of actions, and what `read` and `write` stand for.
const ACTIONS: [&str; 7] = ["connect", "browse", "pull", "push", "replace", "remove", "invoke"];
const READ: [&str; 3] = ["connect", "browse", "pull"];
const WRITE: [&str; 5] = ["connect", "browse", "push", "replace", "remove"];

/// A rule as its text says.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) text: String,
    pub(crate) effect: Effect,
    who: Vec<Who>,
    actions: Vec<&'static str>,
    /// The root; none: every root.
    pub(crate) root: Option<String>,
    /// The folder or file, without slashes at its ends; none: everywhere, also where there is no path.
    pub(crate) path: Option<String>,
}

/// Whom a rule is about.
#[derive(Clone, PartialEq, Debug)]
enum Who {
    Everybody,
    Account(String),
    Device(PeerId),
    /// The members of the group of this id.
    Group(GroupId),
    /// The members of the group of this name.
    GroupNamed(String),
}

/// Who asks. Account and groups are read only when a rule names one: what is read, the answer depends on.
pub(crate) struct Subject {
    device: PeerId,
    account: OnceCell<String>,
    groups: OnceCell<Vec<String>>,
}

impl Subject {
    pub(crate) fn new(device: PeerId) -> Self {
        Self { device, account: OnceCell::new(), groups: OnceCell::new() }
    }

    fn is(&self, who: &Who) -> bool {
        match who {
            Who::Everybody => true,
            Who::Account(name) => self.account.get_or_init(context::account) == name,
            Who::Device(device) => self.device == *device,
            Who::Group(group) => identity::is_member(self.device, *group),
            Who::GroupNamed(name) => {
                self.groups.get_or_init(|| identity::group_names(self.device)).contains(name)
            }
        }
    }
}

impl Rule {
    pub(crate) fn is_about(&self, subject: &Subject) -> bool {
        self.who.iter().any(|who| subject.is(who))
    }

    /// Whether the rule names the action; one that this version does not know only by `*`.
    pub(crate) fn has(&self, action: &Action) -> bool {
        self.actions.len() == ACTIONS.len() || self.actions.contains(&action.word())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (Some(effect), Some(who), Some(actions), place, None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return Err("write it as 'EFFECT WHO ACTIONS [PLACE]'".to_owned());
        };
        let effect = match effect {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            other => return Err(format!("\"{other}\" is neither allow nor deny")),
        };
        let who = who.split(',').map(Who::from_str).collect::<Result<_, _>>()?;
        let (root, path) = place.map_or(Ok((None, None)), placed)?;
        Ok(Self { text: text.trim().to_owned(), effect, who, actions: named(actions)?, root, path })
    }
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = |hex: &str| {
            Id32::from_hex(hex).ok_or_else(|| format!("\"{hex}\" is no id of 64 hexadecimal digits"))
        };
        match text.split_once(':') {
            None if text == "*" => Ok(Self::Everybody),
            Some(("account", name)) if !name.is_empty() => Ok(Self::Account(name.to_owned())),
            Some(("device", hex)) => id(hex).map(Self::Device),
            Some(("group", group)) if !group.is_empty() => {
                Ok(Id32::from_hex(group).map_or_else(|| Self::GroupNamed(group.to_owned()), Self::Group))
            }
            _ => Err(format!("\"{text}\" is none of *, account:NAME, device:ID, group:NAME, group:ID")),
        }
    }
}

fn named(text: &str) -> Result<Vec<&'static str>, String> {
    let mut found = Vec::new();
    for word in text.split(',') {
        match word {
            "*" => found.extend(ACTIONS),
            "read" => found.extend(READ),
            "write" => found.extend(WRITE),
            _ => match ACTIONS.iter().find(|action| **action == word) {
                Some(action) => found.push(action),
                None => return Err(format!("\"{word}\" is none of *, read, write, {}", ACTIONS.join(", "))),
            },
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

type Place = (Option<String>, Option<String>);

/// `ROOT:/path`, `*:/path` or `/path`; (root, path).
fn placed(text: &str) -> Result<Place, String> {
    if text == "*" {
        return Ok((None, None));
    }
    let form = || format!("\"{text}\" is none of *, ROOT:/path, /path");
    let (root, path) = match text.split_once(":/") {
        Some((root, path)) if !root.is_empty() => (Some(root).filter(|root| *root != "*"), path),
        _ => (None, text.strip_prefix('/').ok_or_else(form)?),
    };
    let path = path.trim_matches('/');
    if path.bytes().any(|byte| b"*?[\\".contains(&byte)) {
        return Err(format!(
            "\"{text}\": a place is a folder or a file, not a pattern; the policy content-rules has patterns"
        ));
    }
    if path.split('/').any(|part| part == "." || part == "..") || path.contains("//") {
        return Err(form());
    }
    Ok((root.map(str::to_owned), Some(path.to_owned())))
}
