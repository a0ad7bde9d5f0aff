use super::*;
use crate::session::certificate::{Claim, device_id, root_id};
use crate::session::transition;
use crate::wire::{Flags, FrameType, HEADER_BYTES, plain_trailer};
use alloc::sync::Arc;
use alloc::vec;
use base::codes::Code;
use base::io::Now;
use ed25519_dalek::SigningKey;

mod attacks;
mod items;
mod outcomes;
mod vectors;

pub(super) const START: Now = Now { mono_ns: 1_000, utc_ms: 1_700_000_000_000 };

/// Trusts one root, revokes some serials.
pub(super) struct OneRoot {
    pub(super) key: [u8; 32],
    pub(super) revoked: Vec<u64>,
}

impl TrustStore for OneRoot {
    fn root(&self, id: RootId) -> Option<[u8; 32]> {
        (root_id(&self.key) == id).then_some(self.key)
    }
    fn is_revoked(&self, certificate: &Certificate) -> bool {
        self.revoked.contains(&certificate.claim().serial)
    }
    fn crl_version(&self) -> u64 {
        3
    }
}

/// What a test varies of one side.
pub(super) struct Side {
    pub(super) seed: u8,
    pub(super) root_seed: u8,
    pub(super) trusts_seed: u8,
    pub(super) valid_ms: core::ops::Range<u64>,
    pub(super) revoked: Vec<u64>,
    pub(super) suites: Vec<Suite>,
    pub(super) limits: Limits,
    pub(super) certified: bool,
}

impl Side {
    pub(super) fn new(seed: u8) -> Self {
        Self {
            seed,
            root_seed: 100,
            trusts_seed: 100,
            valid_ms: START.utc_ms - 1_000_000..START.utc_ms + 1_000_000,
            revoked: vec![],
            suites: Suite::default_for(true).to_vec(),
            limits: Limits::DEFAULT,
            certified: true,
        }
    }

    pub(super) fn device(&self) -> DeviceId {
        device_id(&SigningKey::from_bytes(&[self.seed; 32]).verifying_key().to_bytes())
    }

    pub(super) fn config(&self) -> Arc<Config> {
        let key = SigningKey::from_bytes(&[self.seed; 32]);
        let claim = Claim {
            serial: self.seed.into(),
            public_key: key.verifying_key().to_bytes(),
            account: "alice".into(),
            not_before: self.valid_ms.start,
            not_after: self.valid_ms.end,
            root_epoch: 1,
        };
        let root = SigningKey::from_bytes(&[self.root_seed; 32]);
        let trusted = SigningKey::from_bytes(&[self.trusts_seed; 32]).verifying_key().to_bytes();
        Arc::new(Config {
            signer: Box::new(key),
            certificate: self.certified.then(|| Certificate::issue(&root, claim).unwrap()),
            trust: Box::new(OneRoot { key: trusted, revoked: self.revoked.clone() }),
            suites: self.suites.clone(),
            listens: true,
            features: 0,
            limits: self.limits.clone(),
        })
    }
}

pub(super) fn plain_dial() -> Dial {
    Dial { mode: Mode::Certificate, expect: None, link: false }
}

pub(super) fn entropy(seed: u8) -> Entropy {
    let mut bytes = [seed; 64];
    bytes[63] = !seed;
    Entropy::new(&bytes)
}

/// How one side ended.
pub(super) enum End {
    Open,
    Verified(Box<Established>),
    Failed(HandshakeError),
}

/// Two machines and the bytes between them.
pub(super) struct Wire {
    pub(super) a: Initiator,
    pub(super) b: Responder,
    pub(super) a_end: End,
    pub(super) b_end: End,
    /// What the store answers.
    pub(super) psk: Option<Secret>,
    pub(super) now_a: Now,
    pub(super) now_b: Now,
    /// Every frame that was delivered, with its direction.
    pub(super) log: Vec<(Role, Vec<u8>)>,
}

/// Changes the frame with this index on its way; `None` drops it.
pub(super) type Meddle<'a> = &'a mut dyn FnMut(usize, &mut Vec<u8>) -> bool;

