//! One core's way to the daemon's other threads. Nothing here blocks.
//!
//! ```text
//!   core ── store work ──▶ store thread ──┐
//!   core ── status ──────▶ control thread ┼─ (ticket, reply) ─▶ the core's own bounded queue, and a wake
//!   core ── reports ─────▶ control thread
//! ```
//!
//! Every accepted request gets exactly one reply: a core has at most as many open as its reply queue holds, so
//! that a reply always finds room.

use super::enrol::Enrol;
use super::events::Report;
use super::happenings;
use super::stored::{self, StoredTable};
use crate::clock::{mono_ns, utc_ms};
use crate::names::Names;
use crate::plugins::{Known, PluginThread, Policies, Refused};
use crate::rules::{Authorizer, Said};
use base::codes::Code;
use base::hooks::{
    Action, Answer, Ask, Busy, Call, Decision, Effect, Event, Fact, Facts, Hooks, Listed, Peer, Reply, Step,
    StoreAsk, Ticket, Trust,
};
use base::ids::DecisionId;
use base::io::Now;
use base::limits::Limits;
use base::points::Point;
use host::PolicySet;
use ring::Waker;
use state::{Gone, Kept, Store, StoreHandle};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The rules in force, shared by all threads. Cores load one number per chunk and take the lock only when it changed.
pub struct Rules {
    generation: AtomicU32,
    table: Mutex<InForce>,
}

/// What decides.
#[derive(Clone)]
pub struct InForce {
    /// Static rules, asked first.
    pub table: Arc<Authorizer>,
    /// Policies, asked where those abstain; `None`: no policy is installed.
    pub policies: Option<Arc<PolicySet>>,
}

impl Rules {
    /// The first rules.
    pub fn new(table: Authorizer, policies: Option<Arc<PolicySet>>) -> Self {
        let generation = AtomicU32::new(table.generation());
        Self { generation, table: Mutex::new(InForce { table: Arc::new(table), policies }) }
    }

    /// Which generation is in force.
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Puts other rules in force.
    pub fn replace(&self, table: Authorizer, policies: Option<Arc<PolicySet>>) {
        let generation = table.generation();
        let new = InForce { table: Arc::new(table), policies };
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = new;
        self.generation.store(generation, Ordering::Release);
    }

