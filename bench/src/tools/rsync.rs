//! rsync against its own daemon: plain, and content is not verified beyond TCP's checksums.

use super::{How, Job, Share, Tool};
use crate::ground::{Area, Ground, Spot};
use crate::measure::Kind;
use crate::process::{Kept, find, free_port, listens, until};
use std::process::{Command, Stdio};
use std::time::Duration;
use xferd_e2e::Depth;

/// A running rsync daemon; it ends when this is dropped.
pub struct Rsyncd {
    child: Kept,
    port: u16,
}

/// The flags of rsync for a job; `None` where it cannot do it.
pub(super) fn flags(job: &Job<'_>) -> Option<&'static [&'static str]> {
    Some(match job {
        Job::File { how: How::Fresh, .. } | Job::Fetch { .. } => &["-t"],
        Job::File { how: How::Synced, .. } => &["-t", "--fsync"],
        Job::File { how: How::InPlace, .. } => &["-t", "--inplace", "--whole-file", "--ignore-times"],
        Job::File { how: How::Delta, .. } => &["-t", "--no-whole-file", "--ignore-times"],
        Job::File { how: How::Resume, .. } => &["-t", "--append-verify"],
        Job::Tree { .. } => &["-a"],
    })
}

/// An rsync command for a job, with `remote` naming a spot of the far end.
pub(super) fn command(job: &Job<'_>, remote: impl Fn(&Spot) -> String) -> Option<Command> {
    let mut command = Command::new("rsync");
    command.args(flags(job)?);
    match job {
        Job::File { from, to, .. } => command.arg(from).arg(remote(to)),
        Job::Tree { from, to } => command.arg(format!("{}/", from.display())).arg(remote(to)),
        Job::Fetch { from, to, .. } => command.arg(remote(from)).arg(to),
    };
    Some(command)
}

impl Rsyncd {
    /// Starts it, serving both areas.
    ///
    /// # Errors
    /// rsync is not installed, or its daemon does not start.
    pub(super) fn start(ground: &Ground) -> Result<Self, String> {
        let program = find("rsync").ok_or("rsync is not installed")?;
        let port = free_port()?;
        let config = ground.desk().join("rsyncd.conf");
        let identity = if rustix::process::geteuid().is_root() { "uid = 0\ngid = 0\n" } else { "" };
        let module = |area: Area| {
            format!("[{}]\npath = {}\nread only = no\n", area.share(), ground.served(area).display())
        };
        let modules = [module(Area::Memory), module(Area::Disk)].concat();
        std::fs::write(&config, format!("use chroot = no\n{identity}log file = /dev/null\n{modules}"))
            .map_err(|error| format!("{}: {error}", config.display()))?;
        let mut command = Command::new(program);
        command.args(["--daemon", "--no-detach", "--address=127.0.0.1"]);
        command.arg(format!("--port={port}")).arg(format!("--config={}", config.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = Kept(child.map_err(|error| format!("rsync --daemon: {error}"))?);
        until("rsync --daemon listens", Duration::from_secs(20), || listens(port))?;
        Ok(Self { child, port })
    }
}

impl Tool for Rsyncd {
    fn name(&self) -> String {
        "rsync daemon".into()
    }

    fn kind(&self) -> Kind {
        Kind::Plain
    }

    fn depth(&self) -> Depth {
        Depth::Archive
    }

    fn version(&self) -> Option<String> {
        super::first_line("rsync", "--version")
    }

    fn share(&self) -> Share {
        Share::Every
    }

    fn far(&self) -> Vec<u32> {
        vec![self.child.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let port = self.port;
        command(job, |spot| format!("rsync://127.0.0.1:{port}/{}/{}", spot.area.share(), spot.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_takes_a_file_and_ends_when_dropped() {
        let scratch = tempfile::tempdir().expect("a folder");
        let ground = Ground::new(scratch.path()).expect("made");
        let daemon = match Rsyncd::start(&ground) {
            Ok(daemon) => daemon,
            Err(reason) => {
                println!("skipped: the_daemon_takes_a_file_and_ends_when_dropped: {reason}");
                return;
            }
        };
        let (from, to) = (scratch.path().join("file"), ground.spot(Area::Disk, "file"));
        std::fs::write(&from, "content").expect("written");
        let mut command =
            daemon.command(&Job::File { from: &from, to: &to, how: How::Fresh }).expect("it can do that");
        crate::process::run(&mut command).expect("it works");
        assert_eq!(std::fs::read(&to.path).expect("there"), b"content");
        let port = daemon.port;
        drop(daemon);
        assert!(!listens(port));
    }
}
