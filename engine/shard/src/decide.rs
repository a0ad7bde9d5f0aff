//! Decisions: asked before anything moves, and asked again while it moves.
//!
//! ```text
//!   request ──▶ decide ──▶ Deny: refused, with the reason and the decision's id
//!                     └──▶ Allow ──▶ Watch ──▶ asked again once the generation changed or the answer is too old:
//!                                              the transfer ends, or goes on under what is demanded since
//! ```
//!
//! A turn of a core is a safe point: no chunk is half accounted for between two. Per chunk nothing is asked.

use crate::command::{Failure, Totals};
use crate::guard::Guard;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{
    Action, Ask, Decision, Effect, Event, Fact, Facts, FileAction, Hooks, Listed, Obligations, Peer, Trust,
};
use base::ids::{DecisionId, TransferId};
use base::io::Io;
use base::limits::Limits;
use proto::transfer::offer::{Direction, Offer};
use std::sync::Arc;

/// What is asked: who asks is known.
pub(crate) struct Question<'a> {
    pub(crate) action: Action<'a>,
    pub(crate) root: &'a str,
    pub(crate) path: &'a [u8],
    /// What the decision about the session named it.
    pub(crate) label: Option<&'a str>,
    pub(crate) transfer: Option<&'a TransferFacts>,
    /// Content bytes moved so far.
    pub(crate) moved: u64,
}

impl<'a> Question<'a> {
    /// About a path of a share.
    pub(crate) fn new(action: Action<'a>, root: &'a str, path: &'a [u8], label: Option<&'a str>) -> Self {
        Self { action, root, path, label, transfer: None, moved: 0 }
    }
}

/// What an offer says of its transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferFacts {
    direction: &'static str,
    command: &'static str,
    files: Option<u64>,
    bytes: Option<u64>,
}

impl TransferFacts {
    pub(crate) fn of(offer: &Offer) -> Self {
        Self {
            direction: match offer.direction {
                Direction::Push => "push",
                Direction::Pull => "pull",
            },
            command: offer.command.name(),
            files: offer.totals.map(|totals| totals.files),
            bytes: offer.totals.map(|totals| totals.bytes),
        }
    }
}

/// Facts of one question.
struct Known<'a> {
    peer: &'a Peer,
    question: &'a Question<'a>,
    /// Bytes that the account stores there, for who wants to store more.
    stored: Option<u64>,
}

impl<'a> Known<'a> {
    fn new<I: Io, H: Hooks>(core: &Core<I, H>, peer: &'a Peer, question: &'a Question<'a>) -> Self {
        let stores = matches!(question.action, Action::Push | Action::Replace);
        let stored = if stores { core.hooks.stored_bytes(question.root, &peer.account) } else { None };
        Self { peer, question, stored }
    }
}

impl Facts for Known<'_> {
    fn get(&self, key: &str) -> Option<Fact> {
        let Question { action, path, label, transfer, moved, .. } = *self.question;
        let text = |text: &str| Some(Fact::Text(text.to_owned()));
        let on_files = !matches!(action, Action::Connect | Action::Invoke(_));
        match (key, action) {
            ("account", _) => text(&self.peer.account),
            ("device", _) => Some(Fact::Text(self.peer.device.to_string())),
            ("address", _) => Some(Fact::Text(self.peer.address.ip().to_string())),
            ("transport", _) => text("tcp"),
            ("trust", _) => match self.peer.trust {
                Trust::Certificate => text("certificate"),
                Trust::JoinToken(_) => text("token"),
            },
            ("label", _) => label.and_then(text),
            ("path", _) if on_files => Some(Fact::Bytes(path.to_vec())),
            ("protocol", Action::Invoke(protocol)) => text(protocol),
            ("direction", _) => transfer.and_then(|transfer| text(transfer.direction)),
            ("command", _) => transfer.and_then(|transfer| text(transfer.command)),
            ("files", _) => transfer.and_then(|transfer| transfer.files).map(Fact::Number),
            ("size", _) => transfer.and_then(|transfer| transfer.bytes).map(Fact::Number),
            ("moved", _) => transfer.map(|_| Fact::Number(moved)),
            ("stored-bytes", _) => self.stored.map(Fact::Number),
            _ => None,
        }
    }
}

