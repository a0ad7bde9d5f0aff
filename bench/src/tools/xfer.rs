//! xfer and xferd, as anybody runs them: `xferd --cores 2`, state on disk.

use super::{How, Job, Share, Tool};
use crate::Outcome;
use crate::ground::{Area, Ground};
use crate::measure::Kind;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use xferd_e2e::package::{Package, xferd};
use xferd_e2e::{Client, Depth, Scratch, World};

/// The ways in which we take part: the first is the one that ratios are of. rsync does not sync, so neither does that.
pub(super) const WAYS: &[(&str, &[&str])] = &[
    ("xfer", &["--durability", "none"]),
    ("xfer, durable", &[]),
    ("xfer, transport", &["--durability", "none", "--verify", "transport"]),
];

/// Clients that a daemon has: as many as pull at once in any workload.
pub(super) const CLIENTS: usize = 16;

/// One way to run xfer.
pub struct Xfer {
    name: String,
    arguments: Vec<String>,
    world: Rc<World>,
    clients: Rc<Vec<Client>>,
    help: String,
}

/// rsync's words for whether pieces of what is there may be kept, where this build has them: the same as rsync is told.
fn delta_flag(how: How, help: &str) -> Option<&'static str> {
    let flag = match how {
        How::InPlace => "--whole-file",
        How::Delta => "--no-whole-file",
        How::Fresh | How::Resume | How::Synced => return None,
    };
    help.contains(flag).then_some(flag)
}

/// A daemon on so many cores that serves both areas of the ground, and a client that joined it.
pub(super) fn world(ground: &Ground, cores: u16) -> Rc<World> {
    configured(ground, cores, "")
}

/// The same with further configuration.
fn configured(ground: &Ground, cores: u16, further: &str) -> Rc<World> {
    let share = |area: Area| {
        format!("[[share]]\nname = \"{}\"\npath = \"{}\"\n", area.share(), ground.served(area).display())
    };
    let shares = [share(Area::Memory), share(Area::Disk), further.to_owned()].concat();
    Rc::new(World::shares_with(Scratch::below(ground.desk()), &shares, |start| start.cores(cores)))
}

/// So many devices that joined, each with a state of its own.
pub(super) fn clients(world: &World, count: usize) -> Rc<Vec<Client>> {
    let further = (1..count).map(|index| world.further_client(&format!("client-{index}")));
    Rc::new(std::iter::once(world.client.clone()).chain(further).collect())
}

impl Xfer {
    /// xfer with these arguments against this daemon.
    pub(super) fn new(name: &str, arguments: &[&str], world: &Rc<World>, clients: &Rc<Vec<Client>>) -> Self {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        let out = xferd_e2e::program::command("xfer").args(["copy", "--help"]).output();
        let help = out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
        Self { name: name.to_owned(), arguments, world: Rc::clone(world), clients: Rc::clone(clients), help }
    }

    /// The first way, against a daemon of its own on so many cores.
    pub fn on_cores(name: &str, ground: &Ground, cores: u16) -> Self {
        let world = world(ground, cores);
        let clients = clients(&world, CLIENTS);
        Self::new(name, WAYS[0].1, &world, &clients)
    }

    /// The first way, against a daemon of its own that took these plugins in.
    ///
    /// # Errors
    /// One of them is not taken in.
    pub fn with_plugins(name: &str, ground: &Ground, packages: &[Package]) -> Outcome<Self> {
        let world = world(ground, 2);
        for package in packages {
            let said = package.install(&world);
            if !said.ok {
                return Err(said.text);
            }
        }
        let reloaded = xferd(&world, &["plugin", "reload"]);
        if !reloaded.ok {
            return Err(reloaded.text);
        }
        let clients = clients(&world, 1);
        Ok(Self::new(name, WAYS[0].1, &world, &clients))
    }
}

/// A daemon for more sessions of one address than a stranger may have, and devices that joined it.
pub struct Crowd {
    world: Rc<World>,
    clients: Rc<Vec<Client>>,
}

impl Crowd {
    /// On two cores.
    pub fn new(ground: &Ground) -> Self {
        let world = configured(ground, 2, "[limits]\nconnections_per_address_max = 8192\n");
        let clients = clients(&world, CLIENTS);
        Self { world, clients }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.world.daemon().addr.to_string()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.world.daemon().id()
    }

    /// The states of the devices.
    pub fn states(&self) -> Vec<&Path> {
        self.clients.iter().map(|client| client.state.as_path()).collect()
    }
}

impl Tool for Xfer {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn kind(&self) -> Kind {
        Kind::Ours
    }

    fn depth(&self) -> Depth {
        Depth::Archive
    }

    fn version(&self) -> Option<String> {
        let out = xferd_e2e::program::command("xfer").arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    fn share(&self) -> Share {
        Share::Every
    }

    fn far(&self) -> Vec<u32> {
        vec![self.world.daemon().id()]
    }

    fn command(&self, job: &Job<'_>) -> Option<Command> {
        let remote = |spot: &crate::ground::Spot| format!("lab:/{}/{}", spot.area.share(), spot.name);
        let mut command = xferd_e2e::program::command("xfer");
        let client = match job {
            Job::Fetch { client, .. } => self.clients.get(*client)?,
            _ => self.clients.first()?,
        };
        command.arg("--state").arg(&client.state);
        match job {
            Job::File { how: How::Synced, .. } => return None,
            Job::File { from, to, how } => {
                command.arg("copy").args(&self.arguments);
                command.args((*how == How::InPlace).then_some("--inplace"));
                command.args(delta_flag(*how, &self.help));
                command.arg(from).arg(remote(to));
            }
            Job::Tree { from, to } => {
                command.args(["sync", "-a"]).args(&self.arguments);
                command.arg(format!("{}/", from.display())).arg(remote(to));
            }
            Job::Fetch { from, to, .. } => {
                command.arg("copy").args(&self.arguments).arg(remote(from)).arg(to);
            }
        }
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_is_asked_for_as_of_rsync() {
        let help = "  --whole-file  ...\n  --no-whole-file  ...";
        assert_eq!(delta_flag(How::InPlace, help), Some("--whole-file"));
        assert_eq!(delta_flag(How::Delta, help), Some("--no-whole-file"));
        assert_eq!(delta_flag(How::Delta, ""), None);
        assert_eq!(delta_flag(How::Fresh, help), None);
    }
}
