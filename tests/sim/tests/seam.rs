//! What `SimIo` does beyond the conformance suite: the faults, one by one, and the network's endings.

#![allow(clippy::unwrap_used)] // a test's own mistakes may panic

use base::hooks::{Answer, Call, Hooks, Peer, Psk, Reply, StoreAsk, Ticket, Trust};
use base::ids::{CoreId, DeviceId, PskId, SessionId};
use base::io::{Act, ActOut, Batch, Done, Errno, Fd, How, Io, Op, Out, Token};
use base::limits::Limits;
use base::name::{Name, RelPath};
use sim::buffers::SimBuf;
use sim::disk::View;
use sim::faults::{FaultKind, FaultPlan};
use sim::hooks::{SharedOffice, SimHooks};
use sim::io::SimIo;
use sim::world::{At, EndId, World, WorldConfig};
use std::sync::Arc;

const PORT: u16 = 7440;

/// Two machines of one core each, driven by hand: a turn waits by itself.
struct Pair {
    world: World,
    near: SimIo,
    far: SimIo,
    root: Fd,
    listener: Fd,
}

fn pair(plan: FaultPlan) -> Pair {
    let mut config = WorldConfig::two_ends(3, plan);
    config.blocking = true;
    config.ends.iter_mut().for_each(|end| end.cores = 1);
    let world = World::new(config);
    world.disk(EndId::CLIENT, |disk| disk.build_dir(b"root"));
    let near = world.boot(EndId::CLIENT).remove(0);
    let far = world.boot(EndId::DAEMON).remove(0);
    let root = world.open_dir(EndId::CLIENT, b"root");
    let listener = world.listen(far.at(), PORT);
    Pair { world, near, far, root, listener }
}

fn token(slot: u32) -> Token {
    Token::new(1, 0, slot)
}

/// Waits for one completion, at most a second of the world's time.
fn wait(io: &mut SimIo) -> Option<Done<SimBuf>> {
    let mut done = Vec::with_capacity(1);
    let until = io.stamp() + 1_000_000_000;
    while done.is_empty() && io.stamp() < until {
        io.turn(until, &mut done);
    }
    done.pop()
}

fn run(io: &mut SimIo, op: Op<SimBuf>) -> Done<SimBuf> {
    assert!(io.submit(token(1), op).is_ok());
    wait(io).expect("it ends")
}

impl Pair {
    fn connect(&mut self) -> (Fd, Fd) {
        let to = self.world.address(EndId::DAEMON, PORT);
        assert!(self.far.submit(token(1), Op::Accept { listener: self.listener }).is_ok());
        let Out::Connected(near) = run(&mut self.near, Op::Connect { to }).out else { panic!("connected") };
        let Out::Accepted { socket, .. } = wait(&mut self.far).expect("accepted").out else {
            panic!("accepted")
        };
        (near, socket)
    }

    fn send(&mut self, socket: Fd, bytes: &[u8]) -> Result<u32, Errno> {
        let mut buf = self.near.take().unwrap();
        buf.as_mut()[..bytes.len()].copy_from_slice(bytes);
        run(&mut self.near, Op::Send { socket, buf, at: 0, len: bytes.len() as u32, zc: false }).result
    }

    fn receive(&mut self, socket: Fd) -> Result<u32, Errno> {
        let buf = self.far.take().unwrap();
        run(&mut self.far, Op::Recv { socket, buf, at: 0, len: 4096 }).result
    }

    fn open(&mut self, name: &[u8], how: How) -> Result<ActOut, Errno> {
        let dir = self.root;
        self.act(|batch| {
            let path = batch.path(RelPath::new(name).unwrap());
            batch.push(Act::Open { dir, path, how });
        })
    }

    fn act(&mut self, build: impl FnOnce(&mut Batch<SimBuf>)) -> Result<ActOut, Errno> {
        let mut batch = Batch::new();
        build(&mut batch);
        self.near.act(&mut batch);
        batch.results[0]
    }

