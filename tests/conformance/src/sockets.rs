//! Connections: made, refused, used, broken, ended.

use crate::drive::{Buf, assert_quiet, filled, finish, finish_some, run, submit, take, token};
use crate::{Case, World};
use base::io::{Done, Errno, Fd, Io, Op, Out};

pub(crate) fn cases<W: World>() -> Vec<Case<W>> {
    vec![
        ("a connection has two ends", a_connection_has_two_ends),
        ("nobody listens: refused", nobody_listens),
        ("bytes arrive in order", bytes_arrive_in_order),
        ("a header comes without a buffer", a_header_comes_without_a_buffer),
        ("a closed peer is the end of the stream", a_closed_peer_is_the_end),
        ("shut ends what is in flight", shut_ends_what_is_in_flight),
        ("shut_write ends one direction", shut_write_ends_one_direction),
        ("the low-water mark holds receives back", the_low_water_mark_holds_back),
        ("a receive below the mark is not held back", a_receive_below_the_mark),
        ("a send may ask for zero copy", a_send_may_ask_for_zero_copy),
        ("much goes through while both ends work", much_goes_through),
        ("a broken connection gives the buffer back", a_broken_connection),
        ("cancelled socket operations end once", cancelled_socket_operations_end_once),
    ]
}

/// A connected pair: (connecting end, accepting end).
fn pair<W: World>(world: &mut W) -> (Fd, Fd) {
    let (listener, address) = world.listener();
    submit(world, 10, Op::Accept { listener });
    submit(world, 11, Op::Connect { to: address });
    let (mut near, mut far) = (None, None);
    for done in finish(world, 2) {
        assert_eq!(done.result, Ok(0));
        match done.out {
            Out::Accepted { socket, from } if done.token == token(10) => {
                assert_eq!(from.ip(), address.ip());
                far = Some(socket);
            }
            Out::Connected(socket) if done.token == token(11) => near = Some(socket),
            _ => panic!("neither accepted nor connected"),
        }
    }
    hang_up(world, &[listener]);
    (near.expect("connected"), far.expect("accepted"))
}

fn hang_up<W: World>(world: &mut W, sockets: &[Fd]) {
    for &fd in sockets {
        assert_eq!(run(world, Op::Close { fd }).result, Ok(0));
    }
}

fn send<W: World>(world: &mut W, socket: Fd, bytes: &[u8]) {
    let buf = filled(world, 3, bytes);
    let done = run(world, Op::Send { socket, buf, at: 3, len: bytes.len() as u32, zc: false });
    assert_eq!(done.result, Ok(bytes.len() as u32));
    assert!(done.buf.is_some());
}

fn receive<W: World>(world: &mut W, socket: Fd, len: u32) -> Done<Buf<W>> {
    let buf = take(world);
    run(world, Op::Recv { socket, buf, at: 0, len })
}

fn a_connection_has_two_ends<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    assert_ne!(near, far);
    hang_up(world, &[near, far]);
}

fn nobody_listens<W: World>(world: &mut W) {
    let to = world.deaf_address();
    let done = run(world, Op::Connect { to });
    assert_eq!(done.result, Err(Errno::CONNREFUSED));
    assert!(matches!(done.out, Out::Nothing));
}

fn bytes_arrive_in_order<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    send(world, near, b"one");
    send(world, near, b"two");
    let mut got = Vec::new();
    while got.len() < 6 {
        let done = receive(world, far, 6 - got.len() as u32);
        let count = done.result.expect("bytes") as usize;
        assert!(count > 0);
        got.extend_from_slice(&done.buf.expect("the buffer").as_ref()[..count]);
    }
    assert_eq!(got, b"onetwo");
    // And the other way, into the middle of a buffer, asked for before it is there.
    let buf = take(world);
    submit(world, 2, Op::Recv { socket: near, buf, at: 50, len: 100 });
    assert_quiet(world);
    let buf = filled(world, 0, b"back");
    submit(world, 3, Op::Send { socket: far, buf, at: 0, len: 4, zc: false });
    for done in finish(world, 2) {
        assert_eq!(done.result, Ok(4), "{:?}", done.token);
        if done.token == token(2) {
            assert_eq!(&done.buf.expect("the buffer").as_ref()[50..54], b"back");
        }
    }
    hang_up(world, &[near, far]);
}

