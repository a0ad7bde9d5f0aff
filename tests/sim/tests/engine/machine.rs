//! Two machines that run the real engine: a daemon that listens on two cores and a client with one job.
//!
//! The client runs its job again whenever it starts, until [`Machines::job`] is taken away; the daemon
//! recovers at each start. What ended is kept in [`Desk::ended`].

use crate::planted::{Planted, Tampered};
use crate::town::{self, HOME, JOURNAL, Opened, PORT, ROOT};
use base::hooks::FileAction;
use base::ids::{CoreId, TransferId};
use base::limits::Limits;
use shard::Shard;
use shard::command::{Command, Job, JobEnd, JobKind};
use shard::mailbox::{Addresses, Mail, mailboxes};
use shard::settings::Destination;
use sim::drive::{Drive, Turn};
use sim::hooks::{Seen, SharedOffice, SimHooks};
use sim::io::SimIo;
use sim::world::{At, EndId, Held, World};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

/// Makes the job from the client's open home directory.
pub(crate) type MakeJob = dyn Fn(base::io::Fd) -> JobKind;

/// What the test and the machines share.
#[derive(Default)]
pub(crate) struct Desk {
    /// What the client does at each start.
    pub(crate) job: Option<Rc<MakeJob>>,
    /// The mistake that the machines make.
    pub(crate) planted: Option<Planted>,
    /// How its last job ended.
    pub(crate) ended: Option<JobEnd>,
    addresses: [Option<Addresses>; 2],
    /// Cores of each end that closed everything since its start.
    pub(crate) over: [u16; 2],
    /// How many of an end's cores were told to close everything.
    told_to_stop: [u16; 2],
    /// What each end held once its cores had started and before they did anything.
    pub(crate) at_start: [Held; 2],
}

/// Two machines.
pub(crate) struct Machines {
    pub(crate) world: World,
    pub(crate) drive: Drive,
    pub(crate) desk: Rc<RefCell<Desk>>,
    pub(crate) offices: [SharedOffice; 2],
}

impl Machines {
    /// Machines that are off; the directories they need are there and durable.
    pub(crate) fn new(world: World, limits: Limits) -> Self {
        for end in [EndId::CLIENT, EndId::DAEMON] {
            world.disk(end, |disk| {
                for path in [ROOT, JOURNAL, HOME] {
                    disk.build_dir(path);
                }
                disk.settle();
            });
        }
        let desk = Rc::new(RefCell::new(Desk::default()));
        let offices = [SharedOffice::default(), SharedOffice::default()];
        let boot = boot(world.clone(), limits, Rc::clone(&desk), offices.clone());
        let drive = Drive::new(&world, boot);
        Self { world, drive, desk, offices }
    }

    /// Starts the client with this job.
    pub(crate) fn begin(&mut self, job: Rc<MakeJob>) {
        let mut desk = self.desk.borrow_mut();
        desk.job = Some(job);
        desk.ended = None;
        drop(desk);
        self.drive.start(EndId::CLIENT);
    }

    /// Tells every core of a machine to close everything; whether each did.
    pub(crate) fn is_closed(&self, end: EndId) -> bool {
        let at = usize::from(end.0);
        let mut desk = self.desk.borrow_mut();
        let Some(addresses) = desk.addresses[at].clone() else { return true };
        while desk.told_to_stop[at] < addresses.cores() {
            let core = CoreId(desk.told_to_stop[at]);
            if addresses.send(core, Mail::Command(Box::new(Command::Stop))).is_err() {
                break;
            }
            desk.told_to_stop[at] += 1;
            self.world.wake(At { end, core });
        }
        desk.over[at] == addresses.cores()
    }

    /// Sends a command to every core of a machine.
    pub(crate) fn command(&self, end: EndId, make: impl Fn() -> Command) {
        let addresses = self.desk.borrow().addresses[usize::from(end.0)].clone();
        let Some(addresses) = addresses else { return };
        for core in 0..addresses.cores() {
            let core = CoreId(core);
            assert!(addresses.send(core, Mail::Command(Box::new(make()))).is_ok(), "a mailbox has room");
            self.world.wake(At { end, core });
        }
    }
}