    fn make(&mut self, name: &[u8]) -> Fd {
        match self.open(name, How::Create { mode: 0o600 }) {
            Ok(ActOut::Fd(file)) => file,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, file: Fd, bytes: &[u8]) -> Result<u32, Errno> {
        let mut buf = self.near.take().unwrap();
        buf.as_mut()[..bytes.len()].copy_from_slice(bytes);
        let len = bytes.len() as u32;
        run(&mut self.near, Op::Write { file, offset: 0, buf, at: 0, len, uncached: false }).result
    }
}

fn only(kind: FaultKind) -> FaultPlan {
    FaultPlan::none().with(kind, 1, 1)
}

#[test]
fn errors_of_the_disk_strike_once_and_name_themselves() {
    let mut pair = pair(only(FaultKind::WriteError));
    let file = pair.make(b"f");
    assert_eq!(pair.write(file, b"x"), Err(Errno::IO));
    assert_eq!(pair.write(file, b"x"), Ok(1));
    assert_eq!(pair.world.counts().of(FaultKind::WriteError), 1);

    let mut pair = self::pair(only(FaultKind::NoSpace));
    assert_eq!(pair.open(b"f", How::Create { mode: 0o600 }), Err(Errno::NOSPC));

    let mut pair = self::pair(only(FaultKind::ReadError));
    let file = pair.make(b"f");
    let buf = pair.near.take().unwrap();
    let done = run(&mut pair.near, Op::Read { file, offset: 0, buf, at: 0, len: 1, uncached: false });
    assert_eq!(done.result, Err(Errno::IO));

    let mut pair = self::pair(only(FaultKind::ColdOpen));
    pair.make(b"f");
    assert_eq!(pair.open(b"f", How::Read), Err(Errno::AGAIN));
    assert!(pair.open(b"f", How::Read).is_ok());
}

#[test]
fn a_failed_fsync_is_not_made_good_by_another() {
    let mut pair = pair(only(FaultKind::SyncError));
    let file = pair.make(b"f");
    pair.write(file, &[7; 8192]).unwrap();
    assert_eq!(run(&mut pair.near, Op::Sync { file, data_only: true }).result, Err(Errno::IO));
    assert_eq!(run(&mut pair.near, Op::Sync { file, data_only: true }).result, Ok(0));
    let root = pair.root;
    assert_eq!(run(&mut pair.near, Op::Sync { file: root, data_only: false }).result, Ok(0));
    pair.world.disk(EndId::CLIENT, |disk| {
        assert_ne!(disk.image(b"root/f", View::Durable), disk.image(b"root/f", View::Visible));
    });
}

#[test]
fn a_cut_resets_both_ends_after_what_arrived() {
    let mut pair = pair(FaultPlan::none());
    let (near, far) = pair.connect();
    assert_eq!(pair.send(near, &[1; 100]), Ok(100));
    assert_eq!(pair.receive(far), Ok(100));
    let connection = pair.world.connections()[0];
    pair.world.cut(connection);
    assert_eq!(pair.receive(far), Err(Errno::CONNRESET));
    assert_eq!(pair.receive(far), Ok(0));
    assert_eq!(pair.send(near, b"x"), Err(Errno::CONNRESET));
    assert_eq!(pair.send(near, b"x"), Err(Errno::PIPE));
}

#[test]
fn a_full_pipe_holds_a_send_back_until_it_is_read() {
    let mut pair = pair(FaultPlan::none());
    let (near, far) = pair.connect();
    let mut sent = 0;
    loop {
        let buf = pair.near.take().unwrap();
        assert!(
            pair.near.submit(token(1), Op::Send { socket: near, buf, at: 0, len: 9000, zc: false }).is_ok()
        );
        match wait(&mut pair.near) {
            Some(done) => sent += done.result.unwrap(),
            None => break,
        }
    }
    assert!(sent > 9000);
    let mut got = 0;
    while got < sent {
        got += pair.receive(far).unwrap();
    }
    assert!(wait(&mut pair.near).is_some_and(|done| done.result.is_ok()));
}

#[test]
fn a_stalled_connection_goes_on_later() {
    let mut pair = pair(FaultPlan::none().with(FaultKind::Stall, 1, 1));
    let (near, far) = pair.connect();
    let begun = pair.world.now_ns();
    pair.send(near, b"x").unwrap();
    assert_eq!(pair.receive(far), Ok(1));
    assert!(pair.world.now_ns() - begun > 1_000_000);
}

#[test]
fn a_machine_without_power_is_silent_and_forgets() {
    let mut pair = pair(FaultPlan::none());
    let (near, _) = pair.connect();
    pair.world.lose_power(EndId::DAEMON);
    assert_eq!(pair.send(near, b"x"), Ok(1), "nobody says no");
    let to = pair.world.address(EndId::DAEMON, PORT);
    assert_eq!(run(&mut pair.near, Op::Connect { to }).result, Err(Errno::HOSTUNREACH));
    pair.far = pair.world.boot(EndId::DAEMON).remove(0);
    assert_eq!(pair.send(near, b"x"), Err(Errno::CONNRESET));
    assert_eq!(run(&mut pair.near, Op::Connect { to }).result, Err(Errno::CONNREFUSED));
}

#[test]
fn a_killed_process_ends_its_connections() {
    let mut pair = pair(FaultPlan::none());
    let (near, _) = pair.connect();
    pair.world.kill(EndId::DAEMON);
    let buf = pair.near.take().unwrap();
    assert_eq!(run(&mut pair.near, Op::Recv { socket: near, buf, at: 0, len: 10 }).result, Ok(0));
    let to = pair.world.address(EndId::DAEMON, PORT);
    assert_eq!(run(&mut pair.near, Op::Connect { to }).result, Err(Errno::CONNREFUSED));
}

#[test]
fn completions_overtake_each_other() {
    let mut pair = pair(FaultPlan::only(&[FaultKind::Reorder]));
    let due = pair.near.now().mono_ns;
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..20 {
        for slot in 0..4 {
            assert!(pair.near.submit(token(slot), Op::Timer { at_ns: due }).is_ok());
        }
        let order: Vec<u32> = (0..4).map(|_| wait(&mut pair.near).unwrap().token.slot()).collect();
        orders.insert(order);
    }
    assert!(orders.len() > 3);
    assert!(pair.world.counts().of(FaultKind::Reorder) > 0);
}

#[test]
fn an_edit_falls_between_the_two_stats_of_a_get() {
    let mut pair = pair(FaultPlan::none());
    pair.world.disk(EndId::CLIENT, |disk| disk.build_file(b"root/f", b"before"));
    pair.world.edit_in_get(EndId::CLIENT, b"root/f", |disk| {
        disk.build_symlink(b"root/by-the-way", b"x");
    });
    pair.world.edit_in_get(EndId::CLIENT, b"root/f", |disk| {
        let ino = disk.build_file(b"root/f", b"after!");
        disk.resize(ino, 3).unwrap();
    });
    let (dir, data) = (pair.root, pair.near.take());
    for expected in [6, 3] {
        let mut batch = Batch::new();
        batch.data = pair.near.take();
        let name = batch.name(Name::new(b"f").unwrap());
        batch.push(Act::Get { dir, name, at: 0, len: 100 });
        pair.near.act(&mut batch);
        let Ok(ActOut::Got { before, after, .. }) = batch.results[0] else { panic!("{:?}", batch.results) };
        assert_eq!((before.size, after.size), (6, expected));
    }
    drop(data);
    assert_eq!(pair.world.counts().of(FaultKind::EditInGet), 2);
}

#[test]
fn mistakes_of_a_core_are_named() {
    let mut pair = pair(FaultPlan::none());
    let file = pair.make(b"f");
    assert_eq!(run(&mut pair.near, Op::Close { fd: file }).result, Ok(0));
    assert_eq!(run(&mut pair.near, Op::Sync { file, data_only: true }).result, Err(Errno(9)));
    let far_away = pair.near.now().mono_ns + 1_000_000_000_000;
    for _ in 0..2 {
        assert!(pair.near.submit(token(1), Op::Timer { at_ns: far_away }).is_ok());
    }
    assert_eq!(pair.world.violations().len(), 2);
}

#[test]
fn hooks_answer_later_and_their_queue_is_bounded() {
    let pair = pair(FaultPlan::none());
    let office = SharedOffice::default();
    let (id, psk) = (PskId([1; 16]), Psk { secret: [2; 32], expires_ms: u64::MAX });
    office.borrow_mut().secrets.insert(id, psk.clone());
    office.borrow_mut().replies.insert("echo".into(), Reply::Protocol(vec![1]));
    let mut io = pair.near;
    let mut hooks = SimHooks::new(io.line(), office, Limits::TINY.hook_queue_max);
    let peer = Peer {
        device: DeviceId([0; 32]),
        account: Arc::from("alice"),
        address: pair.world.address(EndId::DAEMON, 1),
        session: SessionId([0; 32]),
        trust: Trust::Certificate,
    };
    let call = |protocol| Call { protocol, payload: &[], metadata: None };
    assert!(matches!(hooks.request(Ticket(9), &peer, &call("none")), Answer::Now(Reply::Error { .. })));
    assert!(hooks.store(Ticket(1), StoreAsk::Psk(id)).is_ok());
    assert!(matches!(hooks.request(Ticket(2), &peer, &call("echo")), Answer::Later));
    assert!(matches!(hooks.request(Ticket(3), &peer, &call("echo")), Answer::Busy));
    assert!(hooks.store(Ticket(4), StoreAsk::Psk(id)).is_err());

    let mut replies = Vec::new();
    while replies.len() < 2 {
        assert!(wait(&mut io).is_some_and(|done| matches!(done.out, Out::Woken)));
        hooks.poll(&mut replies);
    }
    replies.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(replies, [(Ticket(1), Reply::Psk(Some(psk))), (Ticket(2), Reply::Protocol(vec![1]))]);
    assert!(hooks.store(Ticket(5), StoreAsk::Psk(PskId([9; 16]))).is_ok());
    assert_eq!(io.at(), At { end: EndId::CLIENT, core: CoreId(0) });
}