fn a_header_comes_without_a_buffer<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    submit(world, 2, Op::Head { socket: far, at: 0 });
    assert_quiet(world);
    send_beside(world, near, b"abcde", 5);
    let mut head = [0; 12];
    let mut at = collect_head(world, &mut head, 0);
    send(world, near, b"fghijklmnop");
    while at < 12 {
        submit(world, 2, Op::Head { socket: far, at });
        at += collect_head(world, &mut head, at);
    }
    assert_eq!(&head, b"abcdefghijkl");
    let done = receive(world, far, 100);
    assert_eq!(done.result, Ok(4), "a header takes no byte beyond itself");
    drop(done);
    hang_up(world, &[near, far]);
}

/// Sends while another operation is in flight; its own Done is left to the caller's `finish`.
fn send_beside<W: World>(world: &mut W, socket: Fd, bytes: &[u8], slot: u32) {
    let buf = filled(world, 0, bytes);
    submit(world, slot, Op::Send { socket, buf, at: 0, len: bytes.len() as u32, zc: false });
}

/// Waits for the header under token 2 (and the send beside it, when it is the first).
fn collect_head<W: World>(world: &mut W, head: &mut [u8; 12], at: u8) -> u8 {
    let expected = if at == 0 { 2 } else { 1 };
    let mut count = 0;
    for done in finish(world, expected) {
        if done.token != token(2) {
            assert_eq!(done.result, Ok(5));
            continue;
        }
        assert!(done.buf.is_none());
        count = done.result.expect("some bytes") as u8;
        let Out::Head(got) = done.out else { panic!("a header yields Out::Head") };
        let span = usize::from(at)..usize::from(at + count);
        head[span.clone()].copy_from_slice(&got[span]);
    }
    assert!(count > 0);
    count
}

fn a_closed_peer_is_the_end<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    hang_up(world, &[near]);
    let done = receive(world, far, 10);
    assert_eq!(done.result, Ok(0));
    assert!(done.buf.is_some());
    let done = run(world, Op::Head { socket: far, at: 0 });
    assert_eq!(done.result, Ok(0));
    hang_up(world, &[far]);
}

fn shut_ends_what_is_in_flight<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    let buf = take(world);
    submit(world, 2, Op::Recv { socket: near, buf, at: 0, len: 10 });
    submit(world, 3, Op::Head { socket: far, at: 0 });
    assert_quiet(world);
    world.io().shut(near);
    for done in finish(world, 2) {
        assert!(!matches!(done.result, Ok(1..)), "no bytes were sent");
        assert_eq!(done.buf.is_some(), done.token == token(2));
    }
    hang_up(world, &[near, far]);
}

fn shut_write_ends_one_direction<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    send(world, near, b"last");
    world.io().shut_write(near);
    let mut got = Vec::new();
    loop {
        let done = receive(world, far, 10);
        let count = done.result.expect("what was sent, then the end") as usize;
        if count == 0 {
            break;
        }
        got.extend_from_slice(&done.buf.expect("the buffer").as_ref()[..count]);
    }
    assert_eq!(got, b"last");
    send(world, far, b"still");
    let done = receive(world, near, 5);
    assert!(done.result.is_ok_and(|count| count > 0), "{:?}", done.result);
    drop(done);
    hang_up(world, &[near, far]);
}

fn the_low_water_mark_holds_back<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    // What is there before the receive is held back as well; whether it asks for just the mark or for more.
    for len in [1000, 2000] {
        assert_eq!(world.io().set_low_water(far, 1000), Ok(()));
        send(world, near, &[7; 300]);
        let buf = take(world);
        submit(world, 2, Op::Recv { socket: far, buf, at: 0, len });
        assert_quiet(world);
        send_beside(world, near, &[7; 100], 3);
        let sent = finish(world, 1);
        assert_eq!((sent[0].token, sent[0].result), (token(3), Ok(100)));
        drop(sent);
        assert_quiet(world);
        send_beside(world, near, &[8; 600], 3);
        for done in finish(world, 2) {
            if done.token == token(2) {
                assert_eq!(done.result, Ok(1000));
                let buf = done.buf.expect("the buffer");
                assert!(buf.as_ref()[..400].iter().all(|&b| b == 7));
                assert!(buf.as_ref()[400..1000].iter().all(|&b| b == 8));
            }
        }
        assert_eq!(world.io().set_low_water(far, 1), Ok(()));
        send(world, near, b"x");
        assert_eq!(receive(world, far, 1000).result, Ok(1));
    }
    hang_up(world, &[near, far]);
}

