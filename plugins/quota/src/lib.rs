//! Bounds of requests, files and bytes per account and time, and of what an account stores on a root.
//!
//! Requests, files and KiB are taken from the engine's buckets, whose sizes the grants name. What is taken first stays
//! taken when a later bucket has too little: a denied request costs its request.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use xferd_plugin_sdk::policy::{Action, Decision, Obligation, Policy, Request, abstain, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::{Bytes, Settings};
use xferd_plugin_sdk::{context, quota};

/// Bounds; 0 is none.
#[derive(Debug)]
pub struct Quota {
    actions: Vec<String>,
    counts: Vec<Bucket>,
    stored_bytes_max: u64,
    transfer_bytes_max: u64,
    transfer_files_max: u64,
    bytes_per_second_max: u64,
    exempt: Vec<String>,
    allows: bool,
}

/// A bucket of the engine, named in the grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bucket {
    Requests,
    Files,
    Kib,
}

const ACTIONS: &[&str] = &["connect", "browse", "pull", "push", "replace", "remove", "invoke"];

impl Policy for Quota {
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
            actions: actions.to_vec(),
            counts: settings.parse_all("count")?,
            stored_bytes_max: settings.parse::<Bytes>("stored-max")?.0,
            transfer_bytes_max: settings.parse::<Bytes>("transfer-max")?.0,
            transfer_files_max: settings.uint("transfer-files-max")?,
            bytes_per_second_max: settings.parse::<Bytes>("rate-max")?.0,
            exempt: settings.texts("exempt")?.to_vec(),
            allows,
        })
    }

    fn decide(&self, request: &Request) -> Decision {
        let answer = if self.allows { allow() } else { abstain() };
        if !self.actions.iter().any(|action| action == request.action.word()) {
            return answer;
        }
        if !self.exempt.is_empty() && self.exempt.contains(&context::account()) {
            return answer;
        }
        match self.transfer(self.stored(request, answer)) {
            Ok(answer) => self.take().err().unwrap_or(answer),
            Err(denied) => denied,
        }
    }
}

impl Quota {
    /// What the account stores, with what comes. How much that adds shows only file by file: the engine looks at each.
    fn stored(&self, request: &Request, answer: Decision) -> Decision {
        match (self.stored_bytes_max, &request.action) {
            (0, _) => answer,
            (most, Action::Push | Action::Replace) => answer.max_stored_bytes(most),
            _ => answer,
        }
    }

    /// Bounds of one transfer, refused at once where its size is known, enforced by the engine where not.
    fn transfer(&self, mut answer: Decision) -> Result<Decision, Decision> {
        let most = self.transfer_bytes_max;
        if most > 0 {
            if let Some(size) = context::size().filter(|size| *size > most) {
                let detail = format!("{} in one transfer, at most {} allowed", Bytes(size), Bytes(most));
                return Err(deny("quota-transfer").detail(detail));
            }
            answer = answer.oblige(Obligation::MaxBytes(most));
        }
        let most = self.transfer_files_max;
        if most > 0 {
            if let Some(files) = context::files().filter(|files| *files > most) {
                let detail = format!("{files} files in one transfer, at most {most} allowed");
                return Err(deny("quota-transfer").detail(detail));
            }
            answer = answer.oblige(Obligation::MaxFiles(most));
        }
        Ok(match self.bytes_per_second_max {
            0 => answer,
            rate => answer.oblige(Obligation::BytesPerSecond(rate)),
        })
    }

    /// Takes from the buckets, the cheapest first.
    fn take(&self) -> Result<(), Decision> {
        for bucket in &self.counts {
            let (name, amount) = match bucket {
                Bucket::Requests => ("requests", 1),
                Bucket::Files => ("files", context::files().unwrap_or(1)),
                Bucket::Kib => ("kib", context::size().unwrap_or(0).div_ceil(1024)),
            };
            if amount > 0 && !quota::take(name, amount) {
                let detail = format!(
                    "the account's {name} are used up ({amount} asked for); they come back with time"
                );
                return Err(deny(&format!("quota-{name}")).detail(detail));
            }
        }
        Ok(())
    }
}

impl core::str::FromStr for Bucket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "requests" => Ok(Self::Requests),
            "files" => Ok(Self::Files),
            "kib" => Ok(Self::Kib),
            _ => Err("is none of requests, files, kib".to_owned()),
        }
    }
}

xferd_plugin_sdk::export_policy!(Quota);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::policy::Effect;

    fn settings() -> Settings {
        Settings::of([("actions", ["push"])])
            .with("count", ["requests", "kib"])
            .with("stored-max", "1MiB")
            .with("transfer-max", "0")
            .with("transfer-files-max", 0u64)
            .with("rate-max", "0")
            .with("exempt", ["ops"])
            .with("inside", "allow")
    }

    fn asked(settings: &Settings, world: &mut Double) -> Decision {
        let policy = Quota::configure(settings).expect("good settings");
        let request = Request { subject: Default::default(), action: Action::Push, root: "inbox".into() };
        world.run(|| policy.decide(&request))
    }

    fn world() -> Double {
        let mut world = Double::default();
        world.fact("account", "alice").fact("size", 10_000u64);
        world.bucket("requests", 2).bucket("kib", 25);
        world
    }

    #[test]
    fn buckets_are_taken_until_they_are_empty() {
        let mut world = world();
        assert_eq!(asked(&settings(), &mut world).effect, Effect::Allow);
        assert_eq!((world.left("requests"), world.left("kib")), (1, 15));
        assert_eq!(asked(&settings(), &mut world).effect, Effect::Allow);
        let denied = asked(&settings(), &mut world);
        assert_eq!((denied.effect, denied.code.as_str()), (Effect::Deny, "quota-requests"));
        world.bucket("requests", 1);
        assert_eq!(asked(&settings(), &mut world).code, "quota-kib");
    }

    #[test]
    fn what_is_stored_is_bounded_by_the_engine() {
        let decision = asked(&settings(), &mut world());
        assert_eq!(decision.obligations, allow().max_stored_bytes(1 << 20).obligations);
        let free = asked(&settings().with("stored-max", "0"), &mut world());
        assert!(free.obligations.is_empty());
    }

    #[test]
    fn a_transfer_has_bounds_of_its_own() {
        let settings =
            settings().with("stored-max", "0").with("transfer-max", "5KiB").with("rate-max", "1MiB");
        assert_eq!(asked(&settings, &mut world()).code, "quota-transfer");
        let mut unknown = world();
        let decision = asked(&settings, unknown.no_fact("size"));
        assert_eq!(
            decision.obligations,
            [Obligation::MaxBytes(5 << 10), Obligation::BytesPerSecond(1 << 20)]
        );
    }

    #[test]
    fn the_exempt_have_no_bounds() {
        let mut world = world();
        let decision = asked(&settings(), world.fact("account", "ops").fact("size", u64::MAX));
        assert_eq!(
            (decision.effect, decision.obligations.len(), world.left("requests")),
            (Effect::Allow, 0, 2)
        );
    }

    #[test]
    fn wrong_settings_are_named() {
        for (key, value) in [("stored-max", "much"), ("inside", "perhaps"), ("rate-max", "1MB/s")] {
            let error = Quota::configure(&settings().with(key, value)).expect_err(value);
            assert!(error.starts_with(key) && error.contains(value), "{error}");
        }
        assert!(Quota::configure(&settings().with("count", ["bytes"])).is_err());
    }
}
