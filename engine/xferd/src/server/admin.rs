//! The daemon's end of `STATE/admin.sock`: one JSON object a line.

use crate::admin::{Answer, Command, Request, SCHEMA, SOCKET};
use crate::escape::shown;
use crate::failure::{Failure, plain};
use base::codes::Code;
use base::limits::Limits;
use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Connections at once.
const CONNECTIONS_MOST: usize = 64;

/// A command and where its answer goes.
pub struct Asked {
    /// What.
    pub command: Command,
    /// The one answer.
    pub answer: oneshot::Sender<Result<Value, Failure>>,
}

/// Binds the socket of a locked state directory: what lies there is a dead daemon's.
///
/// # Errors
/// The directory cannot be written.
pub fn bind(state: &Path) -> Result<std::os::unix::net::UnixListener, Failure> {
    let path = state.join(SOCKET);
    let refused = |error: std::io::Error| {
        Failure::start(Code::Io, format!("cannot make {}: {}", path.display(), plain(&error)), "")
    };
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(refused(error)),
        _ => {}
    }
    // A socket's address holds 107 bytes; a longer path goes through the directory's descriptor.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(state, flags, Mode::empty()).map_err(|errno| refused(errno.into()))?;
    let short = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd()));
    let listener = std::os::unix::net::UnixListener::bind(short).map_err(refused)?;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, private).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Takes the socket away: from here on there is no daemon to connect to.
pub fn unbind(state: &Path) {
    let _ = std::fs::remove_file(state.join(SOCKET));
}

/// Serves until the process ends. Each connection is held until its other end closes or the daemon is gone, so
/// that `xferd stop` can wait for that.
pub async fn serve(listener: UnixListener, asks: mpsc::Sender<Asked>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: the next accept would fail at once as well.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        if !may_connect(&stream) {
            tracing::warn!(target: "xferd::admin", "a connection of another user was refused");
            continue;
        }
        let asks = asks.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = connection(stream, asks).await {
                tracing::debug!(target: "xferd::admin", "{}", shown(&plain(&error)));
            }
            drop(place);
        });
    }
}

/// Only this user and root, whatever the socket's mode says.
fn may_connect(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn connection(stream: UnixStream, asks: mpsc::Sender<Asked>) -> std::io::Result<()> {
    let most = u64::from(Limits::DEFAULT.control_bytes_max);
    let (read, mut write) = stream.into_split();
    let mut reader = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        let count = (&mut reader).take(most).read_until(b'\n', &mut line).await?;
        if count == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_slice::<Request>(&line) {
            Ok(request) if request.schema == SCHEMA => {
                Answer::new(request.id, forward(request.command, &asks).await)
            }
            Ok(request) => {
                let message =
                    format!("schema {} is not spoken here; this daemon speaks {SCHEMA}", request.schema);
                Answer::new(
                    request.id,
                    Err(Failure::new(Code::Version, message, "use the xferd of this daemon")),
                )
            }
            Err(error) => {
                let message = format!("not a request: {}", shown(&error.to_string()));
                Answer::new(
                    0,
                    Err(Failure::new(Code::InvalidRequest, message, "send one JSON object a line")),
                )
            }
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        write.write_all(&text).await?;
        if !line.ends_with(b"\n") {
            // A line beyond the bound: what follows is not its next one.
            return Ok(());
        }
    }
}

async fn forward(command: Command, asks: &mpsc::Sender<Asked>) -> Result<Value, Failure> {
    let gone = || Failure::new(Code::Unavailable, "the daemon is ending", "");
    let (answer, got) = oneshot::channel();
    asks.send(Asked { command, answer }).await.map_err(|_| gone())?;
    got.await.map_err(|_| gone())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    #[test]
    fn a_socket_deep_in_a_long_path_is_private_and_answers() {
        let home = tempfile::tempdir().expect("temporary directory");
        let state = home.path().join("d".repeat(120));
        std::fs::create_dir(&state).expect("made");
        std::fs::write(state.join(SOCKET), "of a dead daemon").expect("written");
        let listener = bind(&state).expect("bound");
        let mode = std::fs::symlink_metadata(state.join(SOCKET)).expect("there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let (end, mut ended) = oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            tokio::task::LocalSet::new().block_on(&runtime, async move {
                let (asks, mut asked) = mpsc::channel(1);
                let listener = UnixListener::from_std(listener).expect("registered");
                tokio::task::spawn_local(serve(listener, asks));
                loop {
                    let Asked { command, answer } = tokio::select! {
                        Some(asked) = asked.recv() => asked,
                        _ = &mut ended => return,
                    };
                    let result = match command {
                        Command::Status => Ok(serde_json::json!({"running": true})),
                        other => Err(Failure::new(Code::Busy, format!("{other:?}"), "wait")),
                    };
                    let _ = answer.send(result);
                }
            });
        });
        let ask = |command| crate::admin::perform(state.clone(), &Flags::default(), &command);
        assert_eq!(ask(Command::Status).expect("answered")["running"], true);
        assert_eq!(ask(Command::Devices { after: None }).expect_err("refused").code, Code::Busy);
        drop(end);
        server.join().expect("ended");
    }
}
