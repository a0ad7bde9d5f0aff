//! Every way an honest handshake ends.

use super::*;
use crate::session::certificate::CertificateError;
use alloc::string::ToString;
use base::ids::CoreId;

// proves: P1 P4 O5 V2 C2
#[test]
fn two_devices_verify_each_other() {
    let (a, b) = (Side::new(1), Side::new(2));
    let wire = Wire::new(&a, &b, Dial { expect: Some(b.device()), link: true, ..plain_dial() });
    assert_eq!((wire.a.state(), wire.b.state()), (State::OutboundPending, State::Connected));
    let wire = wire.run(&mut honest);
    assert_eq!((wire.a.state(), wire.b.state()), (State::Verified, State::Verified));
    let (mut ea, mut eb) = wire.verified();
    assert_eq!(ea.session, eb.session);
    assert!(ea.token == eb.token && ea.token != Secret::new([0; 32]));
    assert_eq!(ea.peer.device(), Some(b.device()));
    assert_eq!((eb.peer.device(), eb.peer.account()), (Some(a.device()), Some("alice")));
    assert_eq!((ea.suite, ea.link, eb.link), (Suite::Aes256Gcm, true, true));
    assert_eq!(eb.caps.crl_version, 3);
    talk(&mut ea, &mut eb);
}

#[test]
fn a_handshake_works_under_tiny_limits() {
    let tiny = |seed| Side { limits: Limits::TINY, ..Side::new(seed) };
    let (mut a, mut b) = Wire::new(&tiny(1), &tiny(2), plain_dial()).run(&mut honest).verified();
    assert!(!a.link && !b.link);
    talk(&mut a, &mut b);
}

// proves: E3
#[test]
fn without_aes_on_either_side_chacha_is_taken() {
    let slow = |seed| Side { suites: Suite::default_for(false).to_vec(), ..Side::new(seed) };
    for (a, b) in [(slow(1), Side::new(2)), (Side::new(1), slow(2)), (slow(1), slow(2))] {
        let (mut a, mut b) = Wire::new(&a, &b, plain_dial()).run(&mut honest).verified();
        assert_eq!((a.suite, b.suite), (Suite::ChaCha20Poly1305, Suite::ChaCha20Poly1305));
        talk(&mut a, &mut b);
    }
    let only_aes = Side { suites: vec![Suite::Aes256Gcm], ..Side::new(1) };
    let (a, _) = Wire::new(&only_aes, &slow(2), plain_dial()).run(&mut honest).verified();
    assert_eq!(a.suite, Suite::Aes256Gcm);
}

fn join_dial(hub: &Side, secret: u8) -> Dial {
    let mode = Mode::Join { id: PskId([5; 16]), secret: Secret::new([secret; 32]), hub: hub.device() };
    Dial { mode, expect: None, link: false }
}

// proves: L2
#[test]
fn a_join_token_opens_a_session_without_a_certificate() {
    let (client, hub) = (Side { certified: false, ..Side::new(1) }, Side::new(2));
    let mut wire = Wire::new(&client, &hub, join_dial(&hub, 7));
    wire.psk = Some(Secret::new([7; 32]));
    let (mut a, mut b) = wire.run(&mut honest).verified();
    assert_eq!(a.peer, PeerIdentity::Hub(hub.device()));
    assert_eq!(b.peer, PeerIdentity::JoinToken(PskId([5; 16])));
    talk(&mut a, &mut b);
}

#[test]
fn a_wrong_unknown_or_misdirected_token_is_refused_alike() {
    let (client, hub) = (Side { certified: false, ..Side::new(1) }, Side::new(2));
    let other = Side::new(3);
    for (aimed_at, answer) in [(&hub, Some(8)), (&hub, None), (&other, Some(7))] {
        let mut wire = Wire::new(&client, &hub, join_dial(aimed_at, 7));
        wire.psk = answer.map(|byte| Secret::new([byte; 32]));
        let mut wire = wire.run(&mut honest);
        assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::UnknownPsk));
        assert!(matches!(wire.a_end, End::Open), "a hint in the clear changes no state");
        let end = wire.a.on_end();
        assert_eq!((end.code(), end.blame()), (Code::InvalidToken, Blame::Refused));
    }
}

