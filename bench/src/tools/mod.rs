//! Who moves files: each tool turns a job into a command line, and runs what far end it needs on loopback with a
//! configuration and keys of its own.

mod bounds;
mod rclone;
mod rsync;
mod ssh;
mod syq;
mod tar;
mod xfer;

use crate::ground::{Ground, Spot};
use crate::measure::Kind;
use std::path::Path;
use std::process::Command;
use xferd_e2e::Depth;

use ssh::Sshd;
use std::rc::Rc;

pub use rsync::Rsyncd;
pub use xfer::{Crowd, Xfer};

/// How a file meets what is under its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Nothing is there; each tool at its default.
    Fresh,
    /// The file there is written over.
    InPlace,
    /// What is there is nearly the same; only differences shall travel.
    Delta,
    /// A run that was killed left something.
    Resume,
    /// As `Fresh`, and synced before the command ends.
    Synced,
}

/// What is to be moved.
#[derive(Clone, Debug)]
pub enum Job<'a> {
    /// A file to the far end.
    File {
        /// The file here.
        from: &'a Path,
        /// Its name there.
        to: &'a Spot,
        /// How it is written.
        how: How,
    },
    /// A tree to the far end, made equal to the source.
    Tree {
        /// The folder here.
        from: &'a Path,
        /// Its name there.
        to: &'a Spot,
    },
    /// A file from the far end, under a name that is free.
    Fetch {
        /// Its name there.
        from: &'a Spot,
        /// The file here.
        to: &'a Path,
        /// Which of several clients does it.
        client: usize,
    },
}

/// In how many rounds a tool takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Share {
    /// In all: what is set out to be reached is stated against it.
    Every,
    /// In one.
    Once,
}

/// A way to move files.
pub trait Tool {
    /// Its name in the tables.
    fn name(&self) -> String;

    /// What it is compared as.
    fn kind(&self) -> Kind;

    /// What of a tree it keeps when asked to.
    fn depth(&self) -> Depth {
        Depth::Copied
    }

    /// Whether it compares before it sends.
    fn is_incremental(&self) -> bool {
        true
    }

    /// How it sends a file of which nothing is there yet, when what is left after a kill shall serve a later run.
    fn begins_with(&self) -> How {
        How::Resume
    }

    /// In how many rounds it takes part.
    fn share(&self) -> Share {
        Share::Once
    }

    /// Whether what it was given arrives as files.
    fn keeps_content(&self) -> bool {
        true
    }

    /// Which version of it this is, in one line.
    fn version(&self) -> Option<String> {
        None
    }

    /// Processes of its far end.
    fn far(&self) -> Vec<u32>;

    /// A far end for this job alone, and the port on which it listens once it is ready.
    fn receiver(&self, _job: &Job<'_>) -> Option<(Command, u16)> {
        None
    }

    /// The command that does the job; `None` where the tool has no way to do it.
    fn command(&self, job: &Job<'_>) -> Option<Command>;
}

/// A tool that takes no part, and why.
#[derive(Clone, Debug)]
pub struct Absent {
    /// Its name.
    pub name: String,
    /// Why it was not run.
    pub reason: String,
}

/// Every tool that can be run here, and the others.
pub struct Toolbox {
    /// Those that run.
    pub tools: Vec<Box<dyn Tool>>,
    /// Those that do not.
    pub absent: Vec<Absent>,
}

impl Toolbox {
    /// Starts what is installed. With `only`, tools whose name contains none of the words are left out, as if they
    /// did not exist; ours always runs.
    pub fn start(ground: &Ground, only: &[String]) -> Self {
        let mut found = Self { tools: Vec::new(), absent: Vec::new() };
        let wanted = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word.as_str()));
        let world = xfer::world(ground, 2);
        let clients = xfer::clients(&world, xfer::CLIENTS);
        for (name, arguments) in xfer::WAYS {
            if *name == "xfer" || wanted(name) {
                found.tools.push(Box::new(Xfer::new(name, arguments, &world, &clients)));
            }
        }
        if wanted("rsync daemon") {
            found.add("rsync daemon", Rsyncd::start(ground));
        }
        type OverSsh = fn(&Ground, &Rc<Sshd>) -> Result<Box<dyn Tool>, String>;
        let over_ssh: &[(&str, OverSsh)] = &[
            ("rsync + ssh", |_, sshd| Ok(Box::new(ssh::RsyncSsh(Rc::clone(sshd))))),
            ("syq", |ground, sshd| Ok(Box::new(syq::Syq::new(ground, sshd)?))),
            ("sftp", |_, sshd| Ok(Box::new(ssh::Sftp(Rc::clone(sshd))))),
            ("rclone sftp", |ground, sshd| Ok(Box::new(rclone::RcloneSftp::new(ground, sshd)?))),
            ("tar | ssh tar", |_, sshd| Ok(Box::new(ssh::TarSsh(Rc::clone(sshd))))),
        ];
        let over_ssh: Vec<_> = over_ssh.iter().filter(|(name, _)| wanted(name)).collect();
        let sshd = if over_ssh.is_empty() { Err(String::new()) } else { Sshd::start(ground) };
        for (name, start) in over_ssh {
            match sshd.as_ref().map_err(Clone::clone).and_then(|sshd| start(ground, sshd)) {
                Ok(tool) => found.tools.push(tool),
                Err(reason) => found.is_absent(name, reason),
            }
        }
        if wanted("rclone http") {
            found.add("rclone http", rclone::RcloneHttp::start(ground));
        }
        if wanted("tar | nc tar") {
            found.add("tar | nc tar", tar::start());
        }
        if wanted("cp") {
            found.add("cp", Ok(bounds::Cp));
        }
        if wanted("iperf3") {
            found.add("iperf3", bounds::Iperf::start());
        }
        found
    }

    fn add(&mut self, name: &str, tool: Result<impl Tool + 'static, String>) {
        match tool {
            Ok(tool) => self.tools.push(Box::new(tool)),
            Err(reason) => self.is_absent(name, reason),
        }
    }

    fn is_absent(&mut self, name: &str, reason: String) {
        self.absent.push(Absent { name: name.to_owned(), reason });
    }

    /// The versions of all of them, each once.
    pub fn versions(&self) -> Vec<String> {
        let mut found: Vec<String> = self.tools.iter().filter_map(|tool| tool.version()).collect();
        found.dedup();
        found
    }
}

/// The first line that a program prints when asked for its version.
fn first_line(program: &str, argument: &str) -> Option<String> {
    let out = Command::new(crate::process::find(program)?).arg(argument).output().ok()?;
    let said = if out.stdout.is_empty() { out.stderr } else { out.stdout };
    let text = String::from_utf8_lossy(&said);
    text.lines().next().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
}
