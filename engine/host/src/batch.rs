//! Decisions about many names of one request, such as a listing: only policies of the world `batch-policy`.

use crate::bindings::exports::xferd::plugin::batch_authorizer as wit;
use crate::decide::{Decider, gather};
use crate::decision::{CODE_FAULT, Effect, Request, check, request_to_guest};
use crate::identity::Identity;
use crate::instance::{Circumstances, Failed, Running, start};
use crate::plugin::Fault;
use crate::policy::Policy;
use base::hooks::Facts;
use base::io::Now;
use std::sync::Arc;
use std::time::Instant;

/// One name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// Relative to the root. One that is not UTF-8 is shown to the policy with U+FFFD in place of what is not.
    pub path: &'a [u8],
    /// Bytes, where known.
    pub size: Option<u64>,
}

impl Decider {
    /// Which of these names are denied, and with which code: `None` is not denied. The request itself has been
    /// allowed already. Nothing is kept. A policy that fails denies all that it was asked about.
    pub fn decide_batch(
        &mut self,
        request: &Request<'_>,
        facts: &dyn Facts,
        identity: &Arc<dyn Identity>,
        now: Now,
        entries: &[Entry<'_>],
    ) -> Vec<Option<Arc<str>>> {
        let mut denied = vec![None; entries.len()];
        let about = Circumstances { request, facts, identity, now };
        let set = self.set.clone();
        let most = set.runtime.limits().plugin_batch_entries_max.max(1) as usize;
        for policy in set.policies.iter().filter(|policy| policy.batch.is_some()) {
            for (entries, denied) in entries.chunks(most).zip(denied.chunks_mut(most)) {
                if let Err(failed) = self.batch(policy, &about, entries, denied) {
                    denied.fill(Some(CODE_FAULT.into()));
                    self.faulted(policy, *failed, now.utc_ms);
                }
            }
        }
        denied
    }

    fn batch(
        &mut self,
        policy: &Policy,
        about: &Circumstances<'_>,
        entries: &[Entry<'_>],
        denied: &mut [Option<Arc<str>>],
    ) -> Result<(), Box<Failed>> {
        let began = Instant::now();
        let runtime = self.set.runtime.clone();
        let _flight = runtime.enter();
        let Running { mut store, made, .. } =
            start(&runtime, policy, about, gather(about.facts), self.log_from)?;
        let entries: Vec<wit::Entry> = entries
            .iter()
            .map(|entry| wit::Entry {
                path: String::from_utf8_lossy(entry.path).into_owned(),
                size: entry.size,
            })
            .collect();
        let question = request_to_guest(about.request);
        let called = policy.batch.as_ref().map(|batch| {
            let guest = batch.load(&mut store, &made)?;
            guest.call_decide_all(&mut store, &question, &entries)
        });
        let decisions = match called {
            Some(Ok(decisions)) => decisions,
            Some(Err(error)) => {
                let fault = Fault::of(&error, store.data());
                return Err(Box::new(Failed { fault, store }));
            }
            None => return Ok(()),
        };
        self.say(&mut store.data_mut().lines);
        if decisions.len() != entries.len() {
            let fault =
                Fault::Bound(format!("gave {} decisions about {} entries", decisions.len(), entries.len()));
            return Err(Box::new(Failed { fault, store }));
        }
        for (decision, denied) in decisions.into_iter().zip(denied) {
            match check(decision, &policy.plugin.limits) {
                Ok(checked) if checked.effect == Effect::Deny => {
                    policy.plugin.gauges.denied(&checked.code);
                    denied.get_or_insert_with(|| checked.code.into());
                }
                Ok(_) => {}
                Err(bound) => {
                    let fault = Fault::Bound(bound.to_string());
                    return Err(Box::new(Failed { fault, store }));
                }
            }
        }
        policy.plugin.gauges.called(began.elapsed().as_nanos() as u64, store.data().memory_peak);
        Ok(())
    }
}
