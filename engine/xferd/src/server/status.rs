//! What the daemon says of itself: all of it to its own user, a peer's part to a peer.

use super::control::Daemon;
use super::hooks::{InForce, Shared};
use crate::clock::{mono_ns, utc_ms};
use crate::cores::CoresHandle;
use crate::plugins::Policies;
use crate::rules::Said;
use base::codes::Code;
use base::hooks::{Action, Ask, Effect, Fact, Facts, Peer, Reply, Stage, Trust};
use base::io::Now;
use host::PluginStatus;
use proto::session::phase::Phase;
use serde_json::{Value, json};
use shard::command::{CoreStatus, RunningTransfer};
use std::sync::atomic::Ordering;

/// For `xferd status`.
pub(super) async fn of_daemon(daemon: &Daemon) -> Value {
    let cores = collect(&daemon.cores).await;
    let audit = audit(daemon).await;
    let started = daemon.started.borrow();
    let shared = &daemon.shared;
    let listen: Vec<String> = started.listen.iter().map(ToString::to_string).collect();
    let shares: Vec<Value> = started
        .config
        .shares
        .iter()
        .map(|share| json!({"name": format!("/{}", share.name), "path": share.path.to_string_lossy(),
            "read_only": share.read_only, "owners": share.owners, "durability_min": share.durability_min.word(),
            "count_stored": share.count_stored}))
        .collect();
    let transfers: Vec<Value> = cores.iter().flat_map(|core| &core.running).map(transfer).collect();
    json!({
        "running": true, "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(),
        "name": shared.enrol.hub_name(), "device": shared.enrol.device().to_string(),
        "root": shared.enrol.root().to_string(), "state": started.config.state.value.to_string_lossy(),
        "listen": listen, "io": started.io, "notice": started.notice,
        "uptime_s": daemon.began.elapsed().as_secs(), "draining": daemon.draining.get(),
        "rules_generation": shared.rules.generation(), "reports_dropped": shared.dropped.load(Ordering::Relaxed),
        "audit": audit,
        "sessions": cores.iter().map(|core| u64::from(core.sessions)).sum::<u64>(),
        "phases": phases(&cores),
        "settings": {"cores": started.config.cores.value, "durability": started.config.durability.value.word()},
        "cores": cores.iter().map(core).collect::<Vec<_>>(), "shares": shares, "transfers": transfers,
        "plugins": plugins(shared),
    })
}

