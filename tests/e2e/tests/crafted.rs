//! A peer with a real key that says what no honest client says: refused by code, others served all the while.
// proves: O6, P3, P4, V1, L8

use base::codes::Code;
use base::entry::{Entry, FileTime, Kind};
use base::ids::TransferId;
use base::limits::Limits;
use bytes::Bytes;
use identity::{Authority, DeviceKey};
use proto::message::{Beat, Control, MessageId, Reply, Request};
use proto::transfer::entries::{EntriesWriter, OwnerNames};
use proto::transfer::offer::{Command, Direction, Offer, Options};
use proto::wire::{Flags, FrameType, plain_trailer};
use xferd_e2e::peer::utc_ms;
use xferd_e2e::{Peer, World};

const LIMITS: &Limits = &Limits::DEFAULT;
const YEAR_MS: u64 = 365 * 86_400_000;

fn peer(world: &World) -> Peer {
    Peer::connect(world.daemon().addr, &world.client.state, None).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A certificate for the client's own key, by the authority whose key file lies in this state directory.
fn certificate(world: &World, authority_state: &std::path::Path, now_ms: u64) -> proto::session::Certificate {
    let file = std::fs::read(authority_state.join("authority.key")).expect("an authority's key");
    let seed: [u8; 32] = file[file.len() - 32..].try_into().expect("a seed of 32 bytes");
    let authority = Authority::generate(&seed, "test", now_ms).expect("an authority");
    let key = DeviceKey::load(&world.client.state).expect("readable").expect("a key");
    authority.issue(7, &key.public(), "alice", now_ms, LIMITS).expect("a certificate")
}

fn refused(world: &World, certificate: proto::session::Certificate) -> Code {
    match Peer::connect(world.daemon().addr, &world.client.state, Some(certificate)) {
        Err(error) => error.code(),
        // The daemon judges our certificate after we hold the session's keys.
        Ok(peer) => peer.closed().expect("a session was granted"),
    }
}

#[test]
fn certificates_of_the_past_the_future_and_another_root_are_refused_by_code() {
    let world = World::new();
    let own = world.daemon().state.clone();
    assert_eq!(refused(&world, certificate(&world, &own, utc_ms() - 3 * YEAR_MS)), Code::CertExpired);
    assert_eq!(refused(&world, certificate(&world, &own, utc_ms() + YEAR_MS)), Code::CertNotYet);
    let other = World::new();
    assert_eq!(refused(&world, certificate(&world, &other.daemon().state, utc_ms())), Code::UntrustedRoot);
    world.client.run(["ls", "lab:/"]).ok();
}

fn request(protocol: &str, payload: &[u8], id: u8) -> Vec<u8> {
    let id = MessageId::from_random([id; 16]);
    let payload = Bytes::copy_from_slice(payload);
    let request = Request { id, protocol: protocol.into(), payload, metadata: None };
    Control::Request(request).encode(id, utc_ms())
}

/// The reply to the next request, whichever frames it came in.
fn reply(peer: &mut Peer) -> Reply {
    let mut message = Vec::new();
    while let Some((kind, data, flags)) = peer.receive() {
        if kind != FrameType::Control {
            continue;
        }
        message.extend_from_slice(&data);
        if !flags.more() {
            return match Control::decode(&message.into(), LIMITS).expect("a well-formed reply") {
                Control::Reply { reply, .. } => reply,
                Control::Request(request) => panic!("the daemon asked {}", request.protocol),
            };
        }
    }
    panic!("the daemon closed instead of replying")
}

#[test]
fn an_unknown_protocol_gets_one_error_and_the_session_lives() {
    let world = World::new();
    let mut peer = peer(&world);
    for id in 1..4 {
        peer.send(FrameType::Control, &request("no-such-protocol", b"", id));
        let Reply::Error { code, .. } = reply(&mut peer) else { panic!("an error is due") };
        assert_eq!(code, Code::NotFound);
    }
    assert_answers(&mut peer);
}

/// Asserts that the session stands: a ping gets its pong.
fn assert_answers(peer: &mut Peer) {
    peer.send(FrameType::Ping, &[0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
    while let Some((kind, data, _)) = peer.receive() {
        if kind == FrameType::Pong {
            assert_eq!(data[..8], [0, 0, 0, 0, 0, 0, 0, 9]);
            return;
        }
    }
    panic!("no pong")
}

#[test]
fn what_belongs_to_no_transfer_harms_nobody() {
    let world = World::new();
    // Of a transfer that ended there may still be chunks on their way: they are nobody's fault.
    let mut late = peer(&world);
    late.send_frame(FrameType::Chunk, &[0; 4096], &[0; 56]);
    assert_answers(&mut late);
    for kind in [FrameType::Entries, FrameType::Want, FrameType::Seal, FrameType::Ack, FrameType::Receipt] {
        let mut peer = peer(&world);
        peer.send(kind, &[0xff; 300]);
        peer.send(FrameType::Ping, &[0; 16]);
        // Dropped or the end of this session; either way it is over at once.
        while peer.receive().is_some_and(|(kind, ..)| kind != FrameType::Pong) {}
        world.client.run(["ls", "lab:/"]).ok();
    }
    assert!(xferd_e2e::compare::names(&world.root).is_empty());
}

/// A BSON document nested `depth` deep.
fn nested(depth: usize) -> Vec<u8> {
    let mut document = vec![5, 0, 0, 0, 0];
    for _ in 0..depth {
        let length = document.len() as u32 + 8;
        let mut outer = length.to_le_bytes().to_vec();
        outer.extend_from_slice(b"\x03a\0");
        outer.extend_from_slice(&document);
        outer.push(0);
        document = outer;
    }
    document
}

#[test]
fn nested_oversized_and_broken_control_messages_end_the_session_only() {
    let world = World::new();
    let messages: Vec<(&str, Vec<u8>)> = vec![
        ("deep", nested(2000)),
        ("deeper", nested(100_000)),
        ("empty", Vec::new()),
        ("no BSON", vec![0xff; 300]),
        ("a length beyond its end", vec![0xff, 0xff, 0xff, 0x7f, 0]),
        ("more than a megabyte", vec![0; (1 << 20) + 1]),
    ];
    for (name, message) in messages {
        let mut peer = peer(&world);
        peer.send(FrameType::Control, &message);
        assert!(peer.closed().is_some(), "{name}: closed without a code");
        world.client.run(["ls", "lab:/"]).ok();
    }
}

#[test]
fn frames_out_of_place_end_the_session_only() {
    let world = World::new();
    let hello = |peer: &mut Peer| peer.send(FrameType::Hello, &[0; 100]);
    let flags = |peer: &mut Peer| peer.send_frame(FrameType::Ping, &[0; 16], &[0xff, 0xff]);
    let junk = |peer: &mut Peer| {
        let mut bytes = xferd_e2e::hostile::header(b"XFER", 1, 20, 13).to_vec();
        bytes.extend([7; 20]);
        peer.send_raw(&bytes);
    };
    type Act = fn(&mut Peer);
    let cases: [(&str, Act); 3] =
        [("a second hello", hello), ("unknown flags", flags), ("a record that does not open", junk)];
    for (name, act) in cases {
        let mut peer = peer(&world);
        act(&mut peer);
        assert!(peer.closed().is_some(), "{name}: closed without a code");
        world.client.run(["ls", "lab:/"]).ok();
    }
}

fn entry(path: &[u8], kind: Kind) -> Entry {
    Entry {
        kind,
        chunk_log2: 0,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: if kind == Kind::Symlink { 3 } else { 0 },
        allocated: 0,
        mtime: FileTime { seconds: 1, nanos: 1 },
        path: path.to_vec(),
        target: if kind == Kind::Symlink { b"../".to_vec() } else { Vec::new() },
    }
}

fn offer(peer: &mut Peer) -> Reply {
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
        options: Options { recursive: true, links: true, ..Options::default() },
    };
    peer.send(FrameType::Control, &request("xferd.offer", &offer.encode(), 1));
    reply(peer)
}

#[test]
fn hostile_paths_in_entries_reach_nothing() {
    let world = World::new();
    std::fs::create_dir(world.root.join("tree")).expect("made");
    // Written with a harmless path of the same length, then changed in the bytes: no honest writer would.
    let paths: [(&[u8], &[u8]); 7] = [
        (b"aa/victim", b"../victim"),
        (b"a/bb/victim", b"a/../victim"),
        (b"a/victim", b"//victim"),
        (b"bvictim", b"/victim"),
        (b"a/b/victim", b"a/./victim"),
        (b"vic-tim", b"vic\0tim"),
        (b"axferd-0123456789abcdef0123456789abcdef.part", b".xferd-0123456789abcdef0123456789abcdef.part"),
    ];
    for (harmless, hostile) in paths {
        let mut peer = peer(&world);
        assert!(matches!(offer(&mut peer), Reply::Success(_)), "the offer itself is harmless");
        let mut writer = EntriesWriter::new(LIMITS, 1, 0, 0);
        writer.push(&entry(b"", Kind::Directory), OwnerNames::default()).expect("fits");
        writer.push(&entry(harmless, Kind::File), OwnerNames::default()).expect("fits");
        let mut bytes = writer.finish(true, false);
        let at =
            bytes.windows(harmless.len()).position(|window| window == harmless).expect("the path is there");
        bytes[at..at + hostile.len()].copy_from_slice(hostile);
        peer.send(FrameType::Entries, &bytes);
        assert!(peer.closed().is_some(), "{}: closed without a code", hostile.escape_ascii());
        let names = xferd_e2e::compare::names(world.path("").as_path());
        assert!(
            names.iter().all(|name| !name.to_string_lossy().contains("victim")),
            "{}",
            hostile.escape_ascii()
        );
    }
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn an_entry_below_a_symlink_is_not_followed() {
    let world = World::new();
    std::fs::create_dir(world.root.join("tree")).expect("made");
    std::os::unix::fs::symlink(world.path("client"), world.root.join("tree/out")).expect("linked");
    let mut peer = peer(&world);
    assert!(matches!(offer(&mut peer), Reply::Success(_)));
    let mut writer = EntriesWriter::new(LIMITS, 1, 0, 0);
    writer.push(&entry(b"", Kind::Directory), OwnerNames::default()).expect("fits");
    writer.push(&entry(b"out", Kind::Directory), OwnerNames::default()).expect("fits");
    writer.push(&entry(b"out/victim", Kind::File), OwnerNames::default()).expect("fits");
    peer.send(FrameType::Entries, &writer.finish(true, false));
    // It may refuse the entry or replace the link; it must not write through it.
    peer.send_frame(FrameType::Close, &[0, 0], &plain_trailer(Flags::default()));
    peer.closed();
    assert!(!world.local("victim").exists());
}

/// Pings whose Pongs nobody reads, until the daemon takes no more or this many bytes are written.
fn unread_pings(peer: &mut Peer, bytes_max: usize) -> usize {
    let mut sequence = 0;
    peer.write_while_taken(bytes_max, |peer| {
        sequence += 1;
        peer.sealed(FrameType::Ping, &Beat { sequence, utc_ms: 0 }.encode())
    })
}

#[test]
fn last_words_are_read_however_much_is_still_on_its_way() {
    let world = World::new();
    let mut peer = peer(&world);
    // More Pongs than the peer's socket holds, then a Manifest that nobody asked for with more behind it.
    unread_pings(&mut peer, 5 << 20);
    peer.send(FrameType::Manifest, &[0; 3]);
    peer.send_raw(&vec![0x5a; 4 << 20]);
    assert_eq!(peer.closed(), Some(Code::InvalidRequest));
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from() {
    let world = World::new();
    let mut peer = peer(&world);
    let most = 128 << 20;
    let written = unread_pings(&mut peer, most);
    assert!(written < most, "the daemon answers from its memory: {written} bytes of pings were taken");
    world.client.run(["ls", "lab:/"]).ok();
}
