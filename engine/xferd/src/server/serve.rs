//! The daemon put together: state, shares, listeners, cores, store thread; then the control thread's loop.

use super::control::{Control, Started};
use super::enrol::Enrol;
use super::hooks::{DaemonHooks, Decisions, Rules, Shared};
use super::shares::Held;
use super::stored::{self, StoredTable};
use super::{admin, listen, open};
use crate::clock::utc_ms;
use crate::config::{Config, Flags};
use crate::cores::{CoreEvent, Cores, Plan};
use crate::failure::{Failure, plain};
use crate::groups::Groups;
use crate::names::Names;
use crate::plugins::{Known, PluginThread};
use crate::rules::Authorizer;
use crate::{crash, harden, logs, settings};
use base::codes::Code;
use base::ids::DecisionId;
use host::{PolicySet, PolicySource, Value};
use rustix::fs::Mode;
use shard::settings::Settings;
use state::{StoreError, StoreThread};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::mpsc;

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// It could not start; nothing is left running.
pub fn run(config: Config, flags: Flags) -> Result<(), Failure> {
    crash::check()?;
    let filter = logs::filter(&config.log.value).map_err(|message| Failure::usage(message, ""))?;
    let log = logs::start(filter, config.log_format.value);
    harden::no_dumps();
    let files = ring::raise_open_files();
    // What lies in the state directory is ours alone; the cores mean their modes literally.
    let umask = rustix::process::umask(Mode::from_raw_mode(0o077));
    if config.shares.is_empty() {
        return Err(Failure::usage(
            "nothing to serve",
            "name a directory with --root, or [[share]]s in the configuration",
        ));
    }
    let held = Held::open(&config.shares)?;
    let mut opened = open::open(&config.state.value, &config.limits)?;
    let Kept { last, stored, groups, known, policies, lanes } = Kept::read(&config, &mut opened)?;
    let listeners = listen::listen(&config.listen.value, config.cores.value)?;
    let socket = admin::bind(&config.state.value)?;
    ring::set_umask_zero();
    let limits = Arc::new(config.limits.clone());
    let thread = StoreThread::start(opened.store, &limits).map_err(|error| {
        Failure::start(Code::Io, format!("no thread for the store: {}", plain(&error)), "")
    })?;
    let local = local(&opened.enrol, &listeners.addresses);
    let plugins = PluginThread::start(thread.handle(), known.clone(), local, limits.clone())?;
    plugins.reload(lanes)?;
    let (to_control, from_cores) = mpsc::channel(limits.hook_queue_max as usize);
    let shared = Shared {
        rules: Arc::new(Rules::new(Authorizer::new(&config, groups, 1), policies)),
        store: thread.handle(),
        enrol: Arc::new(opened.enrol),
        names: Arc::new(Names::read()),
        control: to_control,
        dropped: Arc::new(AtomicU64::new(0)),
        decisions: Arc::new(Decisions::new(last, utc_ms())),
        known,
        plugins: plugins.clone(),
        stored,
        places: stored::places(&config).into(),
        limits: limits.clone(),
    };
    let shares = held.shares(&config.shares);
    let journal = settings::open_directory(&opened.dir.join("journal"))?;
    let identity =
        settings::Identity { key: &opened.key, certificate: Some(&opened.certificate), trust: &opened.trust };
    let common = settings::Common {
        limits: limits.clone(),
        journal,
        umask: umask.as_raw_mode(),
        cores: config.cores.value,
        wire: Arc::new(AtomicU64::new(0)),
    };
    let all: Vec<Settings> = listeners
        .by_core
        .iter()
        .map(|own| Settings {
            listeners: own.clone(),
            shares: shares.clone(),
            ..identity.settings(&common, true)
        })
        .collect();
    let (tell, core_events) = mpsc::unbounded_channel();
    let for_hooks = shared.clone();
    let cores = Cores::start(Plan {
        io: config.io.value,
        limits: limits.clone(),
        pinned: usize::from(config.cores.value) <= super::cpus().len(),
        settings: all,
        hooks: Arc::new(move |_, waker| DaemonHooks::new(for_hooks.clone(), waker)),
        told: Arc::new(move |event: CoreEvent| drop(tell.send(event))),
    })?;
    let (io, notice) = cores.io();
    let notice = notice.map(str::to_owned);
    warn_of_costs(&config, notice.as_deref(), files);
    let started = Started { log, flags, listen: listeners.addresses, io, notice, held, config };
    let control = Control::new(started, shared, cores.handle(), socket, from_cores, core_events);
    let exit = control.run(announce)?;
    let whole = cores.join();
    // Before the store: what the plugins still do is kept.
    plugins.stop();
    let stopped = thread.stop();
    tracing::info!(target: "xferd", "stopped");
    match (exit, whole && stopped.is_ok()) {
        (Ok(()), true) => Ok(()),
        (Err(failure), _) => Err(failure),
        (Ok(()), false) => {
            Err(Failure::new(Code::InternalError, "a thread ended by a fault of ours", "look at the log"))
        }
    }
}

/// What earlier runs kept: facts of the store, and the plugins that are installed.
struct Kept {
    last: DecisionId,
    stored: Arc<StoredTable>,
    groups: Arc<Groups>,
    known: Arc<Known>,
    policies: Option<Arc<PolicySet>>,
    lanes: Vec<PolicySource>,
}

impl Kept {
    fn read(config: &Config, opened: &mut open::Opened) -> Result<Self, Failure> {
        let refused = |error: StoreError| Failure::start(error.code(), error.to_string(), "");
        let store = &mut opened.store;
        let last = store.last_decision().map_err(refused)?;
        let sums = store.stored_sums().map_err(refused)?;
        let groups = super::groups::read(store)?;
        super::groups::warn_of_absent(config, &groups);
        let known = Arc::new(super::known(&opened.enrol.device(), store, groups.clone())?);
        let (state, limits) = (&config.state.value, &config.limits);
        let keys = crate::plugins::keys(store, state)?;
        let policies = crate::plugins::load(state, &config.plugin, limits, 1, &keys, None)?;
        let lanes = crate::plugins::lane_sources(state, &config.plugin, limits, &keys)?;
        let stored = Arc::new(StoredTable::new(&config.shares, &sums));
        Ok(Self { last, stored, groups, known, policies, lanes })
    }
}

/// What a discovery plugin is told of this node.
fn local(enrol: &Enrol, listen: &[SocketAddr]) -> Vec<(String, Value)> {
    let addresses = listen.iter().map(|address| address.ip().to_string()).collect();
    let port = listen.first().map_or(0, |address| u64::from(address.port()));
    vec![
        ("device".to_owned(), Value::Id(enrol.device().0)),
        ("name".to_owned(), Value::Text(enrol.hub_name().to_owned())),
        ("port".to_owned(), Value::Uint(port)),
        ("addresses".to_owned(), Value::Texts(addresses)),
    ]
}

fn warn_of_costs(config: &Config, notice: Option<&str>, files: u64) {
    let cpus = super::cpus().len();
    let cores = usize::from(config.cores.value);
    if cores > cpus {
        tracing::warn!(target: "xferd", cores, cpus, "more cores than CPUs: not pinned, and slower");
    }
    if let Some(notice) = notice {
        tracing::warn!(target: "xferd", "{notice}; blocking threads are used instead, which is slower");
    }
    tracing::debug!(target: "xferd", files, "descriptors this process may have");
}

/// The one line on stdout. A starter that no longer reads it is no reason to end.
fn announce(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}