/// What each plugin did.
fn plugins(shared: &Shared) -> Value {
    let set = shared.rules.in_force().policies;
    let mut status = set.map(|set| set.status()).unwrap_or_default();
    status.extend(shared.plugins.status());
    let pairs = |pairs: &[(String, u64)]| -> Value {
        pairs
            .iter()
            .map(|(name, count)| (name.clone(), Value::from(*count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let one = |plugin: &PluginStatus| {
        let gauges = &plugin.gauges;
        json!({"name": &*plugin.name, "version": plugin.version, "world": plugin.world,
            "wasm": base::ids::Value(plugin.wasm).to_string(), "calls": gauges.calls, "cache_hits": gauges.cached,
            "faults": gauges.faults, "timeouts": gauges.timeouts, "restarts": gauges.restarts,
            "memory_peak": gauges.memory_peak, "p50_ns": gauges.p50_ns, "p99_ns": gauges.p99_ns,
            "logs_dropped": gauges.logs_dropped, "denials": pairs(&gauges.denials), "counters": pairs(&gauges.counters)})
    };
    status.iter().map(one).collect::<Vec<_>>().into()
}

/// How the audit log stands: records kept, gone because there were too many, and lost because nobody kept up.
async fn audit(daemon: &Daemon) -> Value {
    let lost = daemon.shared.decisions.lost.load(Ordering::Relaxed);
    let counts = daemon.ask_store(|store| Ok(store.audit_counts())).await;
    let (kept, gone) = counts.map_or((Value::Null, Value::Null), |(kept, gone)| (kept.into(), gone.into()));
    json!({"kept": kept, "dropped": gone, "lost": lost})
}

/// For `xfer status`: nothing of other accounts beyond their number.
pub(super) async fn for_peer(daemon: &Daemon, peer: &Peer) -> Reply {
    let cores = collect(&daemon.cores).await;
    let started = daemon.started.borrow();
    let InForce { table: rules, policies: set } = daemon.shared.rules.in_force();
    let mut policies = set.clone().map(|set| Policies::new(set, daemon.shared.known.as_of(rules.groups())));
    let mut may_browse = |name: &str| {
        let ask = Ask { subject: peer, action: Action::Browse, root: name, facts: &Top(peer) };
        let decision = match (rules.decide(&ask), &mut policies) {
            (Said::Abstained(default), Some(policies)) => policies.decide(&ask, now(), &default),
            (said, _) => said.or_default(),
        };
        decision.effect == Effect::Allow
    };
    let shares: Vec<String> = started
        .config
        .shares
        .iter()
        .filter(|share| may_browse(&share.name))
        .map(|share| format!("/{}{}", share.name, if share.read_only { " (read-only)" } else { "" }))
        .collect();
    let own = cores.iter().flat_map(|core| &core.running).filter(|running| running.account == peer.account);
    let data = json!({
        "name": daemon.shared.enrol.hub_name(), "version": env!("CARGO_PKG_VERSION"),
        "device": daemon.shared.enrol.device().to_string(), "account": &*peer.account, "io": started.io,
        "cores": cores.len(), "sessions": cores.iter().map(|core| u64::from(core.sessions)).sum::<u64>(),
        "phases": phases(&cores), "shares": shares, "transfers": own.map(transfer).collect::<Vec<_>>(),
        "plugins": plugins(&daemon.shared),
    });
    match serde_json::to_vec(&data) {
        Ok(bytes) => Reply::Success(Some(bytes)),
        Err(error) => Reply::Error { code: Code::InternalError, message: error.to_string() },
    }
}

fn now() -> Now {
    Now { mono_ns: mono_ns(), utc_ms: utc_ms() }
}

/// Facts of a question about the top of a share.
struct Top<'a>(&'a Peer);

impl Facts for Top<'_> {
    fn get(&self, key: &str) -> Option<Fact> {
        match key {
            "account" => Some(Fact::Text(self.0.account.to_string())),
            "address" => Some(Fact::Text(self.0.address.ip().to_string())),
            "transport" => Some(Fact::Text("tcp".to_owned())),
            "trust" if self.0.trust == Trust::Certificate => Some(Fact::Text("certificate".to_owned())),
            "path" => Some(Fact::Bytes(Vec::new())),
            _ => None,
        }
    }
}

async fn collect(cores: &CoresHandle) -> Vec<CoreStatus> {
    let cores = cores.clone();
    tokio::task::spawn_blocking(move || cores.status()).await.unwrap_or_default()
}

/// Sessions by what they do (V6); phases that no session is in are left out.
fn phases(cores: &[CoreStatus]) -> Value {
    let count = |phase: Phase| cores.iter().map(|core| u64::from(core.phases[phase as usize])).sum::<u64>();
    let counted =
        Phase::ALL.into_iter().map(|phase| (phase.name(), count(phase))).filter(|(_, count)| *count > 0);
    counted.map(|(name, count)| (name.to_owned(), count.into())).collect::<serde_json::Map<_, _>>().into()
}

fn core(core: &CoreStatus) -> Value {
    json!({"core": core.core, "sessions": core.sessions, "streams": core.streams, "half_open": core.half_open,
        "transfers": core.transfers, "bytes_received": core.bytes_in, "bytes_sent": core.bytes_out,
        "refused": core.refused, "limiting": core.stages.limiting().map(Stage::name)})
}

fn transfer(running: &RunningTransfer) -> Value {
    json!({"id": running.id.to_string(), "account": &*running.account, "direction": running.direction,
        "bytes": running.bytes, "files": running.files, "limiting": running.limiting})
}
