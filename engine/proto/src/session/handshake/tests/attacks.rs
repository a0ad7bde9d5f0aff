//! Somebody between the two, or in place of one of them.

use super::*;
use crate::wire::Header;
use proptest::prelude::*;

fn transcript() -> Vec<(Role, Vec<u8>)> {
    let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut honest);
    assert_eq!(wire.log.len(), 5);
    wire.log
}

// proves: O5
#[test]
fn every_flipped_byte_of_every_message_fails() {
    for (index, (from, frame)) in transcript().into_iter().enumerate() {
        for at in 0..frame.len() {
            let mut flip = |i: usize, frame: &mut Vec<u8>| {
                if i == index {
                    frame[at] ^= 0x10;
                }
                true
            };
            let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut flip);
            let (a, b) = (matches!(wire.a_end, End::Verified(_)), matches!(wire.b_end, End::Verified(_)));
            assert!(!a, "initiator verified, message {index} of {from:?}, byte {at}");
            // B is done with Fin A: only the Ready that follows may be altered without its knowing.
            assert!(!b || index == 4, "responder verified, message {index} of {from:?}, byte {at}");
        }
    }
}

#[test]
fn truncated_frames_never_panic_and_never_verify() {
    for (index, (_, frame)) in transcript().into_iter().enumerate() {
        for cut in 0..frame.len() {
            for honest_header in [false, true] {
                let mut truncate = |i: usize, frame: &mut Vec<u8>| {
                    if i == index {
                        frame.truncate(cut);
                        if honest_header && cut >= HEADER_BYTES {
                            let length = ((cut - HEADER_BYTES) as u32).to_be_bytes();
                            frame[6..10].copy_from_slice(&length);
                        }
                    }
                    true
                };
                let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut truncate);
                assert!(!matches!(wire.a_end, End::Verified(_)));
            }
        }
    }
}

/// A fresh pair whose initiator has other entropy than the recorded one.
fn fresh() -> (Initiator, Responder) {
    let config = Side::new(1).config();
    let a = Initiator::new(config, plain_dial(), entropy(41), START).unwrap();
    let b = Responder::new(Side::new(2).config(), entropy(42), START).unwrap();
    (a, b)
}

fn feed_b(b: &mut Responder, frame: &[u8]) -> Result<(), HandshakeError> {
    let mut frame = frame.to_vec();
    let (header, payload) = split(&mut frame);
    b.on_frame(&header, payload, START)
}

fn feed_a(a: &mut Initiator, frame: &[u8]) -> Result<(), HandshakeError> {
    let mut frame = frame.to_vec();
    let (header, payload) = split(&mut frame);
    a.on_frame(&header, payload, START)
}

// proves: C13
#[test]
fn a_replayed_handshake_does_not_verify() {
    let log = transcript();
    let (mut a, mut b) = fresh();
    assert_eq!(feed_b(&mut b, &log[0].1), Ok(()), "a Hello alone proves nothing");
    assert!(feed_b(&mut b, &log[3].1).is_err(), "Fin A of another run");
    assert_eq!(feed_a(&mut a, &log[1].1), Ok(()));
    assert!(feed_a(&mut a, &log[2].1).is_err(), "Auth B of another run");
    assert_eq!((a.state(), b.state()), (State::Failed, State::Failed));
}

#[test]
fn what_a_side_sent_is_not_taken_back_by_it() {
    let (mut a, _) = fresh();
    let Some(Output::Send(hello)) = a.output() else { panic!("no Hello") };
    assert!(matches!(feed_a(&mut a, &hello), Err(HandshakeError::Unexpected { .. })));
    let log = transcript();
    let (_, mut b) = fresh();
    assert_eq!(feed_b(&mut b, &log[0].1), Ok(()));
    let Some(Output::Send(_reply)) = b.output() else { panic!("no HelloReply") };
    let Some(Output::Send(auth)) = b.output() else { panic!("no Auth") };
    assert_eq!(feed_b(&mut b, &auth).unwrap_err().code(), Code::Encryption);
}

#[test]
fn a_stream_cannot_be_reflected_to_the_session_that_dials_it() {
    let (a, b) = (Side::new(1), Side::new(2));
    let (ea, _) = Wire::new(&a, &b, plain_dial()).run(&mut honest).verified();
    let id = StreamId { session: ea.session, home: base::ids::CoreId(0), nonce: [1; 16] };
    let dial = Dial { mode: Mode::Stream { id, join: ea.join.clone() }, expect: None, link: false };
    // The attacker connects the dialler to its own listener.
    let mut wire = Wire::with(a.config(), a.config(), dial);
    wire.psk = ea.join.for_accept();
    let wire = wire.run(&mut honest);
    assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::UnknownPsk));
}

#[test]
fn frames_spliced_between_two_handshakes_fail() {
    // Two runs of the same devices; one frame of the other run is put in place of each.
    let other = {
        let a = Initiator::new(Side::new(1).config(), plain_dial(), entropy(51), START).unwrap();
        let b = Responder::new(Side::new(2).config(), entropy(52), START).unwrap();
        let wire = Wire { a, b, ..Wire::new(&Side::new(1), &Side::new(2), plain_dial()) };
        wire.run(&mut honest).log
    };
    for index in 0..other.len() {
        let mut splice = |i: usize, frame: &mut Vec<u8>| {
            if i == index {
                frame.clone_from(&other[i].1);
            }
            true
        };
        let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut splice);
        assert!(!matches!(wire.a_end, End::Verified(_)), "message {index}");
    }
}

