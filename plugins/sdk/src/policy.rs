//! Policies: may this subject do this action on this root, and under which obligations?

use crate::settings::Settings;
use crate::value::Attr;
pub use crate::value::PeerId;
use alloc::string::String;
use alloc::vec::Vec;

/// What somebody wants to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open a session.
    Connect,
    /// List names.
    Browse,
    /// Get files.
    Pull,
    /// Bring files.
    Push,
    /// Replace a file.
    Replace,
    /// Remove names.
    Remove,
    /// Call a protocol of a handler.
    Invoke(String),
    /// An action that this version does not know.
    Other(String),
}

impl Action {
    /// The action's word, as settings and logs write it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Connect => "connect",
            Self::Browse => "browse",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Invoke(_) => "invoke",
            Self::Other(name) => name,
        }
    }

    /// Whether something is written: push, replace, remove.
    #[must_use]
    pub fn writes(&self) -> bool {
        matches!(self, Self::Push | Self::Replace | Self::Remove)
    }
}

/// A question to a policy. All else is read through [`crate::context`].
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// The device that asks.
    pub subject: PeerId,
    /// What it wants to do.
    pub action: Action,
    /// Name of the root or share; empty for connect and invoke.
    pub root: String,
}

/// An answer. One deny of any policy decides; else one allow does; all abstain: denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Yes.
    Allow,
    /// No.
    Deny,
    /// Others decide.
    Abstain,
}

/// A rule for single files, run by the engine. The first that matches decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathRule {
    /// Matched against the path relative to the root: `*`, `?`, `**`, `[a-z]`.
    pub glob: String,
    /// A larger file is denied.
    pub bytes_max: Option<u64>,
    /// For a file that matches.
    pub effect: Effect,
    /// The path it gets instead.
    pub store_as: Option<String>,
    /// Why, when denied.
    pub code: String,
}

impl PathRule {
    /// A rule without bound and redirection.
    pub fn new(glob: impl Into<String>, effect: Effect, code: impl Into<String>) -> Self {
        Self { glob: glob.into(), bytes_max: None, effect, store_as: None, code: code.into() }
    }
}

/// What the engine enforces while it does what was allowed.
#[derive(Clone, PartialEq, Debug)]
pub enum Obligation {
    /// Bytes of one transfer.
    MaxBytes(u64),
    /// Files of one transfer.
    MaxFiles(u64),
    /// Rate of the session.
    BytesPerSecond(u64),
    /// UTC milliseconds after which it ends.
    NotAfterMs(u64),
    /// Nothing is written.
    ReadOnly,
    /// The path it gets instead.
    StoreAs(String),
    /// Read by later decisions of the session as context `label`.
    Label(String),
    /// A topic under which observers are told.
    Notify(String),
    /// Rules for single files.
    Paths(Vec<PathRule>),
    /// For later engines; one that does not know the key denies.
    MustUnderstand(Attr),
}

/// How long the engine goes on with an answer without asking again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// This request.
    Request,
    /// This transfer.
    Transfer,
    /// This session.
    Session,
}

/// An answer and what goes with it. Made by [`allow`], [`deny`] or [`abstain`], then refined.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision {
    /// Yes, no, or others decide.
    pub effect: Effect,
    /// A short word for logs and clients: at most 64 bytes of a-z, 0-9 and `-`.
    pub code: String,
    /// A sentence for the person who was denied.
    pub detail: Option<String>,
    /// How long the engine goes on with it.
    pub lifetime: Lifetime,
    /// For how long an equal question gets the same answer, as long as nothing it read has changed.
    pub ttl_ms: u32,
    /// What the engine enforces.
    pub obligations: Vec<Obligation>,
}

/// For how long an equal question gets the same answer, unless a decision says otherwise.
pub const TTL_MS: u32 = 60_000;

/// Yes.
#[must_use]
pub fn allow() -> Decision {
    Decision::new(Effect::Allow, "allowed")
}

/// No, with a code such as `outside-hours`.
#[must_use]
pub fn deny(code: &str) -> Decision {
    Decision::new(Effect::Deny, code)
}

/// Others decide.
#[must_use]
pub fn abstain() -> Decision {
    Decision::new(Effect::Abstain, "abstained")
}

impl Decision {
    fn new(effect: Effect, code: &str) -> Self {
        let (code, obligations) = (String::from(code), Vec::new());
        Self { effect, code, detail: None, lifetime: Lifetime::Transfer, ttl_ms: TTL_MS, obligations }
    }