impl Wire {
    pub(super) fn new(a: &Side, b: &Side, dial: Dial) -> Self {
        Self::with(a.config(), b.config(), dial)
    }

    pub(super) fn with(a: Arc<Config>, b: Arc<Config>, dial: Dial) -> Self {
        Self {
            a: Initiator::new(a, dial, entropy(1), START).unwrap(),
            b: Responder::new(b, entropy(2), START).unwrap(),
            a_end: End::Open,
            b_end: End::Open,
            psk: None,
            now_a: START,
            now_b: START,
            log: vec![],
        }
    }

    /// Delivers frames until both are quiet.
    pub(super) fn run(mut self, meddle: Meddle<'_>) -> Self {
        let mut index = 0;
        loop {
            let mut moved = false;
            while let Some(output) = self.a.output() {
                moved = true;
                match output {
                    Output::Send(bytes) => self.deliver(Role::Initiator, bytes, &mut index, meddle),
                    Output::NeedPsk(_) => panic!("initiators hold their key"),
                    Output::Verified(established) => self.a_end = End::Verified(established),
                }
            }
            while let Some(output) = self.b.output() {
                moved = true;
                match output {
                    Output::Send(bytes) => self.deliver(Role::Responder, bytes, &mut index, meddle),
                    Output::NeedPsk(_) => {
                        if let Err(error) = self.b.on_psk(self.psk.take(), self.now_b) {
                            self.b_end = End::Failed(error);
                        }
                    }
                    Output::Verified(established) => self.b_end = End::Verified(established),
                }
            }
            if !moved {
                return self;
            }
        }
    }

    fn deliver(&mut self, from: Role, mut bytes: Vec<u8>, index: &mut usize, meddle: Meddle<'_>) {
        let keep = meddle(*index, &mut bytes);
        *index += 1;
        if !keep || bytes.len() < HEADER_BYTES {
            return;
        }
        self.log.push((from, bytes.clone()));
        let (header, payload) = split(&mut bytes);
        let end = match from {
            Role::Initiator => &mut self.b_end,
            Role::Responder => &mut self.a_end,
        };
        if !matches!(end, End::Open) {
            return;
        }
        let result = match from {
            Role::Initiator => self.b.on_frame(&header, payload, self.now_b),
            Role::Responder => self.a.on_frame(&header, payload, self.now_a),
        };
        if let Err(error) = result {
            *end = End::Failed(error);
        }
    }

    pub(super) fn verified(self) -> (Box<Established>, Box<Established>) {
        match (self.a_end, self.b_end) {
            (End::Verified(a), End::Verified(b)) => (a, b),
            (a, b) => panic!("not verified: {:?} {:?}", error_of(&a), error_of(&b)),
        }
    }
}

pub(super) fn error_of(end: &End) -> Option<&HandshakeError> {
    match end {
        End::Failed(error) => Some(error),
        _ => None,
    }
}

pub(super) fn split(frame: &mut [u8]) -> ([u8; HEADER_BYTES], &mut [u8]) {
    let (head, payload) = frame.split_at_mut(HEADER_BYTES);
    let mut header = [0; HEADER_BYTES];
    header.copy_from_slice(head);
    (header, payload)
}

pub(super) fn honest(_: usize, _: &mut Vec<u8>) -> bool {
    true
}

/// Each side opens what the other sealed.
pub(super) fn talk(a: &mut Established, b: &mut Established) {
    exchange(&mut a.sealer, &mut b.opener);
    exchange(&mut b.sealer, &mut a.opener);
}

fn exchange(sealer: &mut Sealer, opener: &mut Opener) {
    let mut frame = sealer.seal_vec(FrameType::Control, b"hello", &plain_trailer(Flags::NONE)).unwrap();
    let (header, payload) = split(&mut frame);
    let opened = opener.open(&header, payload).unwrap();
    assert_eq!(&payload[..opened.data_len as usize], b"hello");
}

// proves: P1 P6
#[test]
fn the_list_of_transitions_is_the_documents() {
    let printed = transition::render("connection (P1)", TRANSITIONS);
    assert_eq!(printed, include_str!("../../../tests/golden/connection.txt"));
}
