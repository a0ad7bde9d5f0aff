//! What is there stays there: nobody removes or replaces a name.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use xferd_plugin_sdk::context;
use xferd_plugin_sdk::policy::{Action, Decision, Policy, Request, allow, deny};
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;

struct Keeper;

impl Policy for Keeper {
    fn configure(_: &Settings) -> Result<Self, String> {
        Ok(Self)
    }

    fn decide(&self, request: &Request) -> Decision {
        match request.action {
            Action::Remove | Action::Replace => {
                let path = context::path().unwrap_or_default();
                deny("kept").detail(format!("{path} stays where it is"))
            }
            _ => allow(),
        }
    }
}

xferd_plugin_sdk::export_policy!(Keeper);

#[cfg(test)]
mod tests {
    use super::*;
    use xferd_plugin_sdk::double::Double;
    use xferd_plugin_sdk::policy::Effect;

    #[test]
    fn names_stay_and_all_else_may() {
        let decide = |action| {
            let request = Request { subject: Default::default(), action, root: "inbox".into() };
            Double::default().fact("path", "a.txt").run(|| Keeper.decide(&request))
        };
        assert_eq!(decide(Action::Push).effect, Effect::Allow);
        assert_eq!(decide(Action::Remove).detail.as_deref(), Some("a.txt stays where it is"));
    }
}