#[test]
fn zero_and_small_order_shares_are_refused() {
    let log = transcript();
    let hello = &log[0].1;
    let at = hello.len() - 1 - 32;
    for low in [[0u8; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut bad = hello.clone();
        bad[at..at + 32].copy_from_slice(&low);
        let (_, mut b) = fresh();
        assert_eq!(feed_b(&mut b, &bad), Err(HandshakeError::ZeroShare));
        let (mut a, _) = fresh();
        let mut reply = log[1].1.clone();
        let end = reply.len();
        reply[end - 32..].copy_from_slice(&low);
        assert_eq!(feed_a(&mut a, &reply), Err(HandshakeError::ZeroShare));
    }
}

#[test]
fn an_unauthenticated_close_is_only_a_hint() {
    let (mut a, mut b) = fresh();
    assert_eq!(feed_a(&mut a, &refuse(Code::Busy, "later")), Ok(()));
    assert_eq!((a.state(), a.hint().unwrap().code), (State::OutboundPending, Code::Busy));
    assert_eq!(feed_a(&mut a, &refuse(Code::Version, "")), Ok(()), "the first hint is kept");
    assert_eq!(a.hint().unwrap().code, Code::Busy);
    let revoked =
        super::super::side::clear(FrameType::Close, &crate::message::Close::new(Code::Revoked, "").encode());
    let (mut other, _) = fresh();
    assert_eq!(feed_a(&mut other, &revoked), Ok(()));
    assert!(other.hint().is_none(), "only some codes may travel in the clear");
    // The handshake still completes afterwards.
    let Some(Output::Send(hello)) = a.output() else { panic!("no Hello") };
    feed_b(&mut b, &hello).unwrap();
    while let Some(Output::Send(frame)) = b.output() {
        feed_a(&mut a, &frame).unwrap();
    }
    let Some(Output::Send(auth)) = a.output() else { panic!("no Auth") };
    feed_b(&mut b, &auth).unwrap();
    let Some(Output::Send(ready)) = b.output() else { panic!("no Ready") };
    // Once there are keys, a Close in the clear ends it as a forgery.
    assert!(feed_a(&mut a, &refuse(Code::Busy, "")).is_err());
    assert!(feed_a(&mut a, &ready).is_err());
}

#[test]
fn bytes_before_authentication_are_bounded_by_the_header_alone() {
    let (_, b) = fresh();
    let long = Header { kind: FrameType::Hello, length: 2049 }.encode();
    assert_eq!(b.on_header(&long).unwrap_err().code(), Code::TooLarge);
    assert!(admit_hello(&long, &Limits::DEFAULT).is_err());
    let control = Header { kind: FrameType::Control, length: 1 }.encode();
    assert!(matches!(b.on_header(&control), Err(HandshakeError::Unexpected { .. })));
    assert!(admit_hello(&control, &Limits::DEFAULT).is_err());
    let (mut a, _) = fresh();
    let close = refuse(Code::Busy, &"x".repeat(256));
    let fits = Limits::DEFAULT.before_auth_bytes_max as usize / close.len();
    for _ in 0..fits {
        assert_eq!(feed_a(&mut a, &close), Ok(()));
    }
    assert!(matches!(feed_a(&mut a, &close), Err(HandshakeError::TooMuch { .. })));
}

#[test]
fn a_join_token_is_not_a_certificate_psk_nor_the_other_way() {
    // The purpose byte is altered and the id keeps its length: the import differs, the binder fails.
    let (client, hub) = (Side { certified: false, ..Side::new(1) }, Side::new(2));
    let mode = Mode::Join { id: PskId([5; 16]), secret: Secret::new([7; 32]), hub: hub.device() };
    let mut wire = Wire::new(&client, &hub, Dial { mode, expect: None, link: false });
    wire.psk = Some(Secret::new([7; 32]));
    let mut alter = |index: usize, frame: &mut Vec<u8>| {
        if index == 0 {
            let purpose = frame.len() - 32 - 16 - 2;
            assert_eq!(frame[purpose], 2);
            frame[purpose] = 1;
        }
        true
    };
    let wire = wire.run(&mut alter);
    assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::UnknownPsk));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_random_changes_never_verify_and_never_panic(
        changes in prop::collection::vec((0usize..5, any::<prop::sample::Index>(), 1u8..), 10)
    ) {
        let mut meddle = |index: usize, frame: &mut Vec<u8>| {
            for (_, at, bits) in changes.iter().filter(|(i, ..)| *i == index) {
                let at = at.index(frame.len());
                frame[at] ^= bits;
            }
            true
        };
        let honest_log = transcript();
        let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut meddle);
        let altered = wire.log.len() != honest_log.len() || wire.log.iter().zip(&honest_log).any(|(a, b)| a.1 != b.1);
        prop_assert!(!(altered && matches!(wire.a_end, End::Verified(_))));
    }

    #[test]
    fn random_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 12..400)) {
        let (mut a, mut b) = fresh();
        prop_assert!(feed_b(&mut b, &bytes).is_err());
        prop_assert!(feed_a(&mut a, &bytes).is_err());
        let _ = peek_hello(&bytes);
        let _ = Certificate::parse(&bytes);
    }
}
