//! Peers that lie in compressed records: refused by code, what is there stays, the daemon goes on.
// proves: O7, V1

use base::codes::Code;
use base::entry::{Entry, FileTime, Kind};
use base::ids::{ChunkIndex, FileIndex, TransferId, Value};
use base::limits::Limits;
use bytes::Bytes;
use proto::message::{Beat, Control, MessageId, Request};
use proto::transfer::ack::{Ack, AckRange};
use proto::transfer::chunk::root_of_bytes;
use proto::transfer::entries::{EntriesWriter, OwnerNames};
use proto::transfer::offer::{Command, Direction, Offer, Options};
use proto::transfer::pack::PackBuilder;
use proto::wire::{ChunkTrailer, Flags, FrameType, PackTrailer};
use xferd_e2e::peer::utc_ms;
use xferd_e2e::{Peer, World};

const LIMITS: &Limits = &Limits::DEFAULT;
const RECORD: usize = LIMITS.record_bytes as usize;
/// One record and a little more than half of one.
const SIZE: usize = RECORD + RECORD / 2 + 5;
const FILE: FileIndex = FileIndex(1);
const SMALL: FileIndex = FileIndex(2);
const OLD: &[u8] = b"what was there";

/// A daemon that holds older files, and a peer whose files it wants.
fn receiver(compress: bool) -> (World, Peer) {
    let world = World::new();
    std::fs::create_dir(world.root.join("tree")).expect("made");
    for name in ["file", "small"] {
        std::fs::write(world.root.join("tree").join(name), OLD).expect("written");
    }
    let mut peer = Peer::connect(world.daemon().addr, &world.client.state, None)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let offer = Offer {
        transfer: 1,
        id: TransferId([9; 16]),
        direction: Direction::Push,
        command: Command::Sync,
        root: "/tree".into(),
        paths: Vec::new(),
        totals: None,
        streams: 1,
        into: false,
        options: Options { recursive: true, times: true, compress, ..Options::default() },
    };
    let id = MessageId::from_random([1; 16]);
    let payload = Bytes::from(offer.encode());
    let request = Request { id, protocol: "xferd.offer".into(), payload, metadata: None };
    peer.send(FrameType::Control, &Control::Request(request).encode(id, utc_ms()));
    let entry = |path: &[u8], kind, size: u64, chunk_log2| Entry {
        kind,
        chunk_log2,
        mode: 0o755,
        uid: 0,
        gid: 0,
        size,
        allocated: size,
        mtime: FileTime { seconds: 1, nanos: 1 },
        path: path.to_vec(),
        target: Vec::new(),
    };
    let mut writer = EntriesWriter::new(LIMITS, 1, 0, 0);
    for entry in [
        entry(b"", Kind::Directory, 0, 0),
        entry(b"file", Kind::File, SIZE as u64, 20),
        entry(b"small", Kind::File, 1000, 0),
    ] {
        writer.push(&entry, OwnerNames::default()).expect("fits");
    }
    peer.send(FrameType::Entries, &writer.finish(true, false));
    next(&mut peer, FrameType::Want);
    (world, peer)
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

fn refused(world: &World, peer: Peer, code: Code, name: &str) {
    assert_eq!(peer.closed(), Some(code), "{name}");
    for file in ["file", "small"] {
        assert_eq!(std::fs::read(world.root.join("tree").join(file)).expect("there"), OLD, "{name}: {file}");
    }
    world.client.run(["ls", "lab:/tree"]).ok();
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|at| (at / 97) as u8).collect()
}

fn frame(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(content.len()));
    zstd_safe::compress(&mut out, content, 3).expect("it fits");
    out
}

fn trailer(offset: usize, run: u32, flags: Flags, content: &[u8]) -> [u8; ChunkTrailer::BYTES] {
    let value = if flags.last() { root_of_bytes(content) } else { Value::default() };
    let offset = offset as u32;
    ChunkTrailer { value, transfer: 1, file: FILE, chunk: ChunkIndex(0), offset, run, flags }.encode()
}

/// A pack that holds the small file.
fn pack(content: &[u8]) -> (Vec<u8>, PackTrailer) {
    let mut builder = PackBuilder::new(1, LIMITS);
    let mut area = vec![0; RECORD];
    let (slot, range) = builder.reserve(SMALL, content.len() as u32).expect("it fits");
    area[range.start as usize..range.end as usize].copy_from_slice(content);
    builder.commit(slot, content.len() as u32, FileTime { seconds: 1, nanos: 1 });
    let (len, trailer) = builder.finish(&mut area, Flags::ZSTD);
    area.truncate(len as usize);
    (area, trailer)
}

