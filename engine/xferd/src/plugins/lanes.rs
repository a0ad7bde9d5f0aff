//! Handlers, observers and discovery plugins of the daemon: which run, what they serve, and the way to them.
//!
//! ```text
//! core ─ request ─▶ call ──┐                        ┌─▶ Reply to the core
//! control ─ report ▶ happened ┼─▶ plugin thread ────┤
//! control ─ reload ▶ reload ──┘   one call at a time └─▶ keys to the store, lines to the log
//! ```

use super::around::Daemon;
use super::load::{host, refused};
use crate::clock::mono_ns;
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::hooks::{Call, Peer, Reply, Trust};
use base::ids::DeviceId;
use base::io::Now;
use base::limits::Limits;
use host::{
    Answer, Buckets, Happening, Identity, Invocation, Lane, Lanes, LanesHandle, Next, PluginError,
    PluginStatus, PolicySource, Runtime, Spec, Value, Watch, covers,
};
use proto::message::is_protocol_name;
use state::StoreHandle;
use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Room of an envelope around a body.
const ENVELOPE_BYTES: usize = 512;

/// What the plugins of the thread serve and want; replaced whole.
#[derive(Default)]
struct Table {
    /// What a protocol asks of a policy beside `invoke` of its name.
    protocols: BTreeMap<String, Arc<[String]>>,
    topics: Vec<String>,
    watches: Vec<Watch>,
    names: Vec<String>,
}

/// The thread, and what is known of it without asking it.
pub struct PluginThread {
    lanes: Mutex<Option<Lanes>>,
    handle: LanesHandle,
    table: Arc<RwLock<Arc<Table>>>,
    /// Calls of each device that wait for their answer.
    waiting: Arc<Mutex<BTreeMap<DeviceId, u32>>>,
    identity: Arc<dyn Identity>,
    local: Vec<(String, Value)>,
    limits: Arc<Limits>,
}

/// Why a call was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The queue is full.
    Busy,
    /// The device has as many calls without an answer as it may.
    TooMany {
        /// Most.
        most: u32,
    },
}

/// Whether an instance of it begins: it gets no keys and nothing it does is kept. What a discovery plugin is told of the
/// node is made up, because where the daemon listens is not known to whoever installs.
pub(super) fn try_out(
    runtime: &Runtime,
    source: PolicySource,
    buckets: &Arc<Buckets>,
) -> Result<(), PluginError> {
    struct Nobody;
    impl Identity for Nobody {
        fn me(&self) -> DeviceId {
            DeviceId::default()
        }
        fn claim(&self, _: &DeviceId, _: &str) -> Option<Value> {
            None
        }
        fn is_member(&self, _: &DeviceId, _: &[u8; 32]) -> bool {
            false
        }
        fn groups_of(&self, _: &DeviceId) -> Vec<[u8; 32]> {
            Vec::new()
        }
    }
    let now = Now { mono_ns: mono_ns(), utc_ms: crate::clock::utc_ms() };
    let local = vec![
        ("device".to_owned(), Value::Id([0; 32])),
        ("name".to_owned(), Value::Text("xferd".to_owned())),
        ("port".to_owned(), Value::Uint(7440)),
        ("addresses".to_owned(), Value::Texts(vec!["127.0.0.1".to_owned()])),
    ];
    Lane::new(runtime, source, buckets, Arc::new(Nobody), local, now).map(drop)
}

