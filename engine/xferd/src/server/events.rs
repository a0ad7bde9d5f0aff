//! What cores report, owned, and how it is logged: one line an event, foreign names escaped.

use crate::escape::{Shown, shown};
use base::codes::Code;
use base::hooks::{Decision, Effect, Event, Peer, Step};
use base::ids::{DeviceId, TransferId};
use host::{Level, LogLine};
use state::AuditRecord;
use std::net::SocketAddr;

/// Who, as logs name them.
#[derive(Clone, Debug)]
pub struct Who {
    /// Its device.
    pub device: DeviceId,
    /// Its account.
    pub account: std::sync::Arc<str>,
    /// Where it connects from.
    pub address: SocketAddr,
}

/// How a transfer ended.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct TransferEnd {
    pub who: Who,
    pub transfer: TransferId,
    pub action: &'static str,
    pub root: String,
    pub path: Vec<u8>,
    pub files: u64,
    pub bytes: u64,
    pub code: Option<Code>,
}

/// One event of a core, for the control thread.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Report {
    Up(Who),
    Down(Who, Option<Code>),
    Refused { address: SocketAddr, code: Code, detail: String },
    Warning { code: Code, message: String, path: Option<Vec<u8>> },
    Decided { who: Who, action: String, root: String, path: Vec<u8>, decision: Box<Decision> },
    Plugin { plugin: std::sync::Arc<str>, level: Level, message: String },
    Stepped { machine: &'static str, session: String, from: String, event: String, to: String },
    Ended(Box<TransferEnd>),
    File { transfer: String, path: Vec<u8>, action: &'static str, size: u64, code: Option<Code> },
}

impl Report {
    /// What of an event is logged; `files` when the log wants every name.
    pub fn of(event: &Event<'_>, files: bool) -> Option<Self> {
        Some(match event {
            Event::SessionUp { peer } => Self::Up(who(peer)),
            Event::SessionDown { peer, code } => Self::Down(who(peer), *code),
            Event::Refused { address, code, detail } => {
                Self::Refused { address: *address, code: *code, detail: shown(detail) }
            }
            Event::Warning { code, message, path } => {
                Self::Warning { code: *code, message: shown(message), path: path.map(<[u8]>::to_vec) }
            }
            Event::Ended { peer, transfer, action, root, path, files, bytes, code } => {
                Self::Ended(Box::new(TransferEnd {
                    who: who(peer),
                    transfer: *transfer,
                    action,
                    root: (*root).to_owned(),
                    path: path.to_vec(),
                    files: *files,
                    bytes: *bytes,
                    code: *code,
                }))
            }
            Event::Decided { peer, action, root, path, decision } => Self::Decided {
                who: who(peer),
                action: (*action).to_owned(),
                root: (*root).to_owned(),
                path: path.to_vec(),
                decision: Box::new((*decision).clone()),
            },
            Event::File { transfer, path, action, size, code, .. } if files || code.is_some() => Self::File {
                transfer: transfer.to_string(),
                path: path.to_vec(),
                action: action.name(),
                size: *size,
                code: *code,
            },
            Event::File { .. } | Event::Progress { .. } | Event::Retry { .. } => return None,
        })
    }

    /// A line of a plugin.
    pub fn of_plugin(line: &LogLine) -> Self {
        let mut message = shown(&line.message);
        for (key, value) in &line.fields {
            message.push_str(&format!(" {}={}", shown(key), shown(&value.to_string())));
        }
        Self::Plugin { plugin: line.plugin.clone(), level: line.level, message }
    }

    /// A step of a state machine.
    pub fn stepped(step: &Step<'_>) -> Self {
        let session = step.session.map(|session| session.to_string()).unwrap_or_default();
        let [from, event, to] = [step.from, step.event, step.to].map(|part| format!("{part:?}"));
        Self::Stepped { machine: step.machine, session, from, event, to }
    }

    /// Whether it may never be dropped.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Warning { .. } | Self::Decided { .. })
    }

    /// Writes it to the log.
    pub fn log(&self) {
        match self {
            Self::Up(who) => tracing::info!(target: "xferd::session", device = %who.device.short(),
                account = %shown(&who.account), address = %who.address, "session up"),
            Self::Down(who, code) => tracing::info!(target: "xferd::session", device = %who.device.short(),
                account = %shown(&who.account), address = %who.address, code = name(*code), "session down"),
            Self::Refused { address, code, detail } => {
                tracing::warn!(target: "xferd::session", address = %address, code = code.name(), detail = %detail, "refused");
            }
            Self::Warning { code, message, path } => {
                let path = path.as_deref().map(|path| Shown(path).to_string()).unwrap_or_default();
                tracing::warn!(target: "xferd::transfer", code = code.name(), path = %path, "{message}");
            }
            Self::Decided { who, action, root, path, decision } => {
                let allowed = decision.effect == Effect::Allow;
                let code = name((!allowed).then_some(decision.code));
                let label = decision.obligations.label.as_deref().unwrap_or("-");
                tracing::info!(target: "xferd::audit", decision = %decision.id, device = %who.device.short(),
                    account = %shown(&who.account), address = %who.address, action = %shown(action), share = %shown(root),
                    path = %Shown(path), allowed, code, reason = %shown(&decision.reason), label = %shown(label), "decided");
                if let Some(text) = &decision.obligations.notify {
                    tracing::warn!(target: "xferd::notify", decision = %decision.id, by = %shown(&decision.trail.by),
                        account = %shown(&who.account), action = %shown(action), share = %shown(root), "{}", shown(text));
                }
            }
            Self::Ended(end) => {
                tracing::info!(target: "xferd::transfer", transfer = %end.transfer, device = %end.who.device.short(),
                    account = %shown(&end.who.account), action = end.action, share = %shown(&end.root),
                    path = %Shown(&end.path), files = end.files, bytes = end.bytes, code = name(end.code), "ended");
            }
            Self::Plugin { plugin, level, message } => match level {
                Level::Error => tracing::error!(target: "xferd::plugin", plugin = %plugin, "{message}"),
                Level::Warn => tracing::warn!(target: "xferd::plugin", plugin = %plugin, "{message}"),
                Level::Info => tracing::info!(target: "xferd::plugin", plugin = %plugin, "{message}"),
                Level::Debug | Level::Trace => {
                    tracing::debug!(target: "xferd::plugin", plugin = %plugin, "{message}");
                }
            },
            Self::Stepped { machine, session, from, event, to } => {
                tracing::debug!(target: "xferd::state", machine, session, from, event, to, "step");
            }
            Self::File { transfer, path, action, size, code } => {
                tracing::debug!(target: "xferd::file", transfer = %transfer, path = %Shown(path), action, size,
                    code = name(*code), "file");
            }
        }
    }

    /// The row for the audit log, where it is one.
    pub fn audit(&self, utc_ms: u64) -> Option<AuditRecord> {
        let Self::Decided { who, action, root, path, decision } = self else { return None };
        let allowed = decision.effect == Effect::Allow;
        Some(AuditRecord {
            utc_ms,
            device: Some(who.device),
            account: who.account.to_string(),
            address: who.address.to_string(),
            action: action.clone(),
            root: root.clone(),
            allowed,
            code: (!allowed).then_some(decision.code),
            reason: decision.reason.to_string(),
            decision: decision.id,
            path: path.clone(),
            decided_by: decision.trail.by.to_string(),
            reads: decision.trail.reads.join("\n"),
            obligations: super::explain::spelled(&decision.obligations).join("\n"),
            took_ns: decision.trail.took_ns,
            cache: decision.trail.cache.name().to_owned(),
        })
    }
}

fn who(peer: &Peer) -> Who {
    Who { device: peer.device, account: peer.account.clone(), address: peer.address }
}

fn name(code: Option<Code>) -> &'static str {
    code.map_or("-", |code| code.name())
}
