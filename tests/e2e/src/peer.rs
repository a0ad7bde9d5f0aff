//! A peer that proves who it is and then says what no honest client says: frames made by hand inside a real
//! session.

use base::codes::Code;
use base::io::Now;
use base::limits::Limits;
use identity::{DeviceKey, TrustStore};
use proto::message::Close;
use proto::session::handshake::{Config, Dial, Entropy, Mode, Output};
use proto::session::{Certificate, HandshakeError, Initiator, Opener, Sealer, Suite};
use proto::wire::{Flags, FrameType, Header, plain_trailer};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const LIMITS: &Limits = &Limits::DEFAULT;
const HEADER_BYTES: usize = 12;
/// After so long without a byte taken, a daemon takes none.
const UNTAKEN: Duration = Duration::from_secs(3);
/// How long a daemon may stay silent; it answers and refuses at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// A verified session in the hands of a test.
pub struct Peer {
    socket: TcpStream,
    sealer: Sealer,
    opener: Opener,
}

/// The time of this machine, in milliseconds since 1970.
pub fn utc_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

impl Peer {
    /// A session as the client whose state this is, or with another certificate for its key.
    ///
    /// # Errors
    /// The daemon refuses.
    pub fn connect(
        to: SocketAddr,
        state: &Path,
        certificate: Option<Certificate>,
    ) -> Result<Self, HandshakeError> {
        let signer = DeviceKey::load(state).expect("a key can be read").expect("the client has a key");
        let trust = TrustStore::open(state, LIMITS).expect("trust can be read").picture();
        let own = trust.roots().next().and_then(|root| trust.certificate(root).cloned());
        let config = Config {
            signer: Box::new(signer),
            certificate: certificate.or(own),
            trust: Box::new(trust),
            suites: Suite::default_for(true).to_vec(),
            listens: false,
            features: 0,
            limits: LIMITS.clone(),
        };
        let dial = Dial { mode: Mode::Certificate, expect: None, link: false };
        let mut entropy = [0; 64];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut file| file.read_exact(&mut entropy))
            .expect("random");
        let clock = Clock(Instant::now());
        let machine = Initiator::new(Arc::new(config), dial, Entropy::new(&entropy), clock.now());
        Self::shake(crate::hostile::connect(to), machine?, &clock)
    }

    /// The connection and its keys, for whoever goes on by itself.
    pub fn into_parts(self) -> (TcpStream, Sealer, Opener) {
        (self.socket, self.sealer, self.opener)
    }

    fn shake(mut socket: TcpStream, mut machine: Initiator, clock: &Clock) -> Result<Self, HandshakeError> {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket takes a time limit");
        loop {
            while let Some(output) = machine.output() {
                match output {
                    // A daemon that closed meanwhile is noticed by the next read.
                    Output::Send(bytes) => drop(socket.write_all(&bytes)),
                    Output::NeedPsk(_) => {}
                    Output::Verified(session) => {
                        let session = *session;
                        return Ok(Self { socket, sealer: session.sealer, opener: session.opener });
                    }
                }
            }
            let mut header = [0; HEADER_BYTES];
            if socket.read_exact(&mut header).is_err() {
                return Err(machine.on_end());
            }
            let mut payload = vec![0; machine.on_header(&header)?.length as usize];
            let _ = socket.read_exact(&mut payload);
            machine.on_frame(&header, &mut payload, clock.now())?;
        }
    }

    /// Sends one message of this type, in as many frames as it takes.
    pub fn send(&mut self, kind: FrameType, data: &[u8]) {
        for (piece, flags) in proto::message::fragments(data, LIMITS.record_bytes) {
            self.send_frame(kind, piece, &plain_trailer(flags));
        }
    }

    /// Sends one frame with this trailer.
    pub fn send_frame(&mut self, kind: FrameType, data: &[u8], trailer: &[u8]) {
        let frame = self.sealer.seal_vec(kind, data, trailer).expect("a frame that fits");
        // A daemon that closed meanwhile is noticed by the next receive.
        let _ = self.socket.write_all(&frame);
    }

    /// One frame, sealed and not sent.
    pub fn sealed(&mut self, kind: FrameType, data: &[u8]) -> Vec<u8> {
        self.sealer.seal_vec(kind, data, &plain_trailer(Flags::NONE)).expect("a frame that fits")
    }

    /// Sends what `next` makes until nothing more is taken for a while, or `bytes_max` are: how many were. The
    /// last frame may be cut.
    pub fn write_while_taken(
        &mut self,
        bytes_max: usize,
        mut next: impl FnMut(&mut Self) -> Vec<u8>,
    ) -> usize {
        self.socket.set_write_timeout(Some(UNTAKEN)).expect("a socket takes a time limit");
        let mut written = 0;
        while written < bytes_max {
            let bytes = next(self);
            match self.socket.write(&bytes) {
                Ok(count) if count == bytes.len() => written += count,
                Ok(count) => return written + count,
                Err(_) => return written,
            }
        }
        written
    }

    /// Sends bytes as they are, outside any record.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    /// The next frame of the daemon: type, data, flags; `None` when it closed the connection.
    pub fn receive(&mut self) -> Option<(FrameType, Vec<u8>, Flags)> {
        let mut header = [0; HEADER_BYTES];
        self.socket.read_exact(&mut header).ok()?;
        let length = Header::parse(&header, LIMITS).expect("the daemon sends well-formed headers").length;
        let mut payload = vec![0; length as usize];
        self.socket.read_exact(&mut payload).ok()?;
        let opened = self.opener.open(&header, &mut payload).expect("what the daemon sends opens");
        payload.truncate(opened.data_len as usize);
        Some((opened.kind, payload, opened.flags))
    }

    /// Receives until the daemon closes; the code it gives.
    ///
    /// # Panics
    /// It does not close, but asks whether we are still there.
    pub fn closed(mut self) -> Option<Code> {
        let mut code = None;
        while let Some((kind, data, _)) = self.receive() {
            match kind {
                FrameType::Close => code = Some(Close::parse(&data).expect("a well-formed Close").code),
                FrameType::Ping => panic!("the session still stands"),
                _ => {}
            }
        }
        code
    }
}

struct Clock(Instant);

impl Clock {
    fn now(&self) -> Now {
        Now { mono_ns: self.0.elapsed().as_nanos() as u64, utc_ms: utc_ms() }
    }
}