// proves: O8
#[test]
fn further_streams_join_by_the_session_secret() {
    let (a, b) = (Side::new(1), Side::new(2));
    let (ea, eb) = Wire::new(&a, &b, plain_dial()).run(&mut honest).verified();
    let id = StreamId { session: ea.session, home: CoreId(3), nonce: [9; 16] };
    let dial = Dial { mode: Mode::Stream { id, join: ea.join.clone() }, expect: None, link: false };
    let mut wire = Wire::new(&a, &b, dial);
    wire.psk = eb.join.for_accept();
    let wire = wire.run(&mut honest);
    let mut hello = wire.log[0].1.clone();
    let (header, payload) = split(&mut hello);
    assert_eq!(admit_hello(&header, &Limits::DEFAULT), Ok(payload.len() as u32));
    assert_eq!(peek_hello(payload), Ok(HelloPeek { psk: Some(PskName::Stream(id)) }));
    let (mut sa, mut sb) = wire.verified();
    assert_eq!(sb.peer, PeerIdentity::Stream(id));
    talk(&mut sa, &mut sb);
    assert!(ea.join.for_accept().is_none() && eb.join.for_dial().is_none());
}

#[test]
fn a_psk_beside_certificates_is_needed_too() {
    let (a, b) = (Side::new(1), Side::new(2));
    let dial = |secret: u8| {
        let mode = Mode::CertificateAndPsk {
            id: PskId([1; 16]),
            secret: Secret::new([secret; 32]),
            hub: b.device(),
        };
        Dial { mode, expect: None, link: false }
    };
    for (ours, holds) in [(4, true), (5, false)] {
        let mut wire = Wire::new(&a, &b, dial(ours));
        wire.psk = Some(Secret::new([4; 32]));
        let wire = wire.run(&mut honest);
        assert_eq!(matches!(wire.b_end, End::Verified(_)), holds);
        if let End::Verified(established) = wire.b_end {
            assert_eq!(established.peer.device(), Some(a.device()));
        }
    }
}

/// Runs `a` against `b`; the error of the side that notices, and what the other is told.
fn refusal(a: &Side, b: &Side, dial: Dial, skew_b: i64) -> (Option<HandshakeError>, Option<HandshakeError>) {
    let mut wire = Wire::new(a, b, dial);
    wire.now_b.utc_ms = wire.now_b.utc_ms.saturating_add_signed(skew_b);
    let wire = wire.run(&mut honest);
    (error_of(&wire.a_end).cloned(), error_of(&wire.b_end).cloned())
}

fn told(error: Option<HandshakeError>) -> Code {
    match error {
        Some(HandshakeError::Refused(close)) => close.code,
        other => panic!("not told: {other:?}"),
    }
}

// proves: O6 V8
#[test]
fn each_distrust_has_its_code_and_the_other_side_hears_it() {
    let early = START.utc_ms - 10..START.utc_ms;
    let late = START.utc_ms + 10..START.utc_ms + 20;
    let good = || Side::new(2);
    let cases: [(Side, Code); 4] = [
        (Side { valid_ms: early, ..Side::new(1) }, Code::CertExpired),
        (Side { valid_ms: late, ..Side::new(1) }, Code::CertNotYet),
        (Side { root_seed: 101, ..Side::new(1) }, Code::UntrustedRoot),
        (Side { root_seed: 100, ..Side::new(1) }, Code::Revoked),
    ];
    for (bad, code) in cases {
        let judge = || Side { revoked: if code == Code::Revoked { vec![1] } else { vec![] }, ..good() };
        let (heard, found) = refusal(&bad, &judge(), plain_dial(), 0);
        assert_eq!(found.unwrap().code(), code);
        assert_eq!(told(heard), code);
        let (found, heard) = refusal(&judge(), &bad, plain_dial(), 0);
        assert_eq!(found.unwrap().code(), code);
        assert_eq!(told(heard), code);
    }
}

// proves: L8
#[test]
fn clocks_that_differ_are_both_named() {
    let (found, heard) = refusal(&Side::new(1), &Side::new(2), plain_dial(), 300_001);
    let (ours_utc_ms, theirs_utc_ms) = (START.utc_ms, START.utc_ms + 300_001);
    assert_eq!(found, Some(HandshakeError::ClockSkew { ours_utc_ms, theirs_utc_ms }));
    let Some(HandshakeError::Refused(close)) = heard else { panic!("told nothing") };
    assert_eq!(close.code, Code::ClockSkew);
    assert!(
        close.detail.contains(&ours_utc_ms.to_string()) && close.detail.contains(&theirs_utc_ms.to_string())
    );
    let (a, b) = refusal(&Side::new(1), &Side::new(2), plain_dial(), -300_000);
    assert_eq!((a, b), (None, None));
}

