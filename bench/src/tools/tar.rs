//! tar over a plain socket: what moving a tree costs without a protocol.

use super::{How, Job, Share, Tool, first_line};
use crate::measure::Kind;
use crate::process::{find, free_port};
use std::cell::Cell;
use std::process::Command;
use xferd_e2e::Depth;

/// Shell commands that write a job's files to standard output, and make them of standard input.
pub(super) fn halves(job: &Job<'_>) -> Option<(String, String)> {
    match job {
        Job::File { from, to, how: How::Fresh } => {
            let (name, folder) = (from.file_name()?.to_str()?, to.path.parent()?.display());
            // tar has no way to give another name to what it finds.
            if name != to.name {
                return None;
            }
            let source = from.parent()?.display();
            Some((format!("tar -C {source} -cf - {name}"), format!("tar -C {folder} -xf -")))
        }
        Job::Tree { from, to } => {
            let (source, folder) = (from.display(), to.path.display());
            Some((format!("tar -C {source} -cf - ."), format!("mkdir -p {folder} && tar -C {folder} -xf -")))
        }
        Job::File { .. } | Job::Fetch { .. } => None,
    }
}

/// tar piped through netcat.
pub(super) struct TarNc {
    port: Cell<u16>,
}

/// The tool.
///
/// # Errors
/// There is no netcat that ends with its input.
pub(super) fn start() -> Result<TarNc, String> {
    find("nc").ok_or("nc (netcat-openbsd) is not installed")?;
    let out = Command::new("nc").arg("-h").output().map_err(|error| format!("nc: {error}"))?;
    let said = [out.stdout, out.stderr].concat();
    if !String::from_utf8_lossy(&said).contains("-N") {
        return Err("nc is not netcat-openbsd: it has no -N".into());
    }
    Ok(TarNc { port: Cell::new(0) })
}

impl Tool for TarNc {
    fn name(&self) -> String {
        "tar | nc tar".into()
    }

    fn kind(&self) -> Kind {
        Kind::Plain
    }

    fn depth(&self) -> Depth {
        Depth::Content
    }

    fn is_incremental(&self) -> bool {
        false
    }

    fn version(&self) -> Option<String> {
        first_line("tar", "--version")
    }

    fn share(&self) -> Share {
        Share::Every
    }

    fn far(&self) -> Vec<u32> {
        Vec::new()
    }

    fn receiver(&self, job: &Job<'_>) -> Option<(Command, u16)> {
        let (_, unpack) = halves(job)?;
        let port = free_port().ok()?;
        self.port.set(port);
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("nc -l 127.0.0.1 {port} | ({unpack})"));
        Some((command, port))
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let (pack, _) = halves(job)?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{pack} | nc -N 127.0.0.1 {}", self.port.get()));
        Some(command)
    }
}
