//! Peers that lie about pieces and copies: refused by code, the older file as it was.
// proves: O7, V1

use base::codes::Code;
use base::entry::{Entry, FileTime, Kind};
use base::ids::{ChunkIndex, FileIndex, TransferId, Value};
use base::limits::Limits;
use bytes::Bytes;
use proto::message::{Control, MessageId, Request};
use proto::transfer::ack::{Ack, AckRange};
use proto::transfer::chunk::root_of_bytes;
use proto::transfer::delta::copies::{self, CopyRow};
use proto::transfer::delta::pieces::{Pieces, Step};
use proto::transfer::delta::{Piece, PieceValue};
use proto::transfer::entries::{EntriesWriter, OwnerNames};
use proto::transfer::offer::{Command, Direction, Offer, Options};
use proto::transfer::want::{ChunkRange, Verdict, Want};
use proto::wire::{ChunkTrailer, Flags, FrameType};
use xferd_e2e::peer::utc_ms;
use xferd_e2e::{Peer, Seed, World};

const LIMITS: &Limits = &Limits::DEFAULT;
const SIZE: usize = 1 << 20;
const FILE: FileIndex = FileIndex(1);

fn content(seed: u64) -> Vec<u8> {
    let mut out = vec![0; SIZE];
    Seed(seed).fill(&mut out);
    out
}

fn offer(world: &World, direction: Direction) -> Peer {
    let mut peer = Peer::connect(world.daemon().addr, &world.client.state, None)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let (root, paths) = match direction {
        Direction::Push => ("/tree", Vec::new()),
        Direction::Pull => ("/", vec![b"tree".to_vec()]),
    };
    let offer = Offer {
        transfer: 1,
        id: TransferId([9; 16]),
        direction,
        command: Command::Sync,
        root: root.into(),
        paths,
        totals: None,
        streams: 1,
        into: false,
        options: Options { recursive: true, times: true, delta: true, ..Options::default() },
    };
    let id = MessageId::from_random([1; 16]);
    let payload = Bytes::from(offer.encode());
    let request = Request { id, protocol: "xferd.offer".into(), payload, metadata: None };
    peer.send(FrameType::Control, &Control::Request(request).encode(id, utc_ms()));
    peer
}

/// The next message of this type.
fn next(peer: &mut Peer, wanted: FrameType) -> Vec<u8> {
    loop {
        let (kind, data, _) = peer.receive().expect("the session stands");
        if kind == wanted {
            return data;
        }
    }
}

/// A daemon that holds `old`, and a peer whose file of the same size it wants as pieces; the whole list has come.
fn receiver(old: &[u8]) -> (World, Peer) {
    let world = World::new();
    std::fs::create_dir(world.root.join("tree")).expect("made");
    std::fs::write(world.root.join("tree/file"), old).expect("written");
    let mut peer = offer(&world, Direction::Push);
    let entry = |path: &[u8], kind| Entry {
        kind,
        chunk_log2: if kind == Kind::File { 20 } else { 0 },
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: if kind == Kind::File { SIZE as u64 } else { 0 },
        allocated: if kind == Kind::File { SIZE as u64 } else { 0 },
        mtime: FileTime { seconds: 1, nanos: 1 },
        path: path.to_vec(),
        target: Vec::new(),
    };
    let mut writer = EntriesWriter::new(LIMITS, 1, 0, 0);
    for (path, kind) in [(&b""[..], Kind::Directory), (b"file", Kind::File), (b"new", Kind::File)] {
        writer.push(&entry(path, kind), OwnerNames::default()).expect("fits");
    }
    peer.send(FrameType::Entries, &writer.finish(true, false));
    let want = Want::parse(&next(&mut peer, FrameType::Want), LIMITS).expect("a well-formed want");
    let verdicts: Vec<Verdict> = want.iter().map(|(_, verdict)| verdict.clone()).collect();
    assert!(matches!(verdicts[1], Verdict::Pieces { old_size, .. } if old_size == SIZE as u64));
    assert_eq!(verdicts[2], Verdict::All, "there is no older one");
    let mut listed = 0;
    loop {
        let pieces = Pieces::parse(&next(&mut peer, FrameType::Pieces), LIMITS).expect("a well-formed list");
        assert_eq!(pieces.file, FILE);
        listed += pieces.rows.iter().map(|row| row.length as usize).sum::<usize>();
        if pieces.step == Step::Last {
            break;
        }
    }
    assert_eq!(listed, SIZE, "the list covers the older file");
    (world, peer)
}

fn chunk(file: FileIndex, offset: u32, run: u32, flags: Flags, value: Value) -> [u8; ChunkTrailer::BYTES] {
    let value = if flags.last() { value } else { Value::default() };
    ChunkTrailer { value, transfer: 1, file, chunk: ChunkIndex(0), offset, run, flags }.encode()
}