#[test]
fn another_device_or_ourselves_is_not_whom_we_meant() {
    let expected = DeviceId([7; 32]);
    let dial = Dial { expect: Some(expected), ..plain_dial() };
    let (a, _) = refusal(&Side::new(1), &Side::new(2), dial, 0);
    assert_eq!(a, Some(HandshakeError::OtherDevice { expected, found: Side::new(2).device() }));
    let (a, _) = refusal(&Side::new(1), &Side::new(1), plain_dial(), 0);
    assert_eq!(a, Some(HandshakeError::Myself));
}

#[test]
fn a_weak_signature_chain_is_not_a_chain() {
    // A certificate for device 1 shown by whoever holds only key 3.
    let thief = Side::new(3);
    let stolen = Side::new(1).config();
    let config = Arc::new(Config {
        signer: Box::new(SigningKey::from_bytes(&[3; 32])),
        certificate: stolen.certificate.clone(),
        trust: Box::new(OneRoot { key: [0; 32], revoked: vec![] }),
        suites: thief.suites.clone(),
        listens: false,
        features: 0,
        limits: Limits::DEFAULT,
    });
    let trusting = Side::new(3).config();
    let config = Arc::new(Config {
        trust: Arc::into_inner(trusting).unwrap().trust,
        ..Arc::into_inner(config).unwrap()
    });
    let wire = Wire::with(config, Side::new(2).config(), plain_dial()).run(&mut honest);
    assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::Signature));
    assert_eq!(Blame::PeerMisbehaved, HandshakeError::Signature.blame());
    assert_ne!(HandshakeError::Certificate(CertificateError::Signature).code(), Code::UntrustedRoot);
}

// proves: P1
#[test]
fn the_deadline_is_absolute() {
    let wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial());
    let (mut a, mut b) = (wire.a, wire.b);
    let last = Now { mono_ns: a.deadline_ns() - 1, ..START };
    let late = Now { mono_ns: a.deadline_ns(), ..START };
    assert_eq!(a.deadline_ns(), START.mono_ns + Limits::DEFAULT.handshake_ms * 1_000_000);
    assert_eq!(a.on_timer(last), Ok(()));
    assert_eq!(a.on_timer(late), Err(HandshakeError::Timeout));
    assert_eq!(a.state(), State::Failed);
    let Some(Output::Send(mut hello)) = a.output() else { panic!("no Hello") };
    let (header, payload) = split(&mut hello);
    assert_eq!(b.on_frame(&header, payload, late), Err(HandshakeError::Timeout));
    assert_eq!((b.state(), b.on_timer(late)), (State::Failed, Ok(())));
}

// proves: P6
#[test]
fn no_common_version_suite_or_record_size() {
    let (a, b) = (Side { suites: vec![Suite::Aes256Gcm], ..Side::new(1) }, Side::new(2));
    let b = Side { suites: vec![Suite::ChaCha20Poly1305], ..b };
    let mut wire = Wire::new(&a, &b, plain_dial()).run(&mut honest);
    assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::NoSuite));
    assert_eq!(wire.a.on_end().code(), Code::Version);
    let tiny = Side { limits: Limits::TINY, ..Side::new(2) };
    let (found, _) = refusal(&Side::new(1), &tiny, plain_dial(), 0);
    assert_eq!(found.unwrap().blame(), Blame::PeerIncompatible);
    let mut other_version = |index: usize, frame: &mut Vec<u8>| {
        if index == 0 {
            frame[HEADER_BYTES + 2] = 2; // the one version offered
        }
        true
    };
    let mut wire = Wire::new(&Side::new(1), &Side::new(2), plain_dial()).run(&mut other_version);
    assert_eq!(error_of(&wire.b_end), Some(&HandshakeError::NoVersion));
    assert_eq!(wire.a.on_end().code(), Code::Version);
    let bare = Side { certified: false, ..Side::new(1) };
    let refused = Initiator::new(bare.config(), plain_dial(), entropy(1), START);
    assert_eq!(refused.err(), Some(HandshakeError::NoCertificate));
}
