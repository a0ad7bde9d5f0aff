//! What a policy answers, as plain native data, checked against its bounds.

use crate::bindings::exports::xferd::plugin::authorizer as wit;
use crate::bindings::xferd::plugin::types::Value as GuestValue;
use crate::guest::Bound;
use crate::plugin::Fault;
use crate::read::Read;
use base::hooks::Action;
use base::ids::DeviceId;
use base::limits::Limits;
use std::sync::Arc;

/// Code of a decision whose policy did not return.
pub const CODE_FAULT: &str = "policy-fault";
/// Code of a decision with an obligation that this engine does not know.
pub const CODE_OBLIGATION: &str = "unknown-obligation";
/// Code of a decision that no policy made.
pub const CODE_NO_ANSWER: &str = "no-policy-allows";

/// Key of the obligation that bounds what an account stores.
const MAX_STORED_BYTES: &str = "max-stored-bytes";

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who.
    pub subject: &'a DeviceId,
    /// Wants to do what.
    pub action: Action<'a>,
    /// On which root; empty for connect and invoke.
    pub root: &'a str,
}

/// Allowed, denied, or no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Yes.
    Allow,
    /// No.
    Deny,
    /// Whoever else is asked decides.
    Abstain,
}

impl Effect {
    /// Its name in explanations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Abstain => "abstain",
        }
    }
}

/// How long the engine goes on with an answer without asking again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Lifetime {
    /// For this request.
    Request,
    /// Until the transfer's end.
    Transfer,
    /// Until the session's end.
    Session,
}

/// A rule for single files, run natively.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathRule {
    /// Matched against the path relative to the root.
    pub glob: String,
    /// A larger file is denied.
    pub bytes_max: Option<u64>,
    /// What becomes of a file that matches.
    pub effect: Effect,
    /// The path it gets instead.
    pub store_as: Option<String>,
    /// Why, when denied.
    pub code: String,
}

/// What the engine enforces while it does what was allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obligation {
    /// Bytes of one transfer.
    MaxBytes(u64),
    /// Files of one transfer.
    MaxFiles(u64),
    /// Rate of the session.
    BytesPerSecond(u64),
    /// Bytes that the account may store on the root, with what comes.
    MaxStoredBytes(u64),
    /// UTC milliseconds after which it ends.
    NotAfterMs(u64),
    /// Nothing is written.
    ReadOnly,
    /// The path it gets instead.
    StoreAs(String),
    /// Text that later decisions of the session read.
    Label(String),
    /// A topic under which observers are told.
    Notify(String),
    /// Rules for single files; the first that matches.
    Paths(Vec<PathRule>),
}

/// One policy's answer, with all that explains it.
#[derive(Clone, PartialEq, Debug)]
pub struct Opinion {
    /// Which policy.
    pub plugin: Arc<str>,
    /// Its answer.
    pub effect: Effect,
    /// A short word for logs and clients.
    pub code: String,
    /// A sentence for whoever was denied; of a fault, what happened.
    pub detail: Option<String>,
    /// How long the engine may go on with it.
    pub lifetime: Lifetime,
    /// UTC milliseconds until which an equal question gets it again.
    pub until_ms: u64,
    /// What the engine enforces.
    pub obligations: Vec<Obligation>,
    /// What it read.
    pub reads: Vec<Read>,
    /// Why it did not return.
    pub fault: Option<Fault>,
    /// Instructions it took, where they are counted.
    pub fuel: Option<u64>,
    /// Bytes of memory it had.
    pub memory_bytes: u64,
}

/// One policy's answer in one decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Answered {
    /// What it answered.
    pub opinion: Arc<Opinion>,
    /// Whether it was kept from an equal question.
    pub cached: bool,
    /// Nanoseconds until it was there.
    pub took_ns: u64,
}

/// The answer of all policies.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Deny if one denies, else allow if one allows, else abstain: nobody answered.
    pub effect: Effect,
    /// Of the policy that decided.
    pub code: Arc<str>,
    /// Of the policy that decided: a sentence for people.
    pub detail: Option<Arc<str>>,
    /// The policy that decided; `None`: nobody did.
    pub plugin: Option<Arc<str>>,
    /// Generation of the set.
    pub generation: u32,
    /// How long the engine may go on with it: the shortest of all.
    pub lifetime: Lifetime,
    /// UTC milliseconds after which it has to be asked again: the earliest of all.
    pub until_ms: u64,
    /// Of every policy that did not deny, in their order.
    pub obligations: Vec<Obligation>,
    /// What each policy answered, in their order, up to the first that denied.
    pub answers: Vec<Answered>,
    /// Nanoseconds in all.
    pub took_ns: u64,
}

impl Opinion {
    /// The opinion that a fault leaves behind.
    pub(crate) fn of_fault(plugin: Arc<str>, fault: Fault, reads: Vec<Read>, now_ms: u64) -> Self {
        Self {
            plugin,
            effect: Effect::Deny,
            code: CODE_FAULT.to_owned(),
            detail: Some(fault.to_string()),
            lifetime: Lifetime::Request,
            until_ms: now_ms,
            obligations: Vec::new(),
            reads,
            fault: Some(fault),
            fuel: None,
            memory_bytes: 0,
        }
    }
}