#[test]
fn copies_of_what_is_not_there_are_refused() {
    let old = content(1);
    let size = SIZE as u64;
    let whole = vec![CopyRow { offset: 0, length: SIZE as u32 }];
    let cases: [(&str, FileIndex, Vec<CopyRow>, u32); 7] = [
        ("beyond the end", FILE, vec![CopyRow { offset: 1, length: SIZE as u32 }], SIZE as u32),
        ("far beyond the end", FILE, vec![CopyRow { offset: size, length: 1 }], 1),
        ("an end that overflows", FILE, vec![CopyRow { offset: u64::MAX, length: 2 }], 2),
        ("lengths that overflow", FILE, vec![CopyRow { offset: 0, length: u32::MAX }; 3], 2),
        ("another sum", FILE, vec![CopyRow { offset: 0, length: 10 }], 11),
        ("more than the chunk", FILE, vec![whole[0], whole[0]], 2 * SIZE as u32),
        ("of a file without an older one", FileIndex(2), whole, SIZE as u32),
    ];
    for (name, file, rows, run) in cases {
        let (world, mut peer) = receiver(&old);
        let last = if run == SIZE as u32 { Flags::COPY.with(Flags::LAST) } else { Flags::COPY };
        let trailer = chunk(file, 0, run, last, Value([1; 32]));
        peer.send_frame(FrameType::Chunk, &copies::encode(&rows), &trailer);
        assert_eq!(peer.closed(), Some(Code::InvalidRequest), "{name}");
        assert!(std::fs::read(world.root.join("tree/file")).expect("there") == old, "{name}");
        world.client.run(["ls", "lab:/"]).ok();
    }
    let (_world, mut peer) = receiver(&old);
    let trailer = chunk(FILE, 0, 1, Flags::COPY, Value::default());
    peer.send_frame(FrameType::Chunk, &[0; 11], &trailer);
    assert_eq!(peer.closed(), Some(Code::InvalidRequest), "a part of a row");
}

#[test]
fn an_older_file_that_changes_meanwhile_costs_the_chunk_and_no_more() {
    let old = content(2);
    let (world, mut peer) = receiver(&old);
    let changed = content(3);
    // Into the same file: the daemon holds it open.
    std::fs::write(world.root.join("tree/file"), &changed).expect("written");
    let value = root_of_bytes(&old);
    let rows = copies::encode(&[CopyRow { offset: 0, length: SIZE as u32 }]);
    let send = |peer: &mut Peer| {
        let flags = Flags::COPY.with(Flags::LAST);
        peer.send_frame(FrameType::Chunk, &rows, &chunk(FILE, 0, SIZE as u32, flags, value));
    };
    send(&mut peer);
    let want = Want::parse(&next(&mut peer, FrameType::Want), LIMITS).expect("a well-formed want");
    let asked: Vec<_> = want.iter().map(|(file, verdict)| (file, verdict.clone())).collect();
    let ranges = vec![ChunkRange { first: 0, count: 1 }];
    assert_eq!(asked, [(FILE, Verdict::Ranges(ranges))]);
    // Whole it holds, and only then it is acknowledged.
    for (at, record) in old.chunks(256 << 10).enumerate() {
        let last = (at + 1) * record.len() == SIZE;
        let flags = if last { Flags::LAST } else { Flags::NONE };
        peer.send_frame(FrameType::Chunk, record, &chunk(FILE, (at * record.len()) as u32, 0, flags, value));
    }
    // Others only give credit.
    let named = |peer: &mut Peer| {
        let ack = Ack::parse(&next(peer, FrameType::Ack), LIMITS).expect("a well-formed ack");
        ack.ranges().contains(&AckRange::Chunks { file: FILE, first: 0, count: 1 })
    };
    while !named(&mut peer) {}
    drop(peer);
    assert!(std::fs::read(world.root.join("tree/file")).expect("there") == changed, "nothing was sealed");

    // Who sends copies again instead is told that the content does not hold.
    let (world, mut peer) = receiver(&old);
    std::fs::write(world.root.join("tree/file"), &changed[..SIZE / 2]).expect("written shorter");
    send(&mut peer);
    next(&mut peer, FrameType::Want);
    send(&mut peer);
    assert_eq!(peer.closed(), Some(Code::Integrity));
    assert!(std::fs::read(world.root.join("tree/file")).expect("there") == changed[..SIZE / 2]);
}