/// Asks the authorizer.
///
/// # Errors
/// It said no.
pub(crate) fn decide<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    peer: &Peer,
    question: &Question<'_>,
) -> Result<Decision, Failure> {
    let (decision, denied) = ask(core, peer, question);
    match denied {
        None => Ok(decision),
        Some(denied) => {
            let Question { action, root, .. } = question;
            let message = match action {
                Action::Connect => format!("connect is denied: {denied}"),
                Action::Invoke(protocol) => format!("invoke of {protocol} is denied: {denied}"),
                _ => format!("{} is denied on /{root}: {denied}", action.name()),
            };
            Err(Failure { code: decision.code, message })
        }
    }
}

/// The answer, and when it is no: why, and the decision's name.
fn ask<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    peer: &Peer,
    question: &Question<'_>,
) -> (Decision, Option<String>) {
    let Question { action, root, path, .. } = *question;
    let decision = {
        let facts = Known::new(core, peer, question);
        core.hooks.decide(&Ask { subject: peer, action, root, facts: &facts }, core.now)
    };
    core.hooks.event(&Event::Decided { peer, action: action.name(), root, path, decision: &decision });
    let denied = (decision.effect == Effect::Deny).then(|| because(&decision));
    (decision, denied)
}

/// Which of these names a policy keeps out of a listing that is allowed; one answer each.
pub(crate) fn denied_names<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    peer: &Peer,
    question: &Question<'_>,
    names: &[Listed<'_>],
) -> Vec<bool> {
    let facts = Known::new(core, peer, question);
    let ask = Ask { subject: peer, action: question.action, root: question.root, facts: &facts };
    core.hooks.denied_names(&ask, names, core.now)
}

/// Why, and the decision's name, which `xferd plugin explain` knows.
fn because(decision: &Decision) -> String {
    match decision.id {
        DecisionId(0) => decision.reason.to_string(),
        id => format!("{} (decision {id})", decision.reason),
    }
}

/// Names the limit and who set it, for a refusal because of an obligation.
pub(crate) fn limit_text(limit: &str, value: u64, by: &str) -> String {
    format!("more than {limit} = {value} of {by}")
}

/// What an allowed transfer stands on.
pub(crate) struct Watch {
    peer: Peer,
    root: Arc<str>,
    asked: Vec<(Action<'static>, Vec<u8>)>,
    label: Option<Arc<str>>,
    facts: TransferFacts,
    /// Bounds of the session.
    session: Obligations,
    generation: u32,
    until_ms: u64,
    at_ns: u64,
    at_bytes: u64,
}

/// What a transfer may do.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    pub(crate) obligations: Obligations,
    /// Which rule or plugin demands them.
    pub(crate) by: Arc<str>,
    /// Which files take part.
    pub(crate) guard: Guard,
    /// Which files may not be removed.
    pub(crate) spared: Guard,
}

impl Leave {
    /// Of a transfer that nobody bounds.
    pub(crate) fn free() -> Self {
        let (guard, spared) = (Guard::default(), Guard::default());
        Self { obligations: Obligations::NONE, by: Arc::from(""), guard, spared }
    }

    /// Of one decision.
    ///
    /// # Errors
    /// Its path rules cannot be enforced.
    pub(crate) fn of(decision: Decision, limits: &Limits) -> Result<Self, Failure> {
        let Decision { obligations, trail, .. } = decision;
        let mut leave = Self { obligations, by: trail.by, ..Self::free() };
        for rules in &leave.obligations.paths {
            leave.guard.add(rules, &leave.by, limits)?;
        }
        Ok(leave)
    }

    /// Takes the bounds and path rules of a further decision about the same transfer.
    fn add(&mut self, action: Action<'_>, decision: &Decision, limits: &Limits) -> Result<(), Failure> {
        self.obligations.tighten(&decision.obligations);
        let guard = if action == Action::Remove { &mut self.spared } else { &mut self.guard };
        decision.obligations.paths.iter().try_for_each(|rules| guard.add(rules, &decision.trail.by, limits))
    }
}

/// Who wants a transfer, where, and in which session.
pub(crate) struct Wish<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) root: &'a Arc<str>,
    /// Everything it does, each decided by itself; the first one's obligations are all taken, of the others the
    /// bounds.
    pub(crate) asked: Vec<(Action<'static>, Vec<u8>)>,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) session: Obligations,
    pub(crate) facts: TransferFacts,
}