#[test]
fn an_honest_compressed_chunk_and_pack_are_taken() {
    let (_world, mut peer) = receiver(true);
    let content = content();
    let (first, second) = content.split_at(RECORD);
    peer.send_frame(FrameType::Chunk, &frame(first), &trailer(0, RECORD as u32, Flags::ZSTD, &content));
    let flags = Flags::ZSTD.with(Flags::LAST);
    peer.send_frame(FrameType::Chunk, &frame(second), &trailer(RECORD, second.len() as u32, flags, &content));
    let named = |peer: &mut Peer| {
        let ack = Ack::parse(&next(peer, FrameType::Ack), LIMITS).expect("a well-formed ack");
        ack.ranges().contains(&AckRange::Chunks { file: FILE, first: 0, count: 1 })
    };
    while !named(&mut peer) {}
    let (data, trailer) = pack(&[7; 1000]);
    peer.send_frame(FrameType::Pack, &frame(&data), &trailer.encode());
    peer.send(FrameType::Ping, &Beat { sequence: 1, utc_ms: utc_ms() }.encode());
    next(&mut peer, FrameType::Pong);
    peer.send_frame(FrameType::Pack, &frame(&data), &trailer.encode());
    assert_eq!(peer.closed(), Some(Code::InvalidRequest), "it came already");
}

#[test]
fn chunks_that_are_not_what_they_say_are_refused() {
    let content = content();
    let honest = frame(&content[..RECORD]);
    let bomb = frame(&vec![0; 64 << 20]);
    assert!(bomb.len() < RECORD, "a bomb fits a record");
    let two = [honest.as_slice(), &honest].concat();
    let record = RECORD as u32;
    let bad = Code::InvalidRequest;
    let cases: [(&str, &[u8], u32, Flags, Code); 11] = [
        ("a bomb that says a record", &bomb, record, Flags::ZSTD, bad),
        ("a bomb that says so", &bomb, 64 << 20, Flags::ZSTD, Code::TooLarge),
        ("the longest there is", &honest, u32::MAX, Flags::ZSTD, Code::TooLarge),
        ("less than it says", &frame(&content[..RECORD - 1]), record, Flags::ZSTD, bad),
        ("more than it says", &honest, record - 1, Flags::ZSTD, bad),
        ("cut off", &honest[..honest.len() - 1], record, Flags::ZSTD, bad),
        ("two frames", &two, record, Flags::ZSTD, bad),
        ("no frame", &content[..RECORD], record, Flags::ZSTD, bad),
        ("nothing", b"", record, Flags::ZSTD, bad),
        ("standing for nothing", &honest, 0, Flags::ZSTD, bad),
        ("a hole as well", b"", record, Flags::ZSTD.with(Flags::HOLE), bad),
    ];
    for (name, data, run, flags, code) in cases {
        let (world, mut peer) = receiver(true);
        peer.send_frame(FrameType::Chunk, data, &trailer(0, run, flags, &content));
        refused(&world, peer, code, name);
    }
}

#[test]
fn packs_that_are_not_what_they_say_are_refused() {
    let (data, trailer) = pack(&[7; 1000]);
    let honest = frame(&data);
    let bomb = frame(&vec![0; 64 << 20]);
    let more = PackTrailer { table_offset: trailer.table_offset + 1, ..trailer };
    let huge = PackTrailer { table_offset: u32::MAX, rows: u16::MAX, ..trailer };
    let cases: [(&str, &[u8], PackTrailer, Code); 5] = [
        ("a bomb", &bomb, trailer, Code::InvalidRequest),
        ("less than it says", &honest, more, Code::InvalidRequest),
        ("more than a record", &honest, huge, Code::TooLarge),
        ("cut off", &honest[..honest.len() - 1], trailer, Code::InvalidRequest),
        ("no frame", &data, trailer, Code::InvalidRequest),
    ];
    for (name, data, trailer, code) in cases {
        let (world, mut peer) = receiver(true);
        peer.send_frame(FrameType::Pack, data, &trailer.encode());
        refused(&world, peer, code, name);
    }
}

#[test]
fn compression_that_was_not_offered_is_refused() {
    let content = content();
    let (world, mut peer) = receiver(false);
    let trailer = trailer(0, RECORD as u32, Flags::ZSTD, &content);
    peer.send_frame(FrameType::Chunk, &frame(&content[..RECORD]), &trailer);
    refused(&world, peer, Code::InvalidRequest, "a chunk");
    let (world, mut peer) = receiver(false);
    let (data, trailer) = pack(&[7; 1000]);
    peer.send_frame(FrameType::Pack, &frame(&data), &trailer.encode());
    refused(&world, peer, Code::InvalidRequest, "a pack");
}
