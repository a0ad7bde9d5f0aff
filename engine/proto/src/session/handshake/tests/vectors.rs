//! Known answers: whole handshakes from fixed entropy, with every secret on the way, against the files in
//! engine/proto/tests/vectors. The values were checked once by an implementation that shares nothing with this one.

use super::*;
use crate::session::handshake::schedule::{
    Binding, HandshakeSecrets, Transcript, agree, early_none, early_psk,
};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use x25519_dalek::{PublicKey, StaticSecret};

struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.push_str(name);
        self.0.push_str(" = ");
        for byte in bytes {
            write!(self.0, "{byte:02x}").expect("text grows");
        }
        self.0.push('\n');
    }
}

/// Every item of an Auth's data: type, length, bytes.
fn add_items(transcript: &mut Transcript, mut data: &[u8]) {
    while let [kind, high, middle, low, rest @ ..] = data {
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        transcript.add(*kind, &rest[..length]);
        data = &rest[length..];
    }
}

/// Runs a handshake and writes down everything about it.
fn record(a: &Side, b: &Side, dial: Dial, psk: Option<([u8; 32], PskName, Binding)>) -> String {
    let mut wire = Wire::new(a, b, dial);
    wire.psk = psk.as_ref().map(|(secret, ..)| Secret::new(*secret));
    let wire = wire.run(&mut honest);
    let frames: Vec<Vec<u8>> = wire.log.iter().map(|(_, frame)| frame.clone()).collect();
    let (ea, eb) = wire.verified();
    assert!(ea.session == eb.session && ea.token == eb.token);
    let mut out = Lines(String::new());
    out.add("a_device_seed", &[a.seed; 32]);
    out.add("b_device_seed", &[b.seed; 32]);
    out.add("root_seed", &[a.root_seed; 32]);
    out.add("a_random", &entropy(1).nonce);
    out.add("a_ephemeral", &entropy(1).ephemeral);
    out.add("b_random", &entropy(2).nonce);
    out.add("b_ephemeral", &entropy(2).ephemeral);
    for (name, frame) in ["hello", "hello_reply", "auth_b", "auth_a", "ready"].iter().zip(&frames) {
        out.add(&format!("frame_{name}"), frame);
    }
    let early = match &psk {
        None => early_none(),
        Some((secret, name, binding)) => {
            out.add("psk", secret);
            early_psk(&Secret::new(*secret), name, binding)
        }
    };
    out.add("early", early.expose());
    let theirs = PublicKey::from(&StaticSecret::from(entropy(2).ephemeral)).to_bytes();
    let shared = agree(&StaticSecret::from(entropy(1).ephemeral), theirs).unwrap();
    out.add("shared", shared.expose());
    let mut transcript = Transcript::new();
    transcript.add(1, &frames[0][HEADER_BYTES..]);
    transcript.add(2, &frames[1][HEADER_BYTES..]);
    out.add("th_hellos", &transcript.hash());
    let keys = HandshakeSecrets::new(&early, &shared, &transcript.hash());
    out.add("c_hs", keys.initiator.expose());
    out.add("s_hs", keys.responder.expose());
    for (name, secret, frame) in
        [("auth_b", &keys.responder, &frames[2]), ("auth_a", &keys.initiator, &frames[3])]
    {
        let mut opener = Opener::new(ea.suite, secret.clone(), &Limits::DEFAULT);
        let mut frame = frame.clone();
        let (header, payload) = split(&mut frame);
        let opened = opener.open(&header, payload).unwrap();
        let data = &payload[..opened.data_len as usize];
        out.add(&format!("data_{name}"), data);
        add_items(&mut transcript, data);
    }
    out.add("th_all", &transcript.hash());
    let secrets = keys.session(Role::Initiator, &transcript.hash());
    out.add("c_ap", secrets.initiator.expose());
    out.add("s_ap", secrets.responder.expose());
    out.add("session_id", &secrets.session.0);
    out.add("join", secrets.join.for_dial().unwrap().expose());
    out.add("token", secrets.token.expose());
    assert_eq!((secrets.session, secrets.token == ea.token), (ea.session, true));
    out.add("c_ap_updated", secrets.initiator.expand("upd", b"").expose());
    let mut sealer = ea.sealer;
    out.add("first_ping", &sealer.seal_vec(FrameType::Ping, &[0; 16], &plain_trailer(Flags::NONE)).unwrap());
    out.add("key_update", &sealer.rekey(START).unwrap());
    out.add("ping_after", &sealer.seal_vec(FrameType::Ping, &[0; 16], &plain_trailer(Flags::NONE)).unwrap());
    out.0
}

fn compare(printed: &str, file: &str, name: &str) {
    assert!(printed == file, "tests/vectors/{name} would be:\n{printed}");
}

// proves: O5 E3
#[test]
fn a_handshake_by_certificates() {
    for (suites, name, file) in [
        (
            Suite::default_for(true),
            "handshake-aes256gcm.txt",
            include_str!("../../../../tests/vectors/handshake-aes256gcm.txt"),
        ),
        (
            Suite::default_for(false),
            "handshake-chacha20poly1305.txt",
            include_str!("../../../../tests/vectors/handshake-chacha20poly1305.txt"),
        ),
    ] {
        let side = |seed| Side { suites: suites.to_vec(), ..Side::new(seed) };
        compare(&record(&side(1), &side(2), plain_dial(), None), file, name);
    }
}

// proves: L2
#[test]
fn a_handshake_by_join_token() {
    let (client, hub) = (Side { certified: false, ..Side::new(1) }, Side::new(2));
    let (id, secret) = (PskId([5; 16]), [7; 32]);
    let mode = Mode::Join { id, secret: Secret::new(secret), hub: hub.device() };
    let psk = (secret, PskName::Join(id), Binding::Hub(hub.device()));
    let printed = record(&client, &hub, Dial { mode, ..plain_dial() }, Some(psk));
    let file = include_str!("../../../../tests/vectors/handshake-join.txt");
    compare(&printed, file, "handshake-join.txt");
}
