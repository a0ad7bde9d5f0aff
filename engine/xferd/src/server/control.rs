//! The control thread: admin socket, signals, reload, the log, status.

use super::admin::{self, Asked};
use super::hooks::{Shared, ToControl};
use super::shares::Held;
use super::{addresses, enrol, happenings, status};
use crate::admin::Command;
use crate::clock::{mono_ns, utc_ms};
use crate::config::{Config, Flags};
use crate::cores::{CoreEvent, CoresHandle};
use crate::failure::{Failure, plain};
use crate::logs::LogHandle;
use crate::plugins::KeysChange;
use crate::rules::Authorizer;
use crate::settings::Identity;
use base::codes::{Code, exit};
use serde_json::{Value, json};
use shard::command::{Command as CoreCommand, Handshake};
use state::{Gone, Store};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};

/// How often it is looked whether the daemon's own certificate is to be renewed. Its last twelfth, in which it is,
/// lasts a month.
const RENEW_EVERY: Duration = Duration::from_secs(3600);
/// Reports handled before other things get their turn.
const REPORTS_AT_ONCE: usize = 64;

/// What the daemon was started with.
pub struct Started {
    /// The log's handle.
    pub log: LogHandle,
    /// Flags, for a reload.
    pub flags: Flags,
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Which engine.
    pub io: &'static str,
    /// Why not io_uring.
    pub notice: Option<String>,
    /// Open directories.
    pub held: Held,
    /// The configuration in force.
    pub config: Config,
}

/// The control thread's own.
pub struct Control {
    daemon: Rc<Daemon>,
    socket: std::os::unix::net::UnixListener,
    from_cores: mpsc::Receiver<ToControl>,
    core_events: mpsc::UnboundedReceiver<CoreEvent>,
}

/// What tasks of the control thread share.
pub struct Daemon {
    /// What it was started with; a reload changes configuration and directories.
    pub started: RefCell<Started>,
    /// What cores share too.
    pub shared: Shared,
    /// The cores.
    pub cores: CoresHandle,
    /// Since when.
    pub began: Instant,
    /// Set by the first stop.
    pub draining: Cell<bool>,
    /// Held by whoever puts other rules, plugins or keys in force.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// Ends the loop at once.
    stop_now: tokio::sync::Notify,
}

impl Control {
    /// Puts it together.
    pub fn new(
        started: Started,
        shared: Shared,
        cores: CoresHandle,
        socket: std::os::unix::net::UnixListener,
        from_cores: mpsc::Receiver<ToControl>,
        core_events: mpsc::UnboundedReceiver<CoreEvent>,
    ) -> Self {
        let daemon = Daemon {
            started: RefCell::new(started),
            shared,
            cores,
            began: Instant::now(),
            draining: Cell::new(false),
            changing: tokio::sync::Mutex::new(()),
            stop_now: tokio::sync::Notify::new(),
        };
        Self { daemon: Rc::new(daemon), socket, from_cores, core_events }
    }

