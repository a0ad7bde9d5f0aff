//! Two devices meet, prove who they are, and one asks the other something, all in one thread: the bytes between them are
//! vectors. Time and randomness are passed in, so the run is the same each time.

#![forbid(unsafe_code)]

use base::io::Now;
use base::limits::Limits;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use proto::message::{Control, MessageId, Reply, Request, fragments};
use proto::session::certificate::{Certificate, Claim, root_id};
use proto::session::handshake::{Config, Dial, Entropy, Established, Mode, Output, TrustStore};
use proto::session::{Initiator, Opener, Responder, Sealer, Suite};
use proto::wire::{FrameType, plain_trailer};
use std::error::Error;
use std::sync::Arc;

const NOW: Now = Now { mono_ns: 1, utc_ms: 1_800_000_000_000 };
const HEADER_BYTES: usize = 12;

/// Trusts one root and knows of no revocation.
struct OneRoot([u8; 32]);

impl TrustStore for OneRoot {
    fn root(&self, id: base::ids::RootId) -> Option<[u8; 32]> {
        (root_id(&self.0) == id).then_some(self.0)
    }

    fn is_revoked(&self, _: &Certificate) -> bool {
        false
    }

    fn crl_version(&self) -> u64 {
        1
    }
}

/// What a device brings to a handshake: its key, a certificate of the root, and whom it trusts.
fn device(seed: u8, account: &str, root: &SigningKey) -> Result<Arc<Config>, Box<dyn Error>> {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let claim = Claim {
        serial: seed.into(),
        public_key: key.verifying_key().to_bytes(),
        account: account.to_owned(),
        not_before: NOW.utc_ms - 1000,
        not_after: NOW.utc_ms + 1_000_000,
        root_epoch: 1,
    };
    let certificate = Certificate::issue(root, claim).map_err(|error| format!("{error:?}"))?;
    Ok(Arc::new(Config {
        signer: Box::new(key),
        certificate: Some(certificate),
        trust: Box::new(OneRoot(root.verifying_key().to_bytes())),
        suites: Suite::default_for(false).to_vec(),
        listens: true,
        features: 0,
        limits: Limits::DEFAULT,
    }))
}

/// Carries frames between the two machines until both have verified each other.
fn meet(ann: Arc<Config>, bob: Arc<Config>) -> Result<(Established, Established), Box<dyn Error>> {
    let refused = |error: proto::session::HandshakeError| error.detail();
    let dial = Dial { mode: Mode::Certificate, expect: None, link: false };
    let mut opens = Initiator::new(ann, dial, Entropy::new(&[3; 64]), NOW).map_err(refused)?;
    let mut accepts = Responder::new(bob, Entropy::new(&[4; 64]), NOW).map_err(refused)?;
    let (mut one, mut other) = (None, None);
    while one.is_none() || other.is_none() {
        while let Some(output) = opens.output() {
            match output {
                Output::Send(bytes) => {
                    println!("ann sends {} bytes", bytes.len());
                    let (header, mut payload) = split(&bytes)?;
                    accepts.on_frame(&header, &mut payload, NOW).map_err(refused)?;
                }
                Output::Verified(session) => one = Some(*session),
                Output::NeedPsk(_) => return Err("certificates need no shared key".into()),
            }
        }
        while let Some(output) = accepts.output() {
            match output {
                Output::Send(bytes) => {
                    println!("bob sends {} bytes", bytes.len());
                    let (header, mut payload) = split(&bytes)?;
                    opens.on_frame(&header, &mut payload, NOW).map_err(refused)?;
                }
                Output::Verified(session) => other = Some(*session),
                Output::NeedPsk(_) => return Err("certificates need no shared key".into()),
            }
        }
    }
    one.zip(other).ok_or_else(|| "nobody verified anybody".into())
}

fn split(frame: &[u8]) -> Result<([u8; HEADER_BYTES], Vec<u8>), Box<dyn Error>> {
    let (header, payload) = frame.split_first_chunk().ok_or("a frame has a header")?;
    Ok((*header, payload.to_vec()))
}

/// Seals a message as one frame, and opens it at the other end.
fn carry(from: &mut Sealer, to: &mut Opener, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (piece, flags) = fragments(message, Limits::DEFAULT.record_bytes).next().ok_or("an empty message")?;
    let frame = from
        .seal_vec(FrameType::Control, piece, &plain_trailer(flags))
        .map_err(|error| format!("{error:?}"))?;
    let (header, mut payload) = split(&frame)?;
    let opened = to.open(&header, &mut payload).map_err(|error| format!("{error:?}"))?;
    payload.truncate(opened.data_len as usize);
    Ok(payload)
}

/// A message, as it came out of its frame.
fn heard(came: &Bytes) -> Result<Control, Box<dyn Error>> {
    Ok(Control::decode(came, &Limits::DEFAULT).map_err(|error| format!("{error:?}"))?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = SigningKey::from_bytes(&[9; 32]);
    let (mut ann, mut bob) = meet(device(1, "ann", &root)?, device(2, "bob", &root)?)?;
    println!("ann met {}", ann.peer.account().unwrap_or("nobody"));
    println!("bob met {}", bob.peer.account().unwrap_or("nobody"));

    let id = MessageId::from_random([7; 16]);
    let payload = Bytes::from_static(b"how are you?");
    let question = Request { id, protocol: "small-talk".to_owned(), payload, metadata: None };
    let sent = Control::Request(question).encode(id, NOW.utc_ms);
    let came = Bytes::from(carry(&mut ann.sealer, &mut bob.opener, &sent)?);
    let Control::Request(request) = heard(&came)? else {
        return Err("not a request".into());
    };
    println!("bob is asked {}: {}", request.protocol, String::from_utf8_lossy(&request.payload));

    let reply = Control::Reply {
        to: request.id,
        reply: Reply::Success(Some(Bytes::from_static(b"well, thank you"))),
    };
    let sent = reply.encode(MessageId::from_random([8; 16]), NOW.utc_ms);
    let came = Bytes::from(carry(&mut bob.sealer, &mut ann.opener, &sent)?);
    if let Control::Reply { reply: Reply::Success(Some(answer)), .. } = heard(&came)? {
        println!("ann hears: {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