    /// With another code.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = String::from(code);
        self
    }

    /// With a sentence for the person who was denied.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With another lifetime than the transfer's.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Kept for this long; 0: never.
    #[must_use]
    pub fn ttl_ms(mut self, ttl_ms: u32) -> Self {
        self.ttl_ms = ttl_ms;
        self
    }

    /// With one more obligation.
    #[must_use]
    pub fn oblige(mut self, obligation: Obligation) -> Self {
        self.obligations.push(obligation);
        self
    }

    /// The account may store so many bytes on the root, with what comes: what would grow beyond it is refused, file by
    /// file. Denied where the engine does not count what is stored there.
    #[must_use]
    pub fn max_stored_bytes(self, most: u64) -> Self {
        self.oblige(Obligation::MustUnderstand(Attr::new("max-stored-bytes", most)))
    }

    /// With rules for single files; none adds nothing.
    #[must_use]
    pub fn paths(self, rules: Vec<PathRule>) -> Self {
        if rules.is_empty() { self } else { self.oblige(Obligation::Paths(rules)) }
    }
}

/// A policy: its settings, read once, and its answers.
pub trait Policy: Sized + 'static {
    /// Reads the settings. Runs in each fresh instance: cheap, and without effects.
    ///
    /// # Errors
    /// A sentence that names the setting; it is shown to the operator.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// Decides: 50 us are usual, 3 ms end it.
    fn decide(&self, request: &Request) -> Decision;
}

/// One name of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedName {
    /// Relative to the root.
    pub path: String,
    /// Bytes, where the engine knows it.
    pub size: Option<u64>,
}

/// A policy that also filters listings name by name (world `batch-policy`).
pub trait BatchPolicy: Policy {
    /// As many decisions as names, in their order; at most 1024.
    fn decide_all(&self, request: &Request, names: &[ListedName]) -> Vec<Decision>;
}

/// Makes the type the plugin's policy. Natively it only checks that the type is one.
#[cfg(feature = "policy")]
#[macro_export]
macro_rules! export_policy {
    ($policy:ty) => {
        const _: fn() = || {
            fn is_policy<P: $crate::policy::Policy>() {}
            is_policy::<$policy>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            $crate::__policy_guests!(Exported, $policy, policy);
            $crate::bindings::policy::export_policy!(Exported with_types_in $crate::bindings::policy);
        }
    };
}

/// Makes the type the plugin's policy that also filters listings. Natively it only checks that the type is one.
#[cfg(feature = "batch-policy")]
#[macro_export]
macro_rules! export_batch_policy {
    ($policy:ty) => {
        const _: fn() = || {
            fn is_policy<P: $crate::policy::BatchPolicy>() {}
            is_policy::<$policy>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            $crate::__policy_guests!(Exported, $policy, batch_policy);
            $crate::__batch_guest!(Exported, $policy);
            $crate::bindings::batch_policy::export_batch_policy!(
                Exported with_types_in $crate::bindings::batch_policy
            );
        }
    };
}

/// The guests of every world that exports `setup` and `authorizer`.
#[cfg(any(feature = "policy", feature = "batch-policy"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __policy_guests {
    ($exported:ident, $policy:ty, $world:ident) => {
        static POLICY: $crate::guest::Slot<$policy> = $crate::guest::Slot::new();

        impl $crate::bindings::$world::exports::xferd::plugin::setup::Guest for $exported {
            fn configure(
                settings: $crate::alloc::vec::Vec<$crate::value::Attr>,
            ) -> Result<(), $crate::alloc::string::String> {
                let settings = $crate::settings::Settings::new(settings);
                POLICY.set(<$policy as $crate::policy::Policy>::configure(&settings)?);
                Ok(())
            }
        }

        impl $crate::bindings::$world::exports::xferd::plugin::authorizer::Guest for $exported {
            fn decide(
                request: $crate::bindings::$world::exports::xferd::plugin::authorizer::Request,
            ) -> $crate::bindings::$world::exports::xferd::plugin::authorizer::Decision {
                let request = request.into();
                POLICY.with(|policy| $crate::policy::Policy::decide(policy, &request)).into()
            }
        }
    };
}