/// A daemon that sends `new`, and a peer that was offered it.
fn sender(new: &[u8]) -> (World, Peer) {
    let world = World::new();
    std::fs::create_dir(world.root.join("tree")).expect("made");
    std::fs::write(world.root.join("tree/file"), new).expect("written");
    let mut peer = offer(&world, Direction::Pull);
    next(&mut peer, FrameType::Entries);
    (world, peer)
}

fn want(peer: &mut Peer, old_size: u64, log2: u8) {
    let mut want = Want::new(1, FileIndex(0));
    want.push(&Verdict::Made, LIMITS).expect("fits");
    want.push(&Verdict::Pieces { old_size, log2, ranges: Vec::new() }, LIMITS).expect("fits");
    peer.send(FrameType::Want, &want.encode());
}

fn list(step: Step, rows: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let row = |length| Piece { length, value: PieceValue([7; 16]) };
    Pieces { transfer: 1, file: FILE, step, rows: rows.into_iter().map(row).collect() }.encode()
}

#[test]
fn lists_that_lie_are_refused() {
    let new = content(4);
    let size = SIZE as u64;
    let lies: [(&str, Code, Vec<u8>); 7] = [
        ("pieces of one byte", Code::InvalidRequest, list(Step::More, [1; 100])),
        ("pieces of none", Code::InvalidRequest, list(Step::Last, [0])),
        ("longer than both ends cut", Code::TooLarge, list(Step::More, [40_000])),
        ("a length that overflows", Code::TooLarge, list(Step::More, [8192, u32::MAX])),
        ("more than the older file holds", Code::TooLarge, list(Step::More, [32_768; 33])),
        ("an order to stop from the receiver", Code::InvalidRequest, list(Step::Stop, [])),
        ("a row cut off", Code::InvalidRequest, list(Step::More, [8192])[..20].to_vec()),
    ];
    for (name, code, message) in lies {
        let (world, mut peer) = sender(&new);
        want(&mut peer, size, 13);
        peer.send(FrameType::Pieces, &message);
        assert_eq!(peer.closed(), Some(code), "{name}");
        world.client.run(["ls", "lab:/"]).ok();
    }
    // A list that goes on and on beside nothing that fits it: the delta is given up, and the list ignored.
    let (_world, mut peer) = sender(&new);
    want(&mut peer, 1 << 40, 23);
    (0..20).for_each(|_| peer.send(FrameType::Pieces, &list(Step::More, [4 << 20; 12_000])));
    let mut came = 0;
    while came < SIZE {
        came += next(&mut peer, FrameType::Chunk).len();
    }
    for (name, old_size, log2) in
        [("finer than both ends cut", size, 9), ("coarser", size, 40), ("no such size", u64::MAX, 13)]
    {
        let (_world, mut peer) = sender(&new);
        want(&mut peer, old_size, log2);
        assert!(peer.closed().is_some(), "{name}: closed without a code");
    }
}

#[test]
fn a_list_of_values_that_are_not_there_costs_nothing_but_itself() {
    let new = content(5);
    let (_world, mut peer) = sender(&new);
    want(&mut peer, SIZE as u64, 13);
    peer.send(FrameType::Pieces, &list(Step::Last, [8192; 128]));
    let mut came = 0;
    while came < SIZE {
        came += next(&mut peer, FrameType::Chunk).len();
    }
    assert_eq!(came, SIZE, "everything travels as data");
}

#[test]
fn a_chunk_is_asked_for_once_more_and_not_for_ever() {
    let new = content(6);
    let (_world, mut peer) = sender(&new);
    want(&mut peer, SIZE as u64, 13);
    // The true pieces, so that the chunk travels as copies.
    let fineness =
        proto::transfer::delta::Fineness::of(SIZE as u64, SIZE as u64, LIMITS).expect("fine enough");
    let mut cutter = proto::transfer::delta::cut::Cutter::new(fineness);
    let mut message = Pieces::new(1, FILE, Step::Last);
    cutter.feed(&new, |piece| message.rows.push(piece));
    message.rows.extend(cutter.finish());
    peer.send(FrameType::Pieces, &message.encode());
    let rows = copies::parse(&next(&mut peer, FrameType::Chunk), SIZE as u32, SIZE as u64);
    assert_eq!(rows, Ok(vec![CopyRow { offset: 0, length: SIZE as u32 }]));
    let mut again = Want::new(1, FILE);
    again.push(&Verdict::Ranges(vec![ChunkRange { first: 0, count: 1 }]), LIMITS).expect("fits");
    peer.send(FrameType::Want, &again.encode());
    let mut came = Vec::new();
    while came.len() < SIZE {
        came.extend(next(&mut peer, FrameType::Chunk));
    }
    assert!(came == new, "whole, as data");
    peer.send(FrameType::Want, &again.encode());
    assert_eq!(peer.closed(), Some(Code::InvalidRequest));
}