impl Watch {
    /// Asks for the first time.
    ///
    /// # Errors
    /// It is denied.
    pub(crate) fn begin<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        wish: Wish<'_>,
    ) -> Result<(Self, Leave), Failure> {
        let Wish { peer, root, asked, label, session, facts } = wish;
        let (peer, root) = (peer.clone(), root.clone());
        let (generation, at_ns) = (core.hooks.generation(), core.now.mono_ns);
        let mut watch = Self {
            peer,
            root,
            asked,
            label,
            facts,
            session,
            generation,
            until_ms: u64::MAX,
            at_ns,
            at_bytes: 0,
        };
        let leave = watch.ask(core, 0)?;
        Ok((watch, leave))
    }

    fn ask<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, moved: u64) -> Result<Leave, Failure> {
        // Before the answers: rules that change meanwhile are met again.
        self.generation = core.hooks.generation();
        (self.until_ms, self.at_ns, self.at_bytes) = (u64::MAX, core.now.mono_ns, moved);
        let mut leave: Option<Leave> = None;
        for (action, path) in &self.asked {
            let question = Question {
                transfer: Some(&self.facts),
                moved,
                ..Question::new(*action, &self.root, path, self.label.as_deref())
            };
            let decision = decide(core, &self.peer, &question)?;
            self.until_ms = self.until_ms.min(decision.until_ms);
            let most = decision.obligations.stored_bytes_max;
            if most < u64::MAX && core.hooks.stored_bytes(&self.root, &self.peer.account).is_none() {
                let (by, root) = (&decision.trail.by, &self.root);
                let message = format!(
                    "denied: {by} demands max-stored-bytes = {most}, and nobody counts what is stored on /{root}: the \
                     server's configuration has no count-stored = true for it"
                );
                return Err(Failure { code: Code::AccessDenied, message });
            }
            let limits = &core.settings.limits;
            match &mut leave {
                None => leave = Some(Leave::of(decision, limits)?),
                Some(leave) => leave.add(*action, &decision, limits)?,
            }
        }
        let mut leave = leave.unwrap_or_else(Leave::free);
        leave.obligations.tighten(&self.session);
        Ok(leave)
    }

    /// Reports the end of the transfer.
    pub(crate) fn told_end<I: Io, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        transfer: TransferId,
        totals: &Totals,
        code: Option<Code>,
    ) {
        let Some((action, path)) = self.asked.first() else { return };
        let left_out = [FileAction::Skipped, FileAction::Failed].map(|action| totals.counted(action));
        let files = totals.files.iter().sum::<u64>() - left_out.iter().sum::<u64>();
        core.hooks.event(&Event::Ended {
            peer: &self.peer,
            transfer,
            action: action.name(),
            root: &self.root,
            path,
            files,
            bytes: totals.bytes,
            code,
        });
    }

    /// Whether the answer still stands: one relaxed load and two comparisons.
    fn is_due<I: Io, H: Hooks>(&self, core: &Core<I, H>, moved: u64) -> bool {
        if core.hooks.generation() != self.generation {
            return true;
        }
        let old = core.now.utc_ms > self.until_ms;
        let limits = &core.settings.limits;
        old && (core.now.mono_ns.saturating_sub(self.at_ns) / 1_000_000 >= limits.decision_again_ms
            || moved.saturating_sub(self.at_bytes) >= limits.decision_again_bytes)
    }

    /// Asks again where that is due. `Some`: what holds from here on.
    ///
    /// # Errors
    /// It is no longer allowed.
    pub(crate) fn look<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        moved: u64,
    ) -> Result<Option<Leave>, Failure> {
        if !self.is_due(core, moved) {
            return Ok(None);
        }
        let leave = self.ask(core, moved).map_err(|failure| Failure {
            message: format!("no longer allowed: {}", failure.message),
            ..failure
        })?;
        if leave.obligations.read_only && self.asked.iter().any(|(action, _)| *action != Action::Pull) {
            return Err(Failure {
                code: Code::ReadOnly,
                message: format!("/{} has become read-only: {}", self.root, leave.by),
            });
        }
        Ok(Some(leave))
    }
}
