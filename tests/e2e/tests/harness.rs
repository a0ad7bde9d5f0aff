//! The harness itself: a judge that cannot be wrong unnoticed.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use xferd_e2e::compare::{Depth, assert_equal, differences, hash, snapshot};
use xferd_e2e::{Direction, Proxy, Scratch, Seed, tree};

#[test]
fn a_tree_holds_every_kind_of_thing_and_comes_out_the_same_for_a_seed() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.join("one"), scratch.join("two"));
    tree::make(&one, 40, 7);
    tree::make(&two, 40, 7);
    assert_equal(&one, &two, Depth::Archive);
    let nodes = snapshot(&one);
    assert!(nodes.values().any(|node| node.kind == 'l' && node.target == b"nowhere/at/all"));
    assert!(nodes.values().any(|node| node.kind == 'f' && node.size == 0));
    assert!(nodes.values().any(|node| node.mtime.0 < 0));
    assert!(nodes.keys().any(|path| std::str::from_utf8(path).is_err()));
    let sparse = &nodes[&b"odd/sparse-large"[..]];
    assert!(sparse.allocated < sparse.size / 2, "the file system keeps no holes");
}

#[test]
fn every_difference_is_seen() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.join("one"), scratch.join("two"));
    type Change = fn(&std::path::Path);
    let changes: &[(&str, Depth, Change)] = &[
        ("missing", Depth::Content, |top| std::fs::remove_file(top.join("odd/-rf")).expect("removed")),
        ("extra", Depth::Content, |top| std::fs::write(top.join("odd/more"), "x").expect("written")),
        ("content", Depth::Content, |top| std::fs::write(top.join("odd/-rf"), "1234567").expect("written")),
        ("mode", Depth::Copied, |top| {
            std::fs::set_permissions(top.join("odd/-rf"), PermissionsExt::from_mode(0o7)).expect("set");
        }),
        ("mtime", Depth::Copied, |top| tree::set_mtime(&top.join("odd/-rf"), 1, 1)),
        ("mtime", Depth::Archive, |top| tree::set_mtime(&top.join("odd/loop"), 1, 1)),
        ("link target", Depth::Content, |top| {
            std::fs::remove_file(top.join("odd/loop")).expect("removed");
            std::os::unix::fs::symlink("pool", top.join("odd/loop")).expect("linked");
        }),
        ("holes", Depth::Archive, |top| {
            let path = top.join("odd/sparse-large");
            let bytes = std::fs::read(&path).expect("read");
            std::fs::write(&path, bytes).expect("written");
        }),
    ];
    tree::make(&one, 10, 3);
    for (word, depth, change) in changes {
        tree::make(&two, 10, 3);
        change(&two);
        let found = differences(&snapshot(&one), &snapshot(&two), *depth);
        assert!(found.iter().any(|line| line.contains(word)), "{word}: {found:?}");
        std::fs::remove_dir_all(&two).expect("removed");
    }
}

#[test]
fn the_hash_is_the_one_of_b3sum() {
    let scratch = Scratch::new();
    let path = scratch.join("empty");
    std::fs::write(&path, "").expect("written");
    assert_eq!(hash(&path), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

/// A server that sends back what it gets.
fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut from = socket.try_clone().expect("cloned");
                let mut to = socket;
                let _ = std::io::copy(&mut from, &mut to);
            });
        }
    });
    addr
}

#[test]
fn a_proxy_counts_flips_and_cuts_at_the_byte_asked_for() {
    let proxy = Proxy::new(echo());
    let sent = Seed(1).bytes(100_000);
    let mut got = vec![0; sent.len()];

    proxy.flip_at(Direction::Down, 12_345);
    let mut socket = TcpStream::connect(proxy.addr).expect("connected");
    let mut writer = socket.try_clone().expect("cloned");
    let bytes = sent.clone();
    let writing = std::thread::spawn(move || writer.write_all(&bytes));
    socket.read_exact(&mut got).expect("echoed");
    writing.join().expect("joined").expect("written");
    let wrong: Vec<usize> = (0..sent.len()).filter(|at| sent[*at] != got[*at]).collect();
    assert_eq!(wrong, [12_345]);
    assert!(proxy.wait_for(Direction::Down, 100_000));
    assert_eq!(proxy.carried()[0].up, 100_000);

    proxy.cut_after(Direction::Up, 100_010);
    let mut socket = TcpStream::connect(proxy.addr).expect("connected");
    let _ = socket.write_all(&sent[..1000]);
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(rest.len() <= 10, "{} bytes came back", rest.len());
    assert_eq!(proxy.total(Direction::Up), 100_010);
}

#[test]
fn a_held_proxy_passes_nothing_until_released() {
    let proxy = Proxy::new(echo());
    proxy.hold();
    let mut socket = TcpStream::connect(proxy.addr).expect("connected");
    socket.write_all(b"hello").expect("written");
    assert_eq!(proxy.total(Direction::Up), 0);
    proxy.release();
    let mut got = [0; 5];
    socket.read_exact(&mut got).expect("echoed");
    assert_eq!(&got, b"hello");
}