    /// Serves until every core has ended; `announce` gets the ready line.
    ///
    /// # Errors
    /// The control thread could not begin. Within: how it ended.
    pub fn run(self, announce: impl Fn(&str)) -> Result<Result<(), Failure>, Failure> {
        let refused = |error: std::io::Error| {
            Failure::start(Code::Io, format!("the control thread cannot begin: {}", plain(&error)), "")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        LocalSet::new().block_on(&runtime, async move {
            let socket = UnixListener::from_std(self.socket).map_err(refused)?;
            let signals = Signals::new().map_err(refused)?;
            announce(&self.daemon.ready_line());
            let state = self.daemon.started.borrow().config.state.value.clone();
            let ended = serve(self.daemon, socket, signals, self.from_cores, self.core_events).await;
            // Before the connections close: whoever waits for that finds no socket any more.
            super::admin::unbind(&state);
            Ok(ended)
        })
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

async fn serve(
    daemon: Rc<Daemon>,
    socket: UnixListener,
    mut signals: Signals,
    mut from_cores: mpsc::Receiver<ToControl>,
    mut core_events: mpsc::UnboundedReceiver<CoreEvent>,
) -> Result<(), Failure> {
    let (to_here, mut asks) = mpsc::channel::<Asked>(16);
    spawn_local(admin::serve(socket, to_here));
    let mut left = daemon.cores.count();
    let mut batch = Vec::new();
    let mut renewal = tokio::time::interval(RENEW_EVERY);
    while left > 0 {
        tokio::select! {
            _ = renewal.tick() => {
                let daemon = daemon.clone();
                spawn_local(async move {
                    if let Err(failure) = daemon.renew().await {
                        tracing::error!(target: "xferd", "certificate not renewed: {}", failure.message);
                    }
                });
            }
            Some(asked) = asks.recv() => {
                let daemon = daemon.clone();
                spawn_local(async move {
                    let result = daemon.perform(asked.command).await;
                    let _ = asked.answer.send(result);
                });
            }
            count = from_cores.recv_many(&mut batch, REPORTS_AT_ONCE) => {
                if count > 0 {
                    daemon.on_reports(&mut batch);
                }
            }
            Some(event) = core_events.recv() => {
                if let CoreEvent::Over(core) = event {
                    left -= 1;
                    if !daemon.draining.get() {
                        tracing::error!(target: "xferd", core = core.0, "a core ended by a fault of ours");
                        daemon.drain();
                    }
                }
            }
            _ = signals.terminate.recv() => daemon.on_stop_signal("SIGTERM")?,
            _ = signals.interrupt.recv() => daemon.on_stop_signal("SIGINT")?,
            _ = signals.hang_up.recv() => {
                let daemon = daemon.clone();
                spawn_local(async move {
                    if let Err(failure) = daemon.reload().await {
                        tracing::error!(target: "xferd", "reload refused: {}", failure.to_string().replace('\n', "; "));
                    }
                });
            }
            () = daemon.stop_now.notified() => daemon.end_now(),
        }
    }
    while let Ok(one) = from_cores.try_recv() {
        batch.push(one);
    }
    daemon.on_reports(&mut batch);
    Ok(())
}

impl Daemon {
    fn ready_line(&self) -> String {
        let started = self.started.borrow();
        let listen: Vec<String> = started.listen.iter().map(ToString::to_string).collect();
        format!(
            "ready listen={} io={} cores={} state={}\n",
            listen.join(","),
            started.io,
            started.config.cores.value,
            crate::escape::shown(&started.config.state.value.to_string_lossy()),
        )
    }

    async fn perform(self: &Rc<Self>, command: Command) -> Result<Value, Failure> {
        match command {
            Command::Status => Ok(status::of_daemon(self).await),
            Command::Invite { account, ttl_ms, addresses } => self.invite(account, ttl_ms, &addresses).await,
            Command::Devices { after } => {
                self.ask_store(move |store| enrol::devices(store, after.as_deref())).await
            }
            Command::Explain { decision } => {
                self.ask_store(move |store| super::explain::explain(store, &decision)).await
            }
            Command::Keys { plugin, prefix, put, remove } => {
                super::keys::of_daemon(self, plugin, prefix, KeysChange { put, remove }).await
            }
            Command::Stored { share, account } => {
                let config = self.started.borrow().config.clone();
                let work = move |store: &mut Store| {
                    super::stored::shown(store, &config, share.as_deref(), account.as_deref())
                };
                self.ask_store(work).await
            }
            Command::Recount { share, after } => super::stored::recount(self, &share, after).await,
            Command::Group(act) => super::groups::of_daemon(self, act).await,
            Command::Reload => self.reload().await,
            Command::Stop { now: false } => {
                self.drain();
                Ok(json!({"stopping": true}))
            }
            Command::Stop { now: true } => {
                self.stop_now.notify_one();
                Ok(json!({"stopping": true}))
            }
        }
    }

    async fn invite(&self, account: String, ttl_ms: u64, named: &[String]) -> Result<Value, Failure> {
        let addresses = addresses::for_token(named, &self.started.borrow().listen, &self.shared.limits)?;
        tracing::info!(target: "xferd::audit", account = %crate::escape::shown(&account), ttl_ms, "invited");
        let enrol = self.shared.enrol.clone();
        self.ask_store(move |store| enrol.invite(store, &account, ttl_ms, &addresses)).await
    }

    /// Makes this hub a new certificate when that is due, and has the cores use it.
    async fn renew(&self) -> Result<(), Failure> {
        let state = self.started.borrow().config.state.value.clone();
        let limits = self.shared.limits.clone();
        let work = move |store: &mut Store| super::open::renew(&state, store, utc_ms(), &limits);
        let Some(renewed) = self.ask_store(work).await? else { return Ok(()) };
        let (certificate, trust) = (Some(&renewed.certificate), &renewed.trust);
        let identity = Identity { key: &renewed.key, certificate, trust };
        let limits = &self.shared.limits;
        if !self.cores.tell_all(|| CoreCommand::Handshake(Handshake(identity.handshake(limits, true)))) {
            return Err(Failure::new(Code::Busy, "a core's mailbox was full", "restart the daemon"));
        }
        let serial = renewed.certificate.claim().serial;
        tracing::info!(target: "xferd", serial, "certificate renewed");
        Ok(())
    }

    pub(super) async fn ask_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (to, got) = oneshot::channel();
        let busy = |error: state::AskError| Failure::new(Code::Busy, error.to_string(), "try again");
        self.shared.store.ask(work, move |result| drop(to.send(result))).map_err(busy)?;
        match got.await {
            Ok(Ok(result)) => result,
            Ok(Err(Gone)) | Err(_) => Err(Failure::new(Code::Unavailable, Gone.to_string(), "")),
        }
    }

    fn on_reports(self: &Rc<Self>, batch: &mut Vec<ToControl>) {
        let mut records = Vec::new();
        for one in batch.drain(..) {
            match one {
                ToControl::Report(report) => {
                    report.log();
                    if self.shared.plugins.observes() {
                        for happening in happenings::of(&report, utc_ms()) {
                            self.shared.plugins.happened(happening);
                        }
                    }
                    records.extend(report.audit(utc_ms()));
                }
                ToControl::Status { peer, reply } => {
                    let daemon = self.clone();
                    spawn_local(async move { reply.send(status::for_peer(&daemon, &peer).await) });
                }
            }
        }
        if records.is_empty() {
            return;
        }
        let count = records.len() as u64;
        let decisions = self.shared.decisions.clone();
        let kept = self.shared.store.ask(
            move |store| store.audit(&records),
            move |result| {
                if let Ok(Err(error)) = result {
                    decisions.lost.fetch_add(count, Ordering::Relaxed);
                    tracing::error!(target: "xferd::audit", "not kept: {error}");
                }
            },
        );
        if let Err(error) = kept {
            self.shared.decisions.lost.fetch_add(count, Ordering::Relaxed);
            tracing::error!(target: "xferd::audit", count, "not kept: {error}");
        }
    }

    /// First signal: drain. Second: at once.
    fn on_stop_signal(&self, name: &str) -> Result<(), Failure> {
        if self.draining.get() {
            tracing::warn!(target: "xferd", "second {name}: ending at once");
            let code = Code::Interrupted;
            return Err(Failure {
                exit: exit::SIGNAL,
                ..Failure::new(code, "ended at once by a second signal", "")
            });
        }
        tracing::info!(target: "xferd", "{name}: finishing what runs");
        self.drain();
        Ok(())
    }

    fn drain(&self) {
        if self.draining.replace(true) {
            return;
        }
        let deadline_ns = mono_ns().saturating_add(self.shared.limits.drain_ms.saturating_mul(1_000_000));
        if !self.cores.tell_all(|| CoreCommand::Drain { deadline_ns }) {
            tracing::warn!(target: "xferd", "a core's mailbox was full; ending at once");
            self.stop_now.notify_one();
        }
    }

    fn end_now(&self) {
        self.draining.set(true);
        self.cores.tell_all(|| CoreCommand::Stop);
    }

    /// Reads the configuration again; nothing changes unless all of it is right.
    async fn reload(self: &Rc<Self>) -> Result<Value, Failure> {
        let _alone = self.changing.lock().await;
        let flags = self.started.borrow().flags.clone();
        let read = tokio::task::spawn_blocking(move || crate::xferd_cli::load(&flags)).await;
        let config =
            read.map_err(|_| Failure::new(Code::InternalError, "the configuration could not be read", ""))??;
        let filter = crate::logs::filter(&config.log.value).map_err(|message| Failure::usage(message, ""))?;
        if config.shares.is_empty() {
            return Err(Failure::usage("nothing would be served", "name a root or [[share]]s"));
        }
        let generation = self.shared.rules.generation().wrapping_add(1);
        let before = self.shared.rules.in_force().policies;
        let state = self.started.borrow().config.state.value.clone();
        let (plugin, limits) = (config.plugin.clone(), self.shared.limits.clone());
        let at = state.clone();
        let kept =
            move |store: &mut Store| Ok((crate::plugins::keys(store, &at)?, super::groups::read(store)?));
        let (keys, groups) = self.ask_store(kept).await?;
        let load = move || {
            let policies =
                crate::plugins::load(&state, &plugin, &limits, generation, &keys, before.as_deref())?;
            Ok((policies, crate::plugins::lane_sources(&state, &plugin, &limits, &keys)?))
        };
        let unread = |_| Failure::new(Code::InternalError, "the plugins could not be read", "");
        let (policies, lanes) = tokio::task::spawn_blocking(load).await.map_err(unread)??;
        let held = self.started.borrow_mut().held.add(&config.shares);
        held.map_err(|failure| Failure { exit: exit::USAGE, ..failure })?;
        // Last of what may be refused: from here on the new ones run.
        let thread = self.shared.plugins.clone();
        let lanes = tokio::task::spawn_blocking(move || thread.reload(lanes)).await.map_err(unread)??;
        let mut started = self.started.borrow_mut();
        let restart = needs_restart(&started.config, &config);
        let shares = started.held.shares(&config.shares);
        self.shared.stored.serve(&config.shares);
        let plugins = policies.as_ref().map_or(Vec::new(), |set| set.status());
        let plugins: Vec<String> =
            plugins.iter().map(|plugin| plugin.name.to_string()).chain(lanes).collect();
        super::groups::warn_of_absent(&config, &groups);
        self.shared.known.regroup(groups.clone());
        self.shared.rules.replace(Authorizer::new(&config, groups, generation), policies);
        self.cores.tell_all(|| CoreCommand::Shares(shares.clone()));
        started.log.change(filter);
        started.config.shares = config.shares;
        started.config.count_stored = config.count_stored;
        started.config.rules = config.rules;
        started.config.plugin = config.plugin;
        started.config.log = config.log;
        tracing::info!(target: "xferd", generation, restart = restart.join(","), "configuration in force");
        Ok(json!({"generation": generation, "needs_restart": restart, "plugins": plugins}))
    }
}

/// What differs and is fixed at start.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let compared = [
        (old.cores.value != new.cores.value, "cores"),
        (old.listen.value != new.listen.value, "listen"),
        (old.io.value != new.io.value, "io"),
        (old.state.value != new.state.value, "state"),
        (old.limits != new.limits, "limits"),
        (old.log_format.value != new.log_format.value, "log.format"),
    ];
    compared.into_iter().filter(|(differs, _)| *differs).map(|(_, name)| name).collect()
}
