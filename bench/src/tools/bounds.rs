//! What no tool can pass: the same files copied without a network, the same bytes sent without files.

use super::{How, Job, Tool, first_line};
use crate::ground::Area;
use crate::measure::Kind;
use crate::process::{Kept, find, free_port, listens, until};
use std::process::{Command, Stdio};
use std::time::Duration;
use xferd_e2e::Depth;

/// `cp`.
pub(super) struct Cp;

impl Tool for Cp {
    fn name(&self) -> String {
        "cp".into()
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn depth(&self) -> Depth {
        Depth::Archive
    }

    fn is_incremental(&self) -> bool {
        false
    }

    fn far(&self) -> Vec<u32> {
        Vec::new()
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let mut command = Command::new("cp");
        match job {
            Job::File { from, to, how: How::Fresh } => command.arg(from).arg(&to.path),
            Job::Tree { from, to } => command.arg("-a").arg(from).arg(&to.path),
            Job::File { .. } | Job::Fetch { .. } => return None,
        };
        Some(command)
    }
}

/// iperf3: as many bytes as the job has, from memory to nowhere.
pub(super) struct Iperf {
    child: Kept,
    port: u16,
}

impl Iperf {
    /// Starts its server.
    ///
    /// # Errors
    /// It is not installed or does not start.
    pub(super) fn start() -> Result<Self, String> {
        let program = find("iperf3").ok_or("iperf3 is not installed")?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["-s", "-B", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = Kept(child.map_err(|error| format!("iperf3: {error}"))?);
        until("iperf3 listens", Duration::from_secs(20), || listens(port))?;
        Ok(Self { child, port })
    }
}

impl Tool for Iperf {
    fn name(&self) -> String {
        "iperf3".into()
    }

    fn kind(&self) -> Kind {
        Kind::Ceiling
    }

    fn keeps_content(&self) -> bool {
        false
    }

    fn version(&self) -> Option<String> {
        first_line("iperf3", "--version")
    }

    fn far(&self) -> Vec<u32> {
        vec![self.child.0.id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let Job::File { from, to, how: How::Fresh } = job else { return None };
        if to.area != Area::Memory {
            return None;
        }
        let bytes = std::fs::metadata(from).ok()?.len();
        let mut command = Command::new("iperf3");
        command.args(["-c", "127.0.0.1", "-p", &self.port.to_string(), "-n", &bytes.to_string()]);
        Some(command)
    }
}
