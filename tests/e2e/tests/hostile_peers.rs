//! Bytes that mean no good: the daemon says no and serves others all the while.
// proves: P1, P4, P6, C1

use std::time::Duration;
use xferd_e2e::compare::assert_equal;
use xferd_e2e::hostile::{End, connect, end, flood_of_garbage, header, send, stalled};
use xferd_e2e::{Depth, Scratch, Seed, World, tree};

/// Long enough for a refusal to arrive; a daemon that refuses closes at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A deadline for handshakes that a test can reach.
fn brisk() -> World {
    World::with(Scratch::new(), |start| {
        start.arguments(["--limit", "handshake_ms=500", "--limit", "record_ms=500"])
    })
}

fn closed(end: End) -> Vec<u8> {
    match end {
        End::Closed(bytes) => bytes,
        End::Open => panic!("the connection still stands"),
    }
}

#[test]
fn malformed_headers_are_refused_before_anything_is_allocated() {
    let world = World::new();
    let addr = world.daemon().addr;
    let hostile: &[(&str, Vec<u8>)] = &[
        ("garbage", Seed(1).bytes(4000)),
        ("wrong magic", header(b"HTTP", 1, 100, 1).to_vec()),
        ("wrong version", header(b"XFER", 9, 100, 1).to_vec()),
        ("oversized", header(b"XFER", 1, u32::MAX, 1).to_vec()),
        ("oversized hello", header(b"XFER", 1, 64 << 10, 1).to_vec()),
        ("not a hello", header(b"XFER", 1, 100, 8).to_vec()),
        ("unknown type", header(b"XFER", 1, 100, 0x7fff).to_vec()),
        ("an empty hello", header(b"XFER", 1, 0, 1).to_vec()),
        ("an http request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
    ];
    for (name, bytes) in hostile {
        let got = closed(send(addr, bytes, PATIENCE));
        assert!(got.len() < 512, "{name}: {} bytes came back", got.len());
        world.client.run(["ls", "lab:/"]).ok();
    }
    let mut body = header(b"XFER", 1, 600, 1).to_vec();
    body.extend(Seed(2).bytes(600));
    closed(send(addr, &body, PATIENCE));
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn half_frames_end_at_the_deadline() {
    let world = brisk();
    let addr = world.daemon().addr;
    for bytes in [&b""[..], b"X", b"XFER\0\x01", &header(b"XFER", 1, 600, 1)] {
        closed(send(addr, bytes, PATIENCE));
    }
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_thousand_connections_of_garbage_do_not_stop_a_transfer() {
    let world = World::new();
    let big = world.local("big");
    tree::file(&big, 64 << 20, &mut Seed(3));
    let addr = world.daemon().addr;
    let flood = std::thread::spawn(move || flood_of_garbage(addr, 1000, 3000, 4));
    world.client.json(["copy", "big", "lab:/big"]).ok();
    flood.join().expect("the flood ended");
    assert_equal(&big, &world.root.join("big"), Depth::Copied);
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_thousand_stalled_connections_do_not_stop_a_transfer() {
    let world = World::new();
    let big = world.local("big");
    tree::file(&big, 64 << 20, &mut Seed(5));
    let sockets = stalled(world.daemon().addr, 1000);
    assert!(sockets.len() > 900, "only {} could connect", sockets.len());
    world.client.json(["copy", "big", "lab:/big"]).ok();
    assert_equal(&big, &world.root.join("big"), Depth::Copied);
    drop(sockets);
}

#[test]
fn a_flood_of_half_open_connections_evicts_its_own_oldest() {
    let world = World::with(Scratch::new(), |start| {
        start.cores(1).arguments(["--limit", "half_open_per_address_max=4"])
    });
    let first = connect(world.daemon().addr);
    let later = stalled(world.daemon().addr, 8);
    assert!(matches!(end(first, PATIENCE), End::Closed(_)), "the oldest is closed");
    world.client.run(["ls", "lab:/"]).ok();
    drop(later);
}

#[test]
fn one_flipped_bit_ends_a_connection_and_nothing_wrong_is_published() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    let big = world.local("big");
    tree::file(&big, 24 << 20, &mut Seed(6));
    for offset in [40, 700, 100_000, 9_000_000] {
        proxy.flip_at(xferd_e2e::Direction::Up, proxy.total(xferd_e2e::Direction::Up) + offset);
        let run = world.client.json(["copy", "big", &format!("lab:/{offset}")]);
        let copy = world.root.join(offset.to_string());
        match run.code() {
            0 => assert_equal(&big, &copy, Depth::Copied),
            code => {
                assert!([2, 10, 12, 30, 41].contains(&code), "offset {offset}: exit {code}: {}", run.stderr);
                assert!(!copy.exists(), "offset {offset}: published although the command failed");
            }
        }
    }
    world.client.json(["copy", "big", "lab:/whole"]).ok();
    assert_equal(&big, &world.root.join("whole"), Depth::Copied);
}
