//! One core's way to the policies: a decision, kept or made.
//!
//! ```text
//! ask ─▶ kept under what it read? ─yes─▶ answer
//!              │no
//!              ▼
//!        fresh instance ─▶ configure ─▶ decide ─▶ check ─▶ keep ─▶ answer
//!              │ trap, deadline, bound
//!              ▼
//!        deny, code policy-fault
//! ```

use crate::cache::Cache;
use crate::decision::{
    Answered, CODE_NO_ANSWER, Checked, Effect, Lifetime, Opinion, Request, Verdict, check, request_to_guest,
};
use crate::guest::{Guest, Level, LogLine};
use crate::identity::Identity;
use crate::instance::{Circumstances, Failed, Running, fuel_of, prepare, start};
use crate::manifest::Instance;
use crate::plugin::Fault;
use crate::policy::{Policy, PolicySet};
use crate::read::Read;
use crate::value::Value;
use base::hooks::Facts;
use base::io::Now;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Store;

/// The facts that `context` may hold, as `xferd.wit` lists them. Whatever else a plugin asks for is not there.
pub const CONTEXT_KEYS: &[&str] = &[
    "path",
    "size",
    "files",
    "account",
    "address",
    "trust",
    "transport",
    "protocol",
    "share",
    "label",
    "stored-bytes",
];

/// One core's decider.
pub struct Decider {
    pub(crate) set: Arc<PolicySet>,
    cache: Cache,
    reused: Vec<Option<Running>>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) log_from: Level,
}

impl Decider {
    /// A decider that has decided nothing.
    pub fn new(set: Arc<PolicySet>) -> Self {
        let cache = Cache::new(set.runtime.limits());
        let reused = set.policies.iter().map(|_| None).collect();
        Self { set, cache, reused, lines: Vec::new(), log_from: Level::Info }
    }

    /// Goes on with another set. Decisions are kept only within one generation.
    pub fn replace(&mut self, set: Arc<PolicySet>) {
        if set.generation != self.set.generation {
            self.cache = Cache::new(set.runtime.limits());
        }
        self.reused = set.policies.iter().map(|_| None).collect();
        self.set = set;
    }

    /// The set it decides by.
    pub fn set(&self) -> &Arc<PolicySet> {
        &self.set
    }

    /// Lines below this level are not kept; [`Level::Info`] at first.
    pub fn log_from(&mut self, level: Level) {
        self.log_from = level;
    }

