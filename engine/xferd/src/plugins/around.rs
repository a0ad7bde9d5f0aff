//! What the plugin thread is given of the daemon: the time, the store, the log.

use crate::clock::{mono_ns, utc_ms};
use crate::escape::shown;
use crate::server::events::Report;
use base::io::Now;
use host::{Around, Candidate, Deed, LogLine};
use state::{Gone, StoreHandle};

/// The daemon around its plugins.
pub(super) struct Daemon {
    pub(super) store: StoreHandle,
}

impl Around for Daemon {
    fn now(&mut self) -> Now {
        Now { mono_ns: mono_ns(), utc_ms: utc_ms() }
    }

    fn apply(&mut self, plugin: &str, deeds: Vec<Deed>) -> Result<(), String> {
        let changes = super::keys::changes(&deeds);
        if !changes.is_empty() {
            let name = plugin.to_owned();
            let stored = self.store.wait(move |store| store.change_plugin_keys(&name, &changes, utc_ms()));
            match stored {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(error.to_string()),
                Err(Gone) => return Err(Gone.to_string()),
            }
        }
        for deed in deeds {
            match deed {
                Deed::Found(found) => found.iter().for_each(|candidate| told_of(plugin, candidate)),
                Deed::Lost(peer) => {
                    tracing::info!(target: "xferd::discovery", plugin, device = %peer.short(), "peer withdrawn");
                }
                Deed::KvPut { .. } | Deed::KvRemove { .. } | Deed::Answer { .. } => {}
            }
        }
        Ok(())
    }

    fn log(&mut self, lines: Vec<LogLine>) {
        lines.iter().for_each(|line| Report::of_plugin(line).log());
    }
}

fn told_of(plugin: &str, candidate: &Candidate) {
    let device = candidate.peer.map(|peer| peer.short().to_string()).unwrap_or_default();
    tracing::info!(target: "xferd::discovery", plugin, device, address = %shown(&candidate.address),
        port = candidate.port, ttl_ms = candidate.ttl_ms, "candidate");
}