/// A guest's decision, checked. What is over its bounds is the plugin's fault.
pub(crate) struct Checked {
    pub(crate) effect: Effect,
    pub(crate) code: String,
    pub(crate) detail: Option<String>,
    pub(crate) lifetime: Lifetime,
    pub(crate) ttl_ms: u32,
    pub(crate) obligations: Vec<Obligation>,
}

impl From<wit::Effect> for Effect {
    fn from(effect: wit::Effect) -> Self {
        match effect {
            wit::Effect::Allow => Self::Allow,
            wit::Effect::Deny => Self::Deny,
            wit::Effect::Abstain => Self::Abstain,
        }
    }
}

pub(crate) fn request_to_guest(request: &Request<'_>) -> wit::Request {
    let action = match request.action {
        Action::Connect => wit::Action::Connect,
        Action::Browse => wit::Action::Browse,
        Action::Pull => wit::Action::Pull,
        Action::Push => wit::Action::Push,
        Action::Replace => wit::Action::Replace,
        Action::Remove => wit::Action::Remove,
        Action::Invoke(protocol) => wit::Action::Invoke(protocol.to_owned()),
    };
    wit::Request {
        subject: crate::value::id_to_guest(&request.subject.0),
        action,
        root: request.root.to_owned(),
    }
}

fn within(what: &'static str, asked: usize, most: u32) -> Result<(), Bound> {
    if asked > most as usize {
        return Err(Bound::Count { what, asked: asked as u64, most: u64::from(most) });
    }
    Ok(())
}

/// Checks an answer and makes it native.
pub(crate) fn check(decision: wit::Decision, limits: &Limits) -> Result<Checked, Bound> {
    within("bytes of a code", decision.code.len(), limits.plugin_code_name_bytes_max)?;
    let detail_bytes = decision.detail.as_ref().map_or(0, String::len);
    within("bytes of detail", detail_bytes, limits.plugin_detail_bytes_max)?;
    within("obligations", decision.obligations.len(), limits.plugin_obligations_max)?;
    let mut checked = Checked {
        effect: decision.effect.into(),
        code: word(decision.code),
        detail: decision.detail,
        lifetime: match decision.lifetime {
            wit::Lifetime::ThisRequest => Lifetime::Request,
            wit::Lifetime::ThisTransfer => Lifetime::Transfer,
            wit::Lifetime::ThisSession => Lifetime::Session,
        },
        ttl_ms: decision.ttl_ms,
        obligations: Vec::new(),
    };
    let mut rules = 0;
    for obligation in decision.obligations {
        let native = match obligation {
            wit::Obligation::MaxBytes(bytes) => Obligation::MaxBytes(bytes),
            wit::Obligation::MaxFiles(files) => Obligation::MaxFiles(files),
            wit::Obligation::BytesPerSecond(rate) => Obligation::BytesPerSecond(rate),
            wit::Obligation::NotAfterMs(ms) => Obligation::NotAfterMs(ms),
            wit::Obligation::ReadOnly => Obligation::ReadOnly,
            wit::Obligation::StoreAs(path) => Obligation::StoreAs(path),
            wit::Obligation::Label(label) => Obligation::Label(label),
            wit::Obligation::Notify(topic) => Obligation::Notify(topic),
            wit::Obligation::Paths(paths) => {
                rules += paths.len();
                within("path rules", rules, limits.plugin_path_rules_max)?;
                Obligation::Paths(paths.into_iter().map(path_rule).collect())
            }
            wit::Obligation::MustUnderstand(attr) => {
                if let (MAX_STORED_BYTES, GuestValue::Uint(bytes)) = (&*attr.key, &attr.val) {
                    checked.obligations.push(Obligation::MaxStoredBytes(*bytes));
                    continue;
                }
                if checked.effect != Effect::Deny {
                    checked.effect = Effect::Deny;
                    checked.code = CODE_OBLIGATION.to_owned();
                    let known = format!("it knows {MAX_STORED_BYTES} with a uint");
                    checked.detail =
                        Some(format!("this engine does not know the obligation {:?}; {known}", attr.key));
                }
                continue;
            }
        };
        checked.obligations.push(native);
    }
    Ok(checked)
}

fn path_rule(rule: wit::PathRule) -> PathRule {
    PathRule {
        glob: rule.glob,
        bytes_max: rule.bytes_max,
        effect: rule.effect.into(),
        store_as: rule.store_as,
        code: word(rule.code),
    }
}

/// A code with nothing in it that a log or a terminal would take for more.
fn word(code: String) -> String {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if code.bytes().all(fine) {
        return code;
    }
    code.bytes().map(|byte| if fine(byte) { char::from(byte) } else { '-' }).collect()
}
