//! Decisions that one core keeps, each under what its policy read.
//!
//! A decision is given again for the same policy, subject, action and root, as long as every fact it read reads the
//! same and its time is not over. The plugin never writes a key: the host notes what was read.

use crate::decision::{Opinion, Request};
use crate::identity::Identity;
use crate::kv::Kv;
use base::hooks::{Action, Facts};
use base::ids::DeviceId;
use base::limits::Limits;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What a kept decision answers.
#[derive(PartialEq, Eq, Debug)]
struct Question {
    policy: u32,
    subject: DeviceId,
    action: &'static str,
    protocol: Box<str>,
    root: Box<str>,
}

struct Kept {
    question: Question,
    opinion: Arc<Opinion>,
}

/// The decisions of one core under one set of policies.
pub(crate) struct Cache {
    kept: HashMap<u64, Vec<Kept>>,
    order: VecDeque<u64>,
    hasher: RandomState,
    most: usize,
    alike: usize,
}

fn protocol<'a>(action: &Action<'a>) -> &'a str {
    match action {
        Action::Invoke(protocol) => protocol,
        _ => "",
    }
}

impl Question {
    fn is(&self, policy: u32, request: &Request<'_>) -> bool {
        self.policy == policy
            && self.subject == *request.subject
            && self.action == request.action.name()
            && *self.protocol == *protocol(&request.action)
            && *self.root == *request.root
    }
}

impl Cache {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            kept: HashMap::new(),
            order: VecDeque::new(),
            hasher: RandomState::new(),
            most: limits.plugin_decisions_max as usize,
            alike: limits.plugin_decisions_alike_max as usize,
        }
    }

    fn key(&self, policy: u32, request: &Request<'_>) -> u64 {
        let action = (request.action.name(), protocol(&request.action));
        self.hasher.hash_one((policy, request.subject, action, request.root))
    }

    /// The decision of this policy about an equal question.
    pub(crate) fn find(
        &self,
        policy: u32,
        request: &Request<'_>,
        facts: &dyn Facts,
        identity: &dyn Identity,
        kv: &Kv,
        now_ms: u64,
    ) -> Option<Arc<Opinion>> {
        let alike = self.kept.get(&self.key(policy, request))?;
        let holds = |kept: &&Kept| {
            kept.opinion.until_ms > now_ms
                && kept.question.is(policy, request)
                && kept.opinion.reads.iter().all(|read| read.holds(facts, identity, kv, now_ms))
        };
        alike.iter().rev().find(holds).map(|kept| kept.opinion.clone())
    }

    /// Keeps a decision; the oldest makes room.
    pub(crate) fn keep(&mut self, policy: u32, request: &Request<'_>, opinion: Arc<Opinion>) {
        let key = self.key(policy, request);
        if self.order.len() >= self.most {
            self.drop_oldest();
        }
        let question = Question {
            policy,
            subject: *request.subject,
            action: request.action.name(),
            protocol: protocol(&request.action).into(),
            root: request.root.into(),
        };
        let alike = self.kept.entry(key).or_default();
        // One that read the same facts with the same values is over, or it had been found.
        alike.retain(|kept| !(kept.question == question && kept.opinion.reads == opinion.reads));
        if alike.len() >= self.alike {
            alike.remove(0);
        }
        alike.push(Kept { question, opinion });
        self.order.push_back(key);
    }

    /// Forgets one of the key that was kept first.
    fn drop_oldest(&mut self) {
        let Some(key) = self.order.pop_front() else { return };
        if let Some(alike) = self.kept.get_mut(&key) {
            if !alike.is_empty() {
                alike.remove(0);
            }
            if alike.is_empty() {
                self.kept.remove(&key);
            }
        }
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.values().map(Vec::len).sum()
    }
}