    /// The rules in force.
    pub fn in_force(&self) -> InForce {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a reply goes: into the asking core's queue, and the core is woken.
#[derive(Clone)]
pub struct ReplyTo {
    replies: SyncSender<(Ticket, Reply)>,
    waker: Waker,
    ticket: Ticket,
}

impl ReplyTo {
    /// Gives the one reply.
    pub fn send(self, reply: Reply) {
        // Only a core that has ended no longer takes its replies.
        let _ = self.replies.try_send((self.ticket, reply));
        self.waker.wake();
    }
}

/// What cores send to the control thread.
pub enum ToControl {
    /// A peer asks for the daemon's status.
    Status {
        /// Who asks.
        peer: Box<Peer>,
        /// The answer.
        reply: ReplyTo,
    },
    /// For the log.
    Report(Report),
}

/// Names for decisions that grow with time, also over restarts: the first of a process is later than the last kept one
/// of the process before, and than any that was named and not kept.
pub struct Decisions {
    next: AtomicU64,
    /// Records of decisions that could not be kept: nobody kept up.
    pub lost: AtomicU64,
}

/// Decisions that a process may name for each millisecond since it was started, on average.
const NAMES_PER_MS: u64 = 256;

impl Decisions {
    /// Names behind `last`, in a process that started at this time.
    pub fn new(last: DecisionId, started_ms: u64) -> Self {
        let next = started_ms.saturating_mul(NAMES_PER_MS).max(last.0.saturating_add(1));
        Self { next: AtomicU64::new(next), lost: AtomicU64::new(0) }
    }

    fn name(&self) -> DecisionId {
        DecisionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// What all cores share.
#[derive(Clone)]
pub struct Shared {
    /// Rules in force.
    pub rules: Arc<Rules>,
    /// The store thread.
    pub store: StoreHandle,
    /// What enrols.
    pub enrol: Arc<Enrol>,
    /// Owners and groups.
    pub names: Arc<Names>,
    /// The control thread.
    pub control: mpsc::Sender<ToControl>,
    /// Reports that found the control thread's queue full.
    pub dropped: Arc<AtomicU64>,
    /// Names decisions.
    pub decisions: Arc<Decisions>,
    /// Facts about devices, for policies.
    pub known: Arc<Known>,
    /// Handlers, observers and discovery plugins.
    pub plugins: Arc<PluginThread>,
    /// What accounts store.
    pub stored: Arc<StoredTable>,
    /// Where the shares lay at the start.
    pub places: Arc<[(String, PathBuf)]>,
    /// Bounds.
    pub limits: Arc<Limits>,
}

/// The daemon's hooks of one core.
pub struct DaemonHooks {
    shared: Shared,
    table: Arc<Authorizer>,
    policies: Option<Policies>,
    waker: Waker,
    to_here: SyncSender<(Ticket, Reply)>,
    replies: Receiver<(Ticket, Reply)>,
    open: u32,
    kept: VecDeque<Report>,
}

impl DaemonHooks {
    /// Hooks of the core that `waker` wakes.
    pub fn new(shared: Shared, waker: Waker) -> Self {
        let (to_here, replies) = sync_channel(shared.limits.hook_queue_max as usize);
        let InForce { table, policies } = shared.rules.in_force();
        let identity = shared.known.as_of(table.groups());
        let policies = policies.map(|set| Policies::new(set, identity));
        Self { shared, table, policies, waker, to_here, replies, open: 0, kept: VecDeque::new() }
    }

    /// A place for one more reply, unless as many are open as fit.
    fn reply_to(&mut self, ticket: Ticket) -> Option<ReplyTo> {
        if self.open >= self.shared.limits.hook_queue_max {
            return None;
        }
        self.open += 1;
        Some(ReplyTo { replies: self.to_here.clone(), waker: self.waker.clone(), ticket })
    }

    /// Hands work to the store thread.
    fn ask_store(
        &mut self,
        ticket: Ticket,
        work: impl FnOnce(&mut Store) -> Reply + Send + 'static,
    ) -> Result<(), Busy> {
        let to = self.reply_to(ticket).ok_or(Busy)?;
        let replied =
            self.shared.store.ask(work, move |result| to.send(result.unwrap_or_else(|Gone| ended())));
        replied.map_err(|_| {
            self.open -= 1;
            Busy
        })
    }

    fn join(&mut self, ticket: Ticket, from: &Peer, call: &Call<'_>) -> Answer {
        let Trust::JoinToken(psk_id) = from.trust else {
            let message = "this device has joined already: nothing more is needed".to_owned();
            return Answer::Now(Reply::Error { code: Code::InvalidRequest, message });
        };
        let (enrol, payload, session) = (self.shared.enrol.clone(), call.payload.to_vec(), from.session);
        let plugins = self.shared.plugins.clone();
        let join = move |store: &mut Store| {
            enrol.join(store, psk_id, &payload, &session, |device, account, name| {
                plugins.happened(happenings::joined(device, account, name, utc_ms()));
            })
        };
        match self.ask_store(ticket, join) {
            Ok(()) => Answer::Later,
            Err(Busy) => Answer::Busy,
        }
    }

    fn status(&mut self, ticket: Ticket, from: &Peer) -> Answer {
        let Some(reply) = self.reply_to(ticket) else { return Answer::Busy };
        let ask = ToControl::Status { peer: Box::new(from.clone()), reply };
        match self.shared.control.try_send(ask) {
            Ok(()) => Answer::Later,
            Err(_) => {
                self.open -= 1;
                Answer::Busy
            }
        }
    }

    /// A protocol that a plugin serves: whoever calls it was allowed to, and may all else that it needs.
    fn invoke(&mut self, ticket: Ticket, from: &Peer, call: &Call<'_>) -> Answer {
        let refused = |code, message| Answer::Now(Reply::Error { code, message });
        let Some(actions) = self.shared.plugins.actions(call.protocol) else {
            let name = crate::escape::shown(call.protocol);
            return refused(Code::NotFound, format!("nothing here serves the protocol {name}"));
        };
        for name in actions.iter() {
            let facts = Invoked { peer: from, protocol: name };
            let action = Action::Invoke(name);
            let now = Now { mono_ns: mono_ns(), utc_ms: utc_ms() };
            let decision = self.decide(&Ask { subject: from, action, root: "", facts: &facts }, now);
            let (denied, code) = (decision.effect == Effect::Deny, decision.code);
            let message = format!(
                "{} needs {name}, which is denied: {} (decision {})",
                call.protocol, decision.reason, decision.id
            );
            let action = action.name();
            self.event(&Event::Decided { peer: from, action, root: "", path: b"", decision: &decision });
            if denied {
                return refused(code, message);
            }
        }
        let Some(to) = self.reply_to(ticket) else { return Answer::Busy };
        match self.shared.plugins.call(from, call, move |reply| to.send(reply)) {
            Ok(()) => Answer::Later,
            Err(why) => {
                self.open -= 1;
                match why {
                    Refused::Busy => Answer::Busy,
                    Refused::TooMany { most } => {
                        let message = format!("{most} calls of this device wait for their answers already");
                        refused(Code::RateLimited, message)
                    }
                }
            }
        }
    }

    /// Takes over what is in force since.
    fn follow(&mut self) {
        if self.table.generation() == self.shared.rules.generation() {
            return;
        }
        let InForce { table, policies } = self.shared.rules.in_force();
        let identity = self.shared.known.as_of(table.groups());
        self.table = table;
        match (policies, &mut self.policies) {
            (Some(set), Some(own)) => own.replace(set, identity),
            (set, own) => *own = set.map(|set| Policies::new(set, identity)),
        }
    }

    /// Passes on what plugins logged.
    fn log_lines(&mut self) {
        let lines = self.policies.as_mut().map(Policies::lines).unwrap_or_default();
        for line in lines {
            self.report(Report::of_plugin(&line));
        }
    }

    /// Sends a report; one that is not kept is dropped when nobody keeps up.
    fn report(&mut self, report: Report) {
        self.flush();
        let kept = report.is_kept();
        if kept && self.kept.len() < self.shared.limits.hook_queue_max as usize {
            self.kept.push_back(report);
            self.flush();
        } else if let Err(error) = self.shared.control.try_send(ToControl::Report(report)) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            if matches!(error.into_inner(), ToControl::Report(Report::Decided { .. })) {
                self.shared.decisions.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Sends what could not be sent before.
    fn flush(&mut self) {
        while let Some(report) = self.kept.pop_front() {
            if let Err(error) = self.shared.control.try_send(ToControl::Report(report)) {
                if let ToControl::Report(report) = error.into_inner() {
                    self.kept.push_front(report);
                }
                return;
            }
        }
    }
}

/// Facts of a question about a protocol.
struct Invoked<'a> {
    peer: &'a Peer,
    protocol: &'a str,
}

impl Facts for Invoked<'_> {
    fn get(&self, key: &str) -> Option<Fact> {
        let text = |text: &str| Some(Fact::Text(text.to_owned()));
        match key {
            "account" => text(&self.peer.account),
            "device" => text(&self.peer.device.to_string()),
            "address" => text(&self.peer.address.ip().to_string()),
            "transport" => text("tcp"),
            "trust" if self.peer.trust == Trust::Certificate => text("certificate"),
            "protocol" => text(self.protocol),
            _ => None,
        }
    }
}

fn ended() -> Reply {
    Reply::Error { code: Code::Unavailable, message: "the server is shutting down: try again".to_owned() }
}

fn failed(error: &state::StoreError) -> Reply {
    tracing::error!(target: "xferd::store", code = error.code().name(), "{error}");
    Reply::Error { code: error.code(), message: "the server's store failed; its log says why".to_owned() }
}

impl Hooks for DaemonHooks {
    fn generation(&self) -> u32 {
        self.shared.rules.generation()
    }

    fn decide(&mut self, ask: &Ask<'_>, now: Now) -> Decision {
        let began_ns = mono_ns();
        self.follow();
        if ask.action == Action::Connect && ask.subject.trust == Trust::Certificate {
            self.shared.known.met(ask.subject.device, &ask.subject.account);
        }
        let mut decision = match (self.table.decide(ask), &mut self.policies) {
            (Said::Abstained(default), Some(policies)) => policies.decide(ask, now, &default),
            (said, _) => said.or_default(),
        };
        self.log_lines();
        decision.id = self.shared.decisions.name();
        decision.trail.took_ns = mono_ns().saturating_sub(began_ns);
        decision
    }

    fn filters_names(&self) -> bool {
        self.policies.as_ref().is_some_and(Policies::filters_names)
    }

    fn denied_names(&mut self, ask: &Ask<'_>, names: &[Listed<'_>], now: Now) -> Vec<bool> {
        self.follow();
        let denied = match (self.table.decide(ask), &mut self.policies) {
            (Said::Abstained(_), Some(policies)) => policies.denied_names(ask, names, now),
            _ => vec![false; names.len()],
        };
        self.log_lines();
        denied
    }

    fn request(&mut self, ticket: Ticket, from: &Peer, call: &Call<'_>) -> Answer {
        match call.protocol {
            "xferd.join" => self.join(ticket, from, call),
            "xferd.status" => self.status(ticket, from),
            _ => self.invoke(ticket, from, call),
        }
    }

    fn store(&mut self, ticket: Ticket, ask: StoreAsk) -> Result<(), Busy> {
        match ask {
            StoreAsk::Psk(id) => self.ask_store(ticket, move |store| match store.psk(id, utc_ms()) {
                Ok(psk) => Reply::Psk(psk),
                Err(error) => failed(&error),
            }),
            StoreAsk::Receipt { transfer, bytes } => {
                self.ask_store(ticket, move |store| match store.keep_receipt(transfer, &bytes, utc_ms()) {
                    Ok(Kept::Stored) => Reply::Success(None),
                    Ok(Kept::Already(earlier)) => Reply::Success(Some(earlier)),
                    Err(error) => failed(&error),
                })
            }
            StoreAsk::Stored(change) => {
                let table = self.shared.stored.clone();
                self.ask_store(ticket, move |store| match store.count_stored(&change) {
                    Ok(counted) => {
                        table.learn(&counted.sums);
                        Reply::Refused(counted.refused)
                    }
                    Err(error) => failed(&error),
                })
            }
        }
    }

    fn poll(&mut self, out: &mut Vec<(Ticket, Reply)>) {
        while let Ok(reply) = self.replies.try_recv() {
            self.open -= 1;
            out.push(reply);
        }
        self.flush();
    }

    fn event(&mut self, event: &Event<'_>) {
        let files = tracing::enabled!(target: "xferd::file", tracing::Level::DEBUG);
        if let Some(report) = Report::of(event, files) {
            self.report(report);
        }
    }

    fn stepped(&mut self, step: &Step<'_>) {
        if tracing::enabled!(target: "xferd::state", tracing::Level::DEBUG) {
            self.report(Report::stepped(step));
        }
    }

    fn stored_bytes(&self, root: &str, account: &str) -> Option<u64> {
        self.shared.stored.bytes(root, account)
    }

    fn recovered(&mut self) {
        let (places, table) = (self.shared.places.clone(), self.shared.stored.clone());
        let settle = move |store: &mut Store| match stored::settle(store, &places, &table) {
            Ok(0) => {}
            Ok(files) => {
                tracing::info!(target: "xferd", files, "what was being published at the last end is counted")
            }
            Err(error) => drop(failed(&error)),
        };
        if self.shared.store.ask(settle, drop).is_err() {
            tracing::error!(target: "xferd", "what was being published at the last end is counted at the next start");
        }
    }

    fn owner_name(&self, id: u32, group: bool) -> Option<Arc<str>> {
        self.shared.names.name(id, group)
    }

    fn owner_id(&self, name: &str, group: bool) -> Option<u32> {
        self.shared.names.id(name, group)
    }

    fn reach(&mut self, point: Point) {
        crate::crash::reach(point);
    }
}

#[cfg(test)]
mod tests;
