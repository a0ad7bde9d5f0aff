//! Rules for single files by name, size and place. They go with the answer, and the engine applies them to each file.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

mod rule;

use rule::Rule;
use xferd_plugin_sdk::policy::{Action, Decision, Policy, Request, abstain, allow};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;

/// Rules in their order.
#[derive(Debug)]
pub struct ContentRules {
    rules: Vec<Rule>,
    allows: bool,
}

impl Policy for ContentRules {
    fn configure(settings: &Settings) -> Result<Self, String> {
        let allows = match settings.text("inside")? {
            "allow" => true,
            "abstain" => false,
            other => return Err(format!("inside: \"{other}\" is neither allow nor abstain")),
        };
        Ok(Self { rules: settings.parse_all("rules")?, allows })
    }

    fn decide(&self, request: &Request) -> Decision {
        let answer = if self.allows { allow() } else { abstain() };
        match request.action {
            Action::Connect | Action::Invoke(_) | Action::Other(_) => answer,
            _ => answer.paths(self.rules.iter().flat_map(|rule| rule.for_action(&request.action)).collect()),
        }
    }
}

xferd_plugin_sdk::export_policy!(ContentRules);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::policy::{Effect, Obligation, PathRule};

    const RULES: [&str; 6] = [
        "allow /tools/*.exe",
        "deny *.exe",
        "hide .git",
        "max 100MiB *.iso",
        "read-only /archive/**",
        "store photos/ *.jpg",
    ];

    fn settings() -> Settings {
        Settings::of([("rules", RULES)]).with("inside", "abstain")
    }

    fn rules_of(action: Action) -> Vec<PathRule> {
        let policy = ContentRules::configure(&settings()).expect("good settings");
        let mut world = Double::default();
        let request = Request { subject: Default::default(), action, root: "inbox".into() };
        let decision = world.run(|| policy.decide(&request));
        assert_eq!((decision.effect, world.reads().len()), (Effect::Abstain, 0));
        match decision.obligations.into_iter().next() {
            Some(Obligation::Paths(rules)) => rules,
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_push_meets_every_rule_in_order() {
        let rules = rules_of(Action::Push);
        let globs: Vec<&str> = rules.iter().map(|rule| rule.glob.as_str()).collect();
        assert_eq!(globs, ["/tools/*.exe", "*.exe", ".git", ".git/**", "*.iso", "/archive/**", "*.jpg"]);
        assert_eq!((rules[0].effect, rules[1].effect), (Effect::Allow, Effect::Deny));
        assert_eq!((rules[1].code.as_str(), rules[5].code.as_str()), ("content-deny", "content-read-only"));
        assert_eq!((rules[4].effect, rules[4].bytes_max), (Effect::Allow, Some(100 << 20)));
        assert_eq!(rules[6].store_as.as_deref(), Some("photos/"));
    }

    #[test]
    fn only_what_is_hidden_is_kept_from_readers_and_nothing_is_stored_elsewhere_for_them() {
        let globs = |action| rules_of(action).into_iter().map(|rule| rule.glob).collect::<Vec<_>>();
        assert_eq!(globs(Action::Pull), ["/tools/*.exe", ".git", ".git/**"]);
        assert_eq!(globs(Action::Browse), ["/tools/*.exe", ".git", ".git/**"]);
        assert_eq!(globs(Action::Remove), ["/tools/*.exe", ".git", ".git/**", "/archive/**"]);
        assert_eq!(globs(Action::Connect), Vec::<String>::new());
    }

    #[test]
    fn wrong_rules_are_named() {
        for rule in [
            "deny",
            "max *.iso",
            "max 1GB *.iso",
            "store *.jpg",
            "store ../x *.jpg",
            "burn *.jpg",
            "deny a b",
        ] {
            let error = ContentRules::configure(&settings().with("rules", [rule])).expect_err(rule);
            assert!(error.starts_with(&format!("rules: \"{rule}\": ")), "{error}");
        }
    }
}