/// Else the rest of a record that came short would never be reported.
fn a_receive_below_the_mark<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    assert_eq!(world.io().set_low_water(far, 1000), Ok(()));
    let buf = take(world);
    submit(world, 2, Op::Recv { socket: far, buf, at: 0, len: 500 });
    send_beside(world, near, &[7; 500], 3);
    for done in finish(world, 2) {
        assert_eq!(done.result, Ok(500));
    }
    hang_up(world, &[near, far]);
}

fn a_send_may_ask_for_zero_copy<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    // Thrice: whether it pays is learnt from the first.
    for round in 0..3u8 {
        let buf = filled(world, 0, &[round; 2000]);
        submit(world, 2, Op::Send { socket: near, buf, at: 0, len: 2000, zc: true });
        let buf = take(world);
        submit(world, 3, Op::Recv { socket: far, buf, at: 0, len: 2000 });
        let (mut sent, mut got) = (0, 0);
        while sent + got < 4000 {
            for ended in finish_some(world) {
                let count = ended.result.expect("bytes");
                let buf = ended.buf.expect("the buffer");
                if ended.token == token(2) {
                    sent += count;
                    continue;
                }
                assert!(buf.as_ref()[..count as usize].iter().all(|&b| b == round));
                got += count;
                if got < 2000 {
                    submit(world, 3, Op::Recv { socket: far, buf, at: 0, len: 2000 - got });
                }
            }
        }
        assert_eq!((sent, got), (2000, 2000));
    }
    hang_up(world, &[near, far]);
}

fn much_goes_through<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    let len = world.io().caps().buffer_bytes;
    let total = u64::from(len) * 16;
    let (mut sent, mut got) = (0u64, 0u64);
    let (mut sending, mut receiving) = (false, false);
    // A send may be reported after its bytes were received.
    while got < total || sending {
        if !sending && sent < total {
            let mut buf = take(world);
            let count = u64::from(len).min(total - sent) as u32;
            for (index, byte) in buf.as_mut()[..count as usize].iter_mut().enumerate() {
                *byte = pattern(sent + index as u64);
            }
            submit(world, 2, Op::Send { socket: near, buf, at: 0, len: count, zc: false });
            sending = true;
        }
        if !receiving && got < total {
            let buf = take(world);
            submit(world, 3, Op::Recv { socket: far, buf, at: 0, len });
            receiving = true;
        }
        for done in finish_some(world) {
            let count = done.result.expect("bytes");
            assert!(count > 0);
            let buf = done.buf.expect("the buffer");
            if done.token == token(2) {
                (sending, sent) = (false, sent + u64::from(count));
                continue;
            }
            for (index, &byte) in buf.as_ref()[..count as usize].iter().enumerate() {
                assert_eq!(byte, pattern(got + index as u64), "byte {}", got + index as u64);
            }
            (receiving, got) = (false, got + u64::from(count));
        }
    }
    assert_eq!((sent, got), (total, total));
    assert!(!sending && !receiving);
    hang_up(world, &[near, far]);
}

fn pattern(position: u64) -> u8 {
    (position ^ position >> 8 ^ position >> 16) as u8
}

fn a_broken_connection<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    // Unread bytes make the close a reset.
    send(world, near, b"unread");
    hang_up(world, &[far]);
    for _ in 0..100 {
        let buf = filled(world, 0, b"more");
        let done = run(world, Op::Send { socket: near, buf, at: 0, len: 4, zc: false });
        assert!(done.buf.is_some());
        if let Err(error) = done.result {
            assert!([Errno::PIPE, Errno::CONNRESET].contains(&error), "{error:?}");
            return hang_up(world, &[near]);
        }
    }
    panic!("sending to nobody never failed");
}

fn cancelled_socket_operations_end_once<W: World>(world: &mut W) {
    let (near, far) = pair(world);
    let (listener, _) = world.listener();
    let buf = take(world);
    submit(world, 2, Op::Recv { socket: near, buf, at: 0, len: 10 });
    submit(world, 3, Op::Head { socket: far, at: 0 });
    submit(world, 4, Op::Accept { listener });
    assert_quiet(world);
    for slot in 2..5 {
        world.io().cancel(token(slot));
        world.io().cancel(token(slot));
    }
    for done in finish(world, 3) {
        assert_eq!(done.result, Err(Errno::CANCELED), "{:?}", done.token);
        assert_eq!(done.buf.is_some(), done.token == token(2));
    }
    // The sockets are as usable as before.
    send(world, far, b"still");
    assert_eq!(receive(world, near, 10).result, Ok(5));
    hang_up(world, &[near, far, listener]);
}
