//! How much an account may bring in one transfer: a setting for all, a key for those who may more or less.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use xferd_plugin_sdk::policy::{Action, Decision, Obligation, Policy, Request, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::{context, kv};

struct Allowance {
    bytes: u64,
}

impl Policy for Allowance {
    fn configure(settings: &Settings) -> Result<Self, String> {
        Ok(Self { bytes: settings.uint("bytes")? })
    }

    fn decide(&self, request: &Request) -> Decision {
        if !matches!(request.action, Action::Push | Action::Replace) {
            return allow();
        }
        // Both reads join the key of the decision: it is made anew when the operator changes the account's key.
        let own = kv::number(&context::account()).and_then(|bytes| u64::try_from(bytes).ok());
        match own.unwrap_or(self.bytes) {
            0 => deny("no-allowance").detail("this account brings nothing"),
            // The engine counts, and ends the transfer that brings more.
            bytes => allow().oblige(Obligation::MaxBytes(bytes)),
        }
    }
}

xferd_plugin_sdk::export_policy!(Allowance);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;

    #[test]
    fn a_key_goes_before_the_setting() {
        let policy = Allowance::configure(&Settings::of([("bytes", 50_u64)])).expect("good settings");
        let mut world = Double::default();
        world.entry("ann", b"700").entry("bob", b"0");
        let mut push = |account: &str| {
            let request = Request { subject: Default::default(), action: Action::Push, root: "inbox".into() };
            world.fact("account", account).run(|| policy.decide(&request))
        };
        assert_eq!(push("ann").obligations, [Obligation::MaxBytes(700)]);
        assert_eq!(push("bob").code, "no-allowance");
        assert_eq!(push("eve").obligations, [Obligation::MaxBytes(50)]);
    }
}