    /// What the plugins logged since; at most `plugin_log_lines_per_second` of each a second.
    pub fn take_lines(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    /// How many decisions are kept.
    pub fn kept(&self) -> usize {
        self.cache.len()
    }

    /// Decides, from what is kept where it can. Deny of one policy ends it; of several allows the obligations of all
    /// that did not deny hold together.
    pub fn decide(
        &mut self,
        request: &Request<'_>,
        facts: &dyn Facts,
        identity: &Arc<dyn Identity>,
        now: Now,
    ) -> Verdict {
        self.judge(&Circumstances { request, facts, identity, now }, true)
    }

    /// Decides by running every policy, and keeps nothing: what `plugin explain` and `plugin test` show.
    pub fn decide_anew(
        &mut self,
        request: &Request<'_>,
        facts: &dyn Facts,
        identity: &Arc<dyn Identity>,
        now: Now,
    ) -> Verdict {
        self.judge(&Circumstances { request, facts, identity, now }, false)
    }

    fn judge(&mut self, about: &Circumstances<'_>, keeps: bool) -> Verdict {
        let began = Instant::now();
        let set = self.set.clone();
        let mut gathered = None;
        let mut answers = Vec::with_capacity(set.policies.len());
        for (index, policy) in set.policies.iter().enumerate() {
            let began = Instant::now();
            let kept = if keeps { self.kept_answer(index, policy, about) } else { None };
            let cached = kept.is_some();
            let opinion = match kept {
                Some(opinion) => opinion,
                None => {
                    let facts = gathered.get_or_insert_with(|| gather(about.facts)).clone();
                    let opinion = Arc::new(self.run(index, policy, about, facts));
                    if keeps && may_be_kept(&opinion, about.now.utc_ms) {
                        self.cache.keep(index as u32, about.request, opinion.clone());
                    }
                    opinion
                }
            };
            let took_ns = began.elapsed().as_nanos() as u64;
            match cached {
                true => policy.plugin.gauges.answered_from_cache(),
                false => policy.plugin.gauges.called(took_ns, opinion.memory_bytes),
            }
            let denied = opinion.effect == Effect::Deny;
            if denied {
                policy.plugin.gauges.denied(&opinion.code);
            }
            answers.push(Answered { opinion, cached, took_ns });
            if denied {
                break;
            }
        }
        combine(answers, set.generation, began.elapsed().as_nanos() as u64)
    }

    fn kept_answer(&self, index: usize, policy: &Policy, about: &Circumstances<'_>) -> Option<Arc<Opinion>> {
        let identity = &**about.identity;
        self.cache.find(index as u32, about.request, about.facts, identity, &policy.kv, about.now.utc_ms)
    }

    /// Runs one policy.
    fn run(
        &mut self,
        index: usize,
        policy: &Policy,
        about: &Circumstances<'_>,
        facts: Arc<Vec<(&'static str, Value)>>,
    ) -> Opinion {
        let runtime = self.set.runtime.clone();
        let _flight = runtime.enter();
        let reused = policy.plugin.manifest.instance == Instance::Reused;
        let running = match self.reused[index].take() {
            Some(mut running) => {
                prepare(&mut running.store, about, facts, &policy.kv);
                Ok(running)
            }
            None => start(&runtime, policy, about, facts, self.log_from),
        };
        let mut running = match running {
            Ok(running) => running,
            Err(failed) => return self.faulted(policy, *failed, about.now.utc_ms),
        };
        let question = request_to_guest(about.request);
        let result = running.authorizer.call_decide(&mut running.store, &question);
        let checked = result.map_err(|error| Fault::of(&error, running.store.data())).and_then(|decision| {
            check(decision, &policy.plugin.limits).map_err(|bound| Fault::Bound(bound.to_string()))
        });
        match checked {
            Ok(checked) => {
                self.say(&mut running.store.data_mut().lines);
                let opinion = opinion_of(policy, checked, &mut running.store, about.now);
                if reused {
                    self.reused[index] = Some(running);
                }
                opinion
            }
            Err(fault) => {
                let failed = Failed { fault, store: running.store };
                self.faulted(policy, failed, about.now.utc_ms)
            }
        }
    }

    /// Keeps lines until they are taken; a second's worth of every policy, the newest are dropped.
    pub(crate) fn say(&mut self, lines: &mut Vec<LogLine>) {
        let each = self.set.runtime.limits().plugin_log_lines_per_second.max(1) as usize + 1;
        let room = (each * self.set.policies.len()).saturating_sub(self.lines.len());
        lines.truncate(room);
        self.lines.append(lines);
    }

    pub(crate) fn faulted(&mut self, policy: &Policy, mut failed: Failed, now_ms: u64) -> Opinion {
        policy.plugin.gauges.faulted(failed.fault.is_timeout());
        let guest = failed.store.data_mut();
        let mut lines = std::mem::take(&mut guest.lines);
        lines.push(LogLine {
            plugin: policy.plugin.name.clone(),
            level: Level::Error,
            message: format!("denied, because the policy did not answer: {}", failed.fault),
            fields: Vec::new(),
        });
        self.say(&mut lines);
        let mut opinion = Opinion::of_fault(
            policy.plugin.name.clone(),
            failed.fault,
            std::mem::take(&mut guest.reads),
            now_ms,
        );
        opinion.memory_bytes = guest.memory_peak;
        opinion.fuel = fuel_of(&failed.store);
        opinion
    }
}

/// Every fact there is, once for all policies that are run.
pub(crate) fn gather(facts: &dyn Facts) -> Arc<Vec<(&'static str, Value)>> {
    let known = CONTEXT_KEYS.iter().filter_map(|key| facts.get(key).map(|fact| (*key, Value::from(fact))));
    Arc::new(known.collect())
}

fn opinion_of(policy: &Policy, checked: Checked, store: &mut Store<Guest>, now: Now) -> Opinion {
    let limits = &policy.plugin.limits;
    let fuel = fuel_of(store);
    let guest = store.data_mut();
    let reads = std::mem::take(&mut guest.reads);
    let mut ttl = checked.ttl_ms.min(limits.plugin_ttl_ms_max);
    if reads.iter().any(|read| matches!(read, Read::Clock(_))) {
        ttl = ttl.min(limits.plugin_clock_keep_ms);
    }
    let took_quota = reads.iter().any(|read| matches!(read, Read::Quota(..)));
    if took_quota || guest.reads_lost || checked.lifetime == Lifetime::Request {
        ttl = 0;
    }
    Opinion {
        plugin: policy.plugin.name.clone(),
        effect: checked.effect,
        code: checked.code,
        detail: checked.detail,
        lifetime: checked.lifetime,
        until_ms: now.utc_ms.saturating_add(u64::from(ttl)),
        obligations: checked.obligations,
        reads,
        fault: None,
        fuel,
        memory_bytes: guest.memory_peak,
    }
}

fn may_be_kept(opinion: &Opinion, now_ms: u64) -> bool {
    opinion.fault.is_none() && opinion.until_ms > now_ms
}

/// Deny overrides, then allow; no answer is left to the caller.
fn combine(answers: Vec<Answered>, generation: u32, took_ns: u64) -> Verdict {
    let with = |effect| answers.iter().map(|answer| &answer.opinion).find(|opinion| opinion.effect == effect);
    let decided = with(Effect::Deny).or_else(|| with(Effect::Allow)).cloned();
    let all = || answers.iter().map(|answer| &answer.opinion);
    let allowed = decided.as_ref().is_some_and(|opinion| opinion.effect == Effect::Allow);
    let obligations = match allowed {
        true => all().flat_map(|opinion| opinion.obligations.iter().cloned()).collect(),
        false => Vec::new(),
    };
    Verdict {
        effect: decided.as_ref().map_or(Effect::Abstain, |opinion| opinion.effect),
        code: decided.as_ref().map_or(CODE_NO_ANSWER, |opinion| &opinion.code).into(),
        detail: decided.as_ref().and_then(|opinion| opinion.detail.as_deref()).map(Into::into),
        plugin: decided.as_ref().map(|opinion| opinion.plugin.clone()),
        generation,
        lifetime: all().map(|opinion| opinion.lifetime).min().unwrap_or(Lifetime::Session),
        until_ms: all().map(|opinion| opinion.until_ms).min().unwrap_or(u64::MAX),
        obligations,
        answers,
        took_ns,
    }
}