/// The guest of the world that exports `batch-authorizer`.
#[cfg(feature = "batch-policy")]
#[doc(hidden)]
#[macro_export]
macro_rules! __batch_guest {
    ($exported:ident, $policy:ty) => {
        impl $crate::bindings::batch_policy::exports::xferd::plugin::batch_authorizer::Guest for $exported {
            fn decide_all(
                request: $crate::bindings::batch_policy::exports::xferd::plugin::authorizer::Request,
                names: $crate::alloc::vec::Vec<
                    $crate::bindings::batch_policy::exports::xferd::plugin::batch_authorizer::Entry,
                >,
            ) -> $crate::alloc::vec::Vec<
                $crate::bindings::batch_policy::exports::xferd::plugin::authorizer::Decision,
            > {
                let request = request.into();
                let listed = |name: $crate::bindings::batch_policy::exports::xferd::plugin::batch_authorizer::Entry| {
                    $crate::policy::ListedName { path: name.path, size: name.size }
                };
                let names: $crate::alloc::vec::Vec<_> = names.into_iter().map(listed).collect();
                let decide = |policy: &mut $policy| $crate::policy::BatchPolicy::decide_all(policy, &request, &names);
                POLICY.with(decide).into_iter().map(Into::into).collect()
            }
        }
    };
}

/// The generated types of one world and ours.
#[cfg(any(feature = "policy", feature = "batch-policy"))]
macro_rules! convert {
    ($world:ident) => {
        mod $world {
            use super::{Action, Decision, Effect, Lifetime, Obligation, PathRule, Request};
            use crate::bindings::$world::exports::xferd::plugin::authorizer as wire;

            impl From<wire::Request> for Request {
                fn from(request: wire::Request) -> Self {
                    let action = match request.action {
                        wire::Action::Connect => Action::Connect,
                        wire::Action::Browse => Action::Browse,
                        wire::Action::Pull => Action::Pull,
                        wire::Action::Push => Action::Push,
                        wire::Action::Replace => Action::Replace,
                        wire::Action::Remove => Action::Remove,
                        wire::Action::Invoke(name) => Action::Invoke(name),
                        wire::Action::Other(name) => Action::Other(name),
                    };
                    Self { subject: request.subject, action, root: request.root }
                }
            }

            impl From<Effect> for wire::Effect {
                fn from(effect: Effect) -> Self {
                    match effect {
                        Effect::Allow => Self::Allow,
                        Effect::Deny => Self::Deny,
                        Effect::Abstain => Self::Abstain,
                    }
                }
            }

            impl From<PathRule> for wire::PathRule {
                fn from(rule: PathRule) -> Self {
                    let PathRule { glob, bytes_max, effect, store_as, code } = rule;
                    Self { glob, bytes_max, effect: effect.into(), store_as, code }
                }
            }

            impl From<Obligation> for wire::Obligation {
                fn from(obligation: Obligation) -> Self {
                    match obligation {
                        Obligation::MaxBytes(bytes) => Self::MaxBytes(bytes),
                        Obligation::MaxFiles(files) => Self::MaxFiles(files),
                        Obligation::BytesPerSecond(rate) => Self::BytesPerSecond(rate),
                        Obligation::NotAfterMs(at) => Self::NotAfterMs(at),
                        Obligation::ReadOnly => Self::ReadOnly,
                        Obligation::StoreAs(path) => Self::StoreAs(path),
                        Obligation::Label(label) => Self::Label(label),
                        Obligation::Notify(topic) => Self::Notify(topic),
                        Obligation::Paths(rules) => Self::Paths(rules.into_iter().map(Into::into).collect()),
                        Obligation::MustUnderstand(attr) => Self::MustUnderstand(attr),
                    }
                }
            }

            impl From<Decision> for wire::Decision {
                fn from(decision: Decision) -> Self {
                    let lifetime = match decision.lifetime {
                        Lifetime::Request => wire::Lifetime::ThisRequest,
                        Lifetime::Transfer => wire::Lifetime::ThisTransfer,
                        Lifetime::Session => wire::Lifetime::ThisSession,
                    };
                    Self {
                        effect: decision.effect.into(),
                        code: decision.code,
                        detail: decision.detail,
                        lifetime,
                        ttl_ms: decision.ttl_ms,
                        obligations: decision.obligations.into_iter().map(Into::into).collect(),
                    }
                }
            }
        }
    };
}

#[cfg(feature = "batch-policy")]
convert!(batch_policy);
#[cfg(feature = "policy")]
convert!(policy);
