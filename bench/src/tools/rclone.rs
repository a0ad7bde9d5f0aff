//! rclone: pushing over sftp with its own implementation of ssh, and pulling over plain HTTP with four streams.

use super::ssh::Sshd;
use super::{How, Job, Tool, first_line};
use crate::ground::{Area, Ground};
use crate::measure::Kind;
use crate::process::{Kept, find, free_port, listens, until};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use xferd_e2e::Depth;

/// rclone with a configuration and caches of its own.
fn rclone(desk: &std::path::Path) -> Command {
    let mut command = Command::new("rclone");
    command.arg("--config").arg(desk.join("rclone.conf")).arg("--cache-dir").arg(desk.join("rclone.cache"));
    command.args(["--log-level", "ERROR"]);
    command
}

/// Whether it is there; its empty configuration is made.
///
/// # Errors
/// It is not installed.
fn prepare(ground: &Ground) -> Result<(), String> {
    find("rclone").ok_or("rclone is not installed")?;
    std::fs::write(ground.desk().join("rclone.conf"), "").map_err(|error| error.to_string())
}

/// Over sftp.
pub(super) struct RcloneSftp {
    sshd: Rc<Sshd>,
    desk: PathBuf,
}

impl RcloneSftp {
    /// Against this server.
    ///
    /// # Errors
    /// rclone is not installed.
    pub(super) fn new(ground: &Ground, sshd: &Rc<Sshd>) -> Result<Self, String> {
        prepare(ground)?;
        Ok(Self { sshd: Rc::clone(sshd), desk: ground.desk().to_owned() })
    }
}

impl Tool for RcloneSftp {
    fn name(&self) -> String {
        "rclone sftp".into()
    }

    fn kind(&self) -> Kind {
        Kind::Encrypted
    }

    fn depth(&self) -> Depth {
        Depth::Content
    }

    fn version(&self) -> Option<String> {
        first_line("rclone", "version")
    }

    fn far(&self) -> Vec<u32> {
        vec![self.sshd.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let mut command = rclone(&self.desk);
        match job {
            Job::File { from, to, how: How::Fresh } => {
                command.arg("copyto").arg(from).arg(format!(":sftp:{}", to.path.display()))
            }
            // At its default it starts a program at the far end for the hash of every file, which takes minutes.
            Job::Tree { from, to } => command
                .args(["copy", "--sftp-disable-hashcheck"])
                .arg(from)
                .arg(format!(":sftp:{}", to.path.display())),
            Job::File { .. } | Job::Fetch { .. } => return None,
        };
        let user =
            std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "root".into());
        command.args(["--sftp-host", "127.0.0.1", "--sftp-port", &self.sshd.port.to_string()]);
        command.args(["--sftp-user", &user, "--sftp-key-file"]).arg(self.sshd.folder.join("client"));
        Some(command)
    }
}

/// Over HTTP: the side that pushes elsewhere serves here, and the far end pulls.
pub(super) struct RcloneHttp {
    child: Kept,
    port: u16,
    sources: PathBuf,
    desk: PathBuf,
}

impl RcloneHttp {
    /// Serves what lies in memory.
    ///
    /// # Errors
    /// rclone is not installed or does not start.
    pub(super) fn start(ground: &Ground) -> Result<Self, String> {
        prepare(ground)?;
        let (port, sources) = (free_port()?, ground.sources(Area::Memory));
        let mut command = rclone(ground.desk());
        command.args(["serve", "http", "--read-only", "--addr", &format!("127.0.0.1:{port}")]).arg(&sources);
        // A listing must be as new as the files: each run brings others.
        command.args(["--dir-cache-time", "0s"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = Kept(child.map_err(|error| format!("rclone: {error}"))?);
        until("rclone listens", Duration::from_secs(20), || listens(port))?;
        Ok(Self { child, port, sources, desk: ground.desk().to_owned() })
    }
}

impl Tool for RcloneHttp {
    fn name(&self) -> String {
        "rclone http".into()
    }

    fn kind(&self) -> Kind {
        Kind::Plain
    }

    fn far(&self) -> Vec<u32> {
        vec![self.child.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let Job::File { from, to, how: How::Fresh } = job else { return None };
        let name = from.strip_prefix(&self.sources).ok()?;
        let mut command = rclone(&self.desk);
        command.arg("copyto").arg(format!(":http:{}", name.display())).arg(&to.path);
        command.arg("--http-url").arg(format!("http://127.0.0.1:{}/", self.port));
        command.args(["--multi-thread-streams", "4", "--multi-thread-cutoff", "64M"]);
        Some(command)
    }
}
