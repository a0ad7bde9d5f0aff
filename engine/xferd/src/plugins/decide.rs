//! One core's policies: from what the engine asks to what they say, and back.

use crate::clock::mono_ns;
use crate::escape::shown;
use base::codes::Code;
use base::hooks::{Ask, Cache, Decision, Effect, Listed, Obligations, PathRule, Trail};
use base::ids::DecisionId;
use base::io::Now;
use host::{Decider, Entry, Identity, LogLine, Obligation, PolicySet, Read, Request, Verdict};
use std::sync::Arc;

/// Reads that one decision is shown with.
const READS_MOST: usize = 64;

/// One core's decider and what it needs.
pub struct Policies {
    decider: Decider,
    identity: Arc<dyn Identity>,
}

impl Policies {
    /// Of a set that has a policy.
    pub fn new(set: Arc<PolicySet>, identity: Arc<dyn Identity>) -> Self {
        Self { decider: Decider::new(set), identity }
    }

    /// Goes on with another set, or other groups.
    pub fn replace(&mut self, set: Arc<PolicySet>, identity: Arc<dyn Identity>) {
        self.decider.replace(set);
        self.identity = identity;
    }

    /// Decides where the static rules abstain. `default` is what they say then: its `read_only` holds.
    pub fn decide(&mut self, ask: &Ask<'_>, now: Now, default: &Decision) -> Decision {
        let began_ns = mono_ns();
        let request = Request { subject: &ask.subject.device, action: ask.action, root: ask.root };
        let verdict = self.decider.decide(&request, ask.facts, &self.identity, now);
        let mut decision = decision_of(&verdict);
        decision.generation = default.generation;
        decision.obligations.read_only |= default.obligations.read_only;
        decision.trail.took_ns = mono_ns().saturating_sub(began_ns);
        decision
    }

    /// Whether one of them looks at the names of listings.
    pub fn filters_names(&self) -> bool {
        self.decider.set().filters_entries()
    }

    /// Which names of a listing they deny, one answer each.
    pub fn denied_names(&mut self, ask: &Ask<'_>, names: &[Listed<'_>], now: Now) -> Vec<bool> {
        let request = Request { subject: &ask.subject.device, action: ask.action, root: ask.root };
        let entries: Vec<Entry<'_>> =
            names.iter().map(|name| Entry { path: name.path, size: name.size }).collect();
        let denied = self.decider.decide_batch(&request, ask.facts, &self.identity, now, &entries);
        denied.iter().map(Option::is_some).collect()
    }

    /// What the plugins logged since.
    pub fn lines(&mut self) -> Vec<LogLine> {
        self.decider.take_lines()
    }
}

fn decision_of(verdict: &Verdict) -> Decision {
    let allowed = verdict.effect == host::Effect::Allow;
    let by: Arc<str> = match &verdict.plugin {
        Some(plugin) => format!("plugin {plugin}").into(),
        None => "policies".into(),
    };
    let detail = verdict.detail.as_deref().map(|detail| format!(": {}", shown(detail))).unwrap_or_default();
    let reason = match verdict.effect {
        host::Effect::Abstain => "no policy allows it".into(),
        _ => format!("{by}: {}{detail}", verdict.code).into(),
    };
    Decision {
        id: DecisionId::default(),
        effect: if allowed { Effect::Allow } else { Effect::Deny },
        code: Code::AccessDenied,
        reason,
        generation: verdict.generation,
        until_ms: until_ms(verdict),
        obligations: if allowed { obligations(&verdict.obligations) } else { Obligations::NONE },
        trail: Trail { by, reads: reads(verdict), took_ns: verdict.took_ns, cache: cache(verdict) },
    }
}

/// When a live transfer is asked about again without a change of generation. What a policy read of the call is the same
/// throughout; tokens that were taken were taken for all of it.
fn until_ms(verdict: &Verdict) -> u64 {
    let reads = || verdict.answers.iter().flat_map(|answered| &answered.opinion.reads);
    let took = reads().any(|read| matches!(read, Read::Quota(..)));
    let fixed = reads().all(|read| matches!(read, Read::Context(..)));
    if took || fixed { u64::MAX } else { verdict.until_ms }
}

fn cache(verdict: &Verdict) -> Cache {
    let took = |read: &Read| matches!(read, Read::Quota(..));
    if verdict.answers.iter().all(|answered| answered.cached) && !verdict.answers.is_empty() {
        Cache::Hit
    } else if verdict
        .answers
        .iter()
        .any(|answered| answered.opinion.fault.is_some() || answered.opinion.reads.iter().any(took))
    {
        Cache::Never
    } else {
        Cache::Miss
    }
}

/// What was read and said, one policy after the other.
fn reads(verdict: &Verdict) -> Arc<[String]> {
    let mut out = Vec::new();
    for answered in &verdict.answers {
        let opinion = &answered.opinion;
        let kept = if answered.cached { ", kept" } else { "" };
        let fuel = opinion.fuel.map(|fuel| format!(", {fuel} fuel")).unwrap_or_default();
        out.push(format!(
            "{}: {} {} in {} us{kept}{fuel}",
            opinion.plugin,
            opinion.effect.name(),
            opinion.code,
            answered.took_ns.div_ceil(1000)
        ));
        out.extend(opinion.reads.iter().map(|read| {
            let (what, value) = read.render();
            format!("{}: {what} = {value}", opinion.plugin)
        }));
    }
    out.truncate(READS_MOST);
    out.into()
}

/// One native struct of what all policies demand together: the tighter bound holds, of the rest the first.
fn obligations(all: &[Obligation]) -> Obligations {
    let mut out = Obligations::NONE;
    let first = |slot: &mut Option<Arc<str>>, text: &str| {
        slot.get_or_insert_with(|| text.into());
    };
    for one in all {
        match one {
            Obligation::MaxBytes(most) => out.bytes_max = out.bytes_max.min(*most),
            Obligation::MaxFiles(most) => out.files_max = out.files_max.min(*most),
            Obligation::BytesPerSecond(most) => {
                out.bytes_per_second = out.bytes_per_second.min((*most).max(1))
            }
            Obligation::MaxStoredBytes(most) => out.stored_bytes_max = out.stored_bytes_max.min(*most),
            Obligation::NotAfterMs(at) => out.not_after_ms = out.not_after_ms.min(*at),
            Obligation::ReadOnly => out.read_only = true,
            Obligation::StoreAs(place) => first(&mut out.store_as, place),
            Obligation::Label(label) => first(&mut out.label, label),
            Obligation::Notify(topic) => first(&mut out.notify, topic),
            Obligation::Paths(paths) => out.paths.push(paths.iter().filter_map(path_rule).collect()),
        }
    }
    out
}

/// A rule that abstains leaves its files to the rules behind it.
fn path_rule(rule: &host::PathRule) -> Option<PathRule> {
    let effect = match rule.effect {
        host::Effect::Allow => Effect::Allow,
        host::Effect::Deny => Effect::Deny,
        host::Effect::Abstain => return None,
    };
    Some(PathRule {
        glob: rule.glob.as_str().into(),
        bytes_max: rule.bytes_max.unwrap_or(u64::MAX),
        effect,
        store_as: rule.store_as.as_deref().map(Into::into),
        code: rule.code.as_str().into(),
    })
}