impl PluginThread {
    /// Starts the thread, without a plugin. `local` is what a discovery plugin is told of this node.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        store: StoreHandle,
        identity: Arc<dyn Identity>,
        local: Vec<(String, Value)>,
        limits: Arc<Limits>,
    ) -> Result<Arc<Self>, Failure> {
        let refused = |error: &std::io::Error| {
            Failure::start(Code::Io, format!("no thread for plugins: {}", plain(error)), "")
        };
        let lanes = Lanes::start(Vec::new(), Box::new(Daemon { store }), &limits);
        let lanes = lanes.map_err(|error| refused(&error))?;
        let handle = lanes.handle();
        Ok(Arc::new(Self {
            lanes: Mutex::new(Some(lanes)),
            handle,
            table: Arc::default(),
            waiting: Arc::default(),
            identity,
            local,
            limits,
        }))
    }

    /// Runs what is queued, then ends the thread.
    pub fn stop(&self) {
        drop(self.lanes.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the protocol asks of a policy beside `invoke` of its name; `None`: no plugin serves it.
    pub fn actions(&self, protocol: &str) -> Option<Arc<[String]>> {
        self.table().protocols.get(protocol).cloned()
    }

    /// What each plugin did.
    pub fn status(&self) -> Vec<PluginStatus> {
        self.table().watches.iter().map(Watch::status).collect()
    }

    /// Calls a protocol for a peer that may. `reply` runs on the plugin thread, once.
    ///
    /// # Errors
    /// It was not taken, and `reply` never runs.
    pub fn call(
        &self,
        from: &Peer,
        call: &Call<'_>,
        reply: impl FnOnce(Reply) + Send + 'static,
    ) -> Result<(), Refused> {
        let most = self.limits.plugin_calls_per_device_max;
        let device = from.device;
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let own = waiting.entry(device).or_default();
            if *own >= most {
                return Err(Refused::TooMany { most });
            }
            *own += 1;
        }
        let text = |text: &str| Value::Text(text.to_owned());
        let trust = match from.trust {
            Trust::Certificate => "certificate",
            Trust::JoinToken(_) => "token",
        };
        let invocation = Invocation {
            name: call.protocol.to_owned(),
            caller: device,
            arguments: Vec::new(),
            body: call.payload.to_vec(),
            facts: vec![
                ("account", text(&from.account)),
                ("address", text(&from.address.ip().to_string())),
                ("trust", text(trust)),
                ("transport", text("tcp")),
                ("protocol", text(call.protocol)),
            ],
        };
        let (waiting, room) = (self.waiting.clone(), self.limits.control_bytes_max as usize);
        let answered = move |answer| {
            done(&waiting, &device);
            reply(reply_of(answer, room));
        };
        self.handle.call(invocation, Box::new(answered)).map_err(|_| {
            done(&self.waiting, &device);
            Refused::Busy
        })
    }

    /// Whether any plugin wants events.
    pub fn observes(&self) -> bool {
        !self.table().topics.is_empty()
    }

    /// Tells whoever wants it. Where nobody keeps up it is dropped, and the plugin sees a gap.
    pub fn happened(&self, happening: Happening) {
        if covers(&self.table().topics, &happening.topic) {
            let _ = self.handle.happened(happening);
        }
    }

    /// Goes on with these plugins, all of them or as before. What did not change runs on; what did takes over the keys,
    /// and the state where both versions hand it over. Waits for calls that run.
    ///
    /// # Errors
    /// The first that cannot be taken in.
    pub fn reload(&self, sources: Vec<PolicySource>) -> Result<Vec<String>, Failure> {
        let (to, from) = sync_channel(1);
        let parts =
            Parts { identity: self.identity.clone(), local: self.local.clone(), limits: self.limits.clone() };
        let slot = self.table.clone();
        let make = move |lanes: &mut [Lane], now: Now| match parts.make(lanes, sources, now) {
            Ok((next, table)) => {
                let names = table.names.clone();
                *slot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
                let _ = to.send(Ok(names));
                Some(next)
            }
            Err(failure) => {
                let _ = to.send(Err(failure));
                None
            }
        };
        let busy = || Failure::new(Code::Busy, "the plugins have too much to do", "try again");
        self.handle.reload(make).map_err(|_| busy())?;
        from.recv().map_err(|_| Failure::new(Code::Unavailable, "the plugin thread has ended", ""))?
    }
}

/// One call less of this device.
fn done(waiting: &Mutex<BTreeMap<DeviceId, u32>>, device: &DeviceId) {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = waiting.get_mut(device) {
        *own -= 1;
        if *own == 0 {
            waiting.remove(device);
        }
    }
}

/// The answer for the wire. How a plugin failed is for its operator: the log has it.
fn reply_of(answer: Answer, room: usize) -> Reply {
    let Some(code) = answer.code() else {
        return match answer {
            Answer::Done(body) if body.len() + ENVELOPE_BYTES <= room => Reply::Success(Some(body)),
            Answer::Done(body) => Reply::Error {
                code: Code::TooLarge,
                message: format!("the plugin's answer of {} bytes does not fit a message", body.len()),
            },
            other => Reply::Error { code: Code::InternalError, message: other.to_string() },
        };
    };
    let message = match answer {
        Answer::Failed { plugin, fault } if !fault.is_timeout() => {
            format!("plugin {plugin} failed; the daemon's log says how")
        }
        Answer::NotStored(_) => "what the plugin did could not be stored; nothing of it remains".to_owned(),
        other => other.to_string(),
    };
    Reply::Error { code, message }
}

/// What lanes are made with.
struct Parts {
    identity: Arc<dyn Identity>,
    local: Vec<(String, Value)>,
    limits: Arc<Limits>,
}

impl Parts {
    fn make(
        &self,
        lanes: &mut [Lane],
        sources: Vec<PolicySource>,
        now: Now,
    ) -> Result<(Vec<Next>, Table), Failure> {
        let (mut next, mut table) = (Vec::new(), Table::default());
        for source in sources {
            let name = source.manifest.name.clone();
            let before = lanes.iter_mut().find(|lane| **lane.name() == *name);
            next.push(match before {
                Some(lane) if lane.is_of(&source) => {
                    table.add(lane)?;
                    Next::Same(lane.name().clone())
                }
                Some(lane) => {
                    let lane = lane.successor(source, now).map_err(|error| refused(error.to_string()))?;
                    table.add(&lane)?;
                    Next::New(Box::new(lane))
                }
                None => {
                    let host = host(&self.limits)?;
                    let (identity, local) = (self.identity.clone(), self.local.clone());
                    let lane = Lane::new(&host.runtime, source, &host.buckets, identity, local, now);
                    let lane = lane.map_err(|error| refused(error.to_string()))?;
                    table.add(&lane)?;
                    Next::New(Box::new(lane))
                }
            });
        }
        Ok((next, table))
    }
}

impl Table {
    fn add(&mut self, lane: &Lane) -> Result<(), Failure> {
        for Spec { name, actions, .. } in lane.specs() {
            let refuse = |why: &str| {
                Err(refused(format!(
                    "plugin {}: protocol {}: {why}",
                    lane.name(),
                    crate::escape::shown(name)
                )))
            };
            if !is_protocol_name(name) || name.starts_with("xferd.") {
                return refuse("a name has 1 to 64 of a-z 0-9 . _ - and does not begin with xferd.");
            }
            if self.protocols.insert(name.clone(), actions.as_slice().into()).is_some() {
                return refuse("another plugin serves it");
            }
        }
        self.topics.extend(lane.topics().iter().cloned());
        self.watches.push(lane.watch());
        self.names.push(lane.name().to_string());
        Ok(())
    }
}
