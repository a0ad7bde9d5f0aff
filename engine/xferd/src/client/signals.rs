//! Signals of a client: the first ends the job in order, the second at once.

use super::run::Heard;
use crate::failure::{Failure, plain};
use base::codes::{Code, exit};
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long the main thread may take to write the result after a second signal: its reader may have stopped.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Listens on a thread of its own, for as long as the process lives.
///
/// # Errors
/// The thread or its signals could not be had: exit 5.
pub(super) fn listen(to: SyncSender<Heard>) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::start(Code::Io, format!("signals cannot be heard: {}", plain(&error)), "")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(refused)?;
    drop(guard);
    let listen = move || {
        runtime.block_on(async move {
            let mut before = 0;
            loop {
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                    _ = hang_up.recv() => "SIGHUP",
                };
                // A full queue means that the main thread is busy writing; it must not hold a second signal up.
                let _ = to.try_send(Heard::Signal(name));
                before += 1;
                if before == 2 {
                    tokio::time::sleep(LAST_WORDS).await;
                    std::process::exit(i32::from(exit::SIGNAL));
                }
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(refused)?;
    Ok(())
}
