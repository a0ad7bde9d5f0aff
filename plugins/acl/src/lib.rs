//! Who may do what where: the first rule that fits decides.
//!
//! A request that covers a tree (a push of a folder, a listing) meets rules for what lies below it as well; these go
//! with the answer as rules for single files, which the engine runs.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

mod rule;

use rule::{Rule, Subject};
use xferd_plugin_sdk::context;
use xferd_plugin_sdk::policy::{Action, Decision, Effect, PathRule, Policy, Request, abstain, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;

/// Rules in their order, and what holds where none fits.
#[derive(Debug)]
pub struct Acl {
    rules: Vec<Rule>,
    otherwise: Effect,
}

/// The code of every denial, also of single files.
const CODE: &str = "acl";

impl Policy for Acl {
    fn configure(settings: &Settings) -> Result<Self, String> {
        let otherwise = match settings.text("otherwise")? {
            "deny" => Effect::Deny,
            "abstain" => Effect::Abstain,
            other => return Err(format!("otherwise: \"{other}\" is neither deny nor abstain")),
        };
        Ok(Self { rules: settings.parse_all("rules")?, otherwise })
    }

    fn decide(&self, request: &Request) -> Decision {
        let subject = Subject::new(request.subject);
        let mine = self.rules.iter().filter(|rule| rule.is_about(&subject));
        match request.action {
            Action::Connect => self.connect(mine),
            Action::Invoke(_) | Action::Other(_) => {
                let first = mine.filter(|rule| rule.path.is_none()).find(|rule| rule.has(&request.action));
                self.plain(first, request)
            }
            _ => {
                let path = context::path().unwrap_or_default();
                self.at(mine.filter(|rule| rule.has(&request.action)), request, &path)
            }
        }
    }
}

impl Acl {
    /// Whoever may do anything may connect, unless a rule about connecting comes first.
    fn connect<'a>(&self, mut rules: impl Iterator<Item = &'a Rule>) -> Decision {
        let first = rules
            .find(|rule| rule.effect == Effect::Allow || rule.has(&Action::Connect) && rule.path.is_none());
        match first {
            Some(rule) if rule.effect == Effect::Allow => allow(),
            Some(rule) => refused(Some(rule), "connect", ""),
            None if self.otherwise == Effect::Abstain => abstain(),
            None => refused(None, "connect", ""),
        }
    }

    fn plain(&self, rule: Option<&Rule>, request: &Request) -> Decision {
        match rule.map_or(self.otherwise, |rule| rule.effect) {
            Effect::Allow => allow(),
            Effect::Abstain => abstain(),
            Effect::Deny => refused(rule, request.action.word(), &request.root),
        }
    }

    /// Decides about a path and all below it.
    fn at<'a>(&self, rules: impl Iterator<Item = &'a Rule>, request: &Request, path: &str) -> Decision {
        let mut below = Vec::new();
        let mut decisive = None;
        for rule in rules.filter(|rule| rule.root.as_ref().is_none_or(|root| *root == request.root)) {
            let place = rule.path.as_deref().unwrap_or_default();
            if is_within(path, place) {
                decisive = Some(rule);
                break;
            }
            if is_within(place, path) {
                below.push((place, rule.effect));
            }
        }
        let effect = decisive.map_or(self.otherwise, |rule| rule.effect);
        if below.iter().all(|(_, own)| *own == effect) {
            below.clear();
        }
        let some_allow = below.iter().any(|(_, own)| *own == Effect::Allow);
        let answer = match effect {
            Effect::Deny if !some_allow => {
                return refused(decisive, request.action.word(), &place(request, path));
            }
            Effect::Allow | Effect::Deny => allow(),
            Effect::Abstain => abstain(),
        };
        let mut paths = Vec::new();
        for (place, own) in &below {
            for glob in [format!("/{place}"), format!("/{place}/**")] {
                paths.push(PathRule::new(glob, *own, CODE));
            }
        }
        if effect == Effect::Deny {
            paths.push(PathRule::new("**", Effect::Deny, CODE));
        }
        answer.paths(paths)
    }
}

/// Whether a path is a folder or lies below it; the empty folder is the root.
fn is_within(path: &str, folder: &str) -> bool {
    match path.strip_prefix(folder) {
        Some(rest) => folder.is_empty() || rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

fn place(request: &Request, path: &str) -> String {
    format!("{}:/{path}", request.root)
}

fn refused(rule: Option<&Rule>, action: &str, place: &str) -> Decision {
    let why = match rule {
        Some(rule) => format!("rule '{}'", rule.text),
        None => "no rule allows it".to_owned(),
    };
    let what = if place.is_empty() { action.to_owned() } else { format!("{action} at {place}") };
    deny(CODE).detail(format!("{what}: {why}"))
}

xferd_plugin_sdk::export_policy!(Acl);

#[cfg(test)]
mod tests;