fn boot(
    world: World,
    limits: Limits,
    desk: Rc<RefCell<Desk>>,
    offices: [SharedOffice; 2],
) -> impl FnMut(EndId, Vec<SimIo>) -> Vec<Turn> {
    move |end, ios| {
        let cores = ios.len() as u16;
        let (boxes, addresses) = mailboxes(cores, &limits);
        let daemon = end == EndId::DAEMON;
        let mut opened = Opened {
            listener: None,
            journal: Some(world.open_dir(end, JOURNAL)),
            root: Some(world.open_dir(end, if daemon { ROOT } else { HOME })),
        };
        let mut turns: Vec<Turn> = Vec::new();
        for (io, mail) in ios.into_iter().zip(boxes) {
            let at = io.at();
            opened.listener = daemon.then(|| world.listen(at, PORT));
            let settings = town::settings(end, &limits, cores, &opened);
            let office = Rc::clone(&offices[usize::from(end.0)]);
            let hooks = SimHooks::new(io.line(), office, limits.hook_queue_max);
            let io = Tampered::new(io, desk.borrow().planted);
            let mut shard = Shard::new(settings, at.core, mail, io, hooks);
            let desk = Rc::clone(&desk);
            let mut over = false;
            turns.push(Box::new(move || {
                shard.turn();
                if let Some(ended) = shard.job_end() {
                    desk.borrow_mut().ended = Some(ended);
                }
                if shard.is_over() && !std::mem::replace(&mut over, true) {
                    desk.borrow_mut().over[usize::from(end.0)] += 1;
                }
            }));
        }
        let mut desk = desk.borrow_mut();
        (desk.over[usize::from(end.0)], desk.told_to_stop[usize::from(end.0)]) = (0, 0);
        desk.at_start[usize::from(end.0)] = world.held(end);
        if let Some(job) = desk.job.clone().filter(|_| !daemon) {
            let kind = job(opened.root.expect("opened above"));
            let destination = Destination {
                addresses: vec![world.address(EndId::DAEMON, PORT)],
                device: town::device_of(EndId::DAEMON),
                root: town::root(),
                retries: 0,
            };
            // Each run of the command has an id of its own, as the program's have.
            let mut id = TransferId::default();
            id.0[..8].copy_from_slice(&(world.turns() + 1).to_be_bytes());
            let job = Job { destination, join: None, id, kind };
            let sent = addresses.send(CoreId(0), Mail::Command(Box::new(Command::Job(Box::new(job)))));
            assert!(sent.is_ok(), "a mailbox that nobody wrote to has room");
            world.wake(At { end, core: CoreId(0) });
        }
        desk.addresses[usize::from(end.0)] = Some(addresses);
        turns
    }
}

impl Machines {
    /// What both ends said besides progress and files that did not fail, for a failure.
    pub(crate) fn said(&self) -> String {
        let mut out = String::new();
        for office in &self.offices {
            for (at, seen) in &office.borrow().seen {
                match seen {
                    Seen::SessionUp { .. } => {}
                    Seen::File { action: FileAction::Failed, path, code, .. } => {
                        let path = path.escape_ascii();
                        let _ = writeln!(out, "{}.{}: failed {path}: {code:?}", at.end.0, at.core.0);
                    }
                    Seen::Progress { .. } | Seen::File { .. } | Seen::Decided { .. } => {}
                    Seen::SessionDown { code, .. } => {
                        let _ = writeln!(out, "{}.{}: session down {code:?}", at.end.0, at.core.0);
                    }
                    seen => {
                        let _ = writeln!(out, "{}.{}: {seen:?}", at.end.0, at.core.0);
                    }
                }
            }
        }
        out
    }
}

/// The job's outcome as text, for a failure.
pub(crate) fn describe(ended: &Option<JobEnd>) -> String {
    match ended {
        None => "the job did not end".into(),
        Some(JobEnd { result: Ok(_), totals }) => format!("ended well: {totals:?}"),
        Some(JobEnd { result: Err(why), totals }) => format!("ended: {why:?}; {totals:?}"),
    }
}
