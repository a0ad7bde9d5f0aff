//! Time windows: outside of them what is bound to the hours is denied, inside it ends with the window.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

mod week;

use week::{Offset, Window, until_end};
use xferd_plugin_sdk::policy::{Decision, Obligation, Policy, Request, abstain, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::{clock, context};

/// When what may be done.
#[derive(Debug)]
pub struct Hours {
    windows: Vec<Window>,
    offset: Offset,
    actions: Vec<String>,
    exempt: Vec<String>,
    allows: bool,
}

const ACTIONS: &[&str] = &["connect", "browse", "pull", "push", "replace", "remove", "invoke"];

impl Policy for Hours {
    fn configure(settings: &Settings) -> Result<Self, String> {
        let actions = settings.texts("actions")?;
        if let Some(stray) = actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
            return Err(format!("actions: \"{stray}\" is none of {}", ACTIONS.join(", ")));
        }
        let allows = match settings.text("inside")? {
            "allow" => true,
            "abstain" => false,
            other => return Err(format!("inside: \"{other}\" is neither allow nor abstain")),
        };
        Ok(Self {
            windows: settings.parse_all("windows")?,
            offset: settings.parse("offset")?,
            actions: actions.to_vec(),
            exempt: settings.texts("exempt")?.to_vec(),
            allows,
        })
    }

    fn decide(&self, request: &Request) -> Decision {
        let inside = || if self.allows { allow() } else { abstain() };
        let is_bound = self.actions.iter().any(|action| action == request.action.word());
        if !is_bound {
            return inside();
        }
        if !self.exempt.is_empty() && self.exempt.contains(&context::account()) {
            return inside();
        }
        let now_ms = clock::unix_ms();
        match until_end(&self.windows, self.offset, now_ms) {
            None => {
                let windows: Vec<String> = self.windows.iter().map(ToString::to_string).collect();
                let when = if windows.is_empty() { "never".into() } else { windows.join("; ") };
                let detail = format!("{} is possible {when} (UTC{})", request.action.word(), self.offset);
                deny("outside-hours").detail(detail)
            }
            Some(u64::MAX) => inside(),
            Some(left_ms) => inside().oblige(Obligation::NotAfterMs(now_ms.saturating_add(left_ms))),
        }
    }
}

xferd_plugin_sdk::export_policy!(Hours);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::policy::{Action, Effect};

    /// Monday, 2026-11-16 00:00 UTC.
    const MONDAY_MS: u64 = 1_794_787_200_000;
    const HOUR_MS: u64 = 3_600_000;

    fn settings() -> Settings {
        Settings::of([("windows", ["mon-fri 08:00-18:00"])])
            .with("offset", "+01:00")
            .with("actions", ["push", "pull"])
            .with("exempt", ["ops"])
            .with("inside", "allow")
    }

    fn asked(action: Action, at_ms: u64, account: &str) -> (Decision, Double) {
        let policy = Hours::configure(&settings()).expect("good settings");
        let mut world = Double::default();
        world.unix_ms(at_ms).fact("account", account);
        let request = Request { subject: Default::default(), action, root: "inbox".into() };
        (world.run(|| policy.decide(&request)), world)
    }

    #[test]
    fn inside_it_ends_with_the_window() {
        let (decision, _) = asked(Action::Push, MONDAY_MS + 7 * HOUR_MS, "alice");
        assert_eq!(decision.effect, Effect::Allow);
        assert_eq!(decision.obligations, [Obligation::NotAfterMs(MONDAY_MS + 17 * HOUR_MS)]);
    }

    #[test]
    fn outside_it_is_denied_with_the_hours() {
        for at_ms in [MONDAY_MS + 7 * HOUR_MS - 1, MONDAY_MS + 17 * HOUR_MS, MONDAY_MS - 12 * HOUR_MS] {
            let (decision, _) = asked(Action::Pull, at_ms, "alice");
            assert_eq!((decision.effect, decision.code.as_str()), (Effect::Deny, "outside-hours"));
            let detail = decision.detail.expect("a sentence");
            assert_eq!(detail, "pull is possible mon-fri 08:00-18:00 (UTC+01:00)");
        }
    }

    #[test]
    fn the_exempt_and_what_is_not_bound_never_read_the_clock() {
        let (decision, world) = asked(Action::Push, MONDAY_MS, "ops");
        assert_eq!((decision.effect, world.reads()), (Effect::Allow, &["context account".to_owned()][..]));
        let (decision, world) = asked(Action::Browse, MONDAY_MS, "alice");
        assert_eq!((decision.effect, world.reads().len()), (Effect::Allow, 0));
    }

    #[test]
    fn wrong_settings_are_named() {
        let wrong = |key: &str, value: &str| match key {
            "windows" | "actions" => Hours::configure(&settings().with(key, [value])),
            _ => Hours::configure(&settings().with(key, value)),
        };
        for (key, value) in [
            ("windows", "mon 8-18"),
            ("windows", "someday 08:00-18:00"),
            ("windows", "mon 08:00-24:01"),
            ("offset", "CET"),
            ("offset", "+15:00"),
            ("actions", "fly"),
            ("inside", "perhaps"),
        ] {
            let error = wrong(key, value).expect_err(value);
            assert!(error.starts_with(key) && error.contains(value), "{error}");
        }
    }
}
