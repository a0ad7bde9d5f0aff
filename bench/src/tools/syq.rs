//! syq, a parallel copier of its own protocol: it starts its far end over ssh and moves data over encrypted TCP.

use super::ssh::Sshd;
use super::{How, Job, Share, Tool};
use crate::ground::Ground;
use crate::measure::Kind;
use crate::process::find;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

/// syq with caches of its own, at its defaults.
pub(super) struct Syq {
    sshd: Rc<Sshd>,
    program: PathBuf,
    home: PathBuf,
}

/// Where `cargo xtask setup --bench` puts it, as this variable says.
const FOLDER: &str = "XFERD_BENCH_PEERS";

impl Syq {
    /// Against this server.
    ///
    /// # Errors
    /// It is not installed.
    pub(super) fn new(ground: &Ground, sshd: &Rc<Sshd>) -> Result<Self, String> {
        let own = std::env::var_os(FOLDER).map(|folder| PathBuf::from(folder).join("syq"));
        let program = own.filter(|path| path.is_file()).or_else(|| find("syq"));
        let program = program.ok_or("syq is not installed: cargo xtask setup --bench")?;
        let home = ground.desk().join("syq");
        std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        Ok(Self { sshd: Rc::clone(sshd), program, home })
    }
}

impl Tool for Syq {
    fn name(&self) -> String {
        "syq".into()
    }

    fn kind(&self) -> Kind {
        Kind::Encrypted
    }

    fn version(&self) -> Option<String> {
        let out = Command::new(&self.program).arg("--version").output().ok()?;
        String::from_utf8_lossy(&out.stdout).lines().next().map(str::to_owned)
    }

    fn share(&self) -> Share {
        Share::Every
    }

    fn far(&self) -> Vec<u32> {
        vec![self.sshd.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let mut command = Command::new(&self.program);
        command.env("HOME", &self.home).env("XDG_RUNTIME_DIR", &self.home).env("DO_NOT_TRACK", "1");
        command.arg("cp").args(["--rsh", &self.sshd.shell()]).arg("--syq-path").arg(&self.program);
        match job {
            Job::File { how: How::Synced, .. } => return None,
            Job::File { from, to, how } => {
                command.args((*how == How::InPlace).then_some("--inplace"));
                command.arg(from).args(["--to", "127.0.0.1"]).arg("--as").arg(&to.path)
            }
            Job::Tree { from, to } => {
                command.arg("--srcs-in").arg(from).args(["--to", "127.0.0.1"]).arg("--into").arg(&to.path)
            }
            Job::Fetch { from, to, .. } => {
                command.args(["--from", "127.0.0.1"]).arg(&from.path).arg("--as").arg(to)
            }
        };
        Some(command)
    }
}
