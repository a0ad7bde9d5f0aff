//! Peers that mean no good: they write to a port and look what comes.

use crate::program::HANG;
use crate::seed::Seed;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How a hostile connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The daemon closed it; these bytes came before.
    Closed(Vec<u8>),
    /// It still stood after the time given.
    Open,
}

/// Connects and sends bytes; then waits at most `patience` for the daemon to close.
pub fn send(to: SocketAddr, bytes: &[u8], patience: Duration) -> End {
    let mut socket = connect(to);
    // The daemon may close while we still write: what counts is how it ends.
    let _ = socket.write_all(bytes);
    end(socket, patience)
}

/// Connects and sends nothing.
pub fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect_timeout(&to, HANG).unwrap_or_else(|e| panic!("{to}: {e}"))
}

/// Reads until the daemon closes, at most `patience` between two bytes.
pub fn end(mut socket: TcpStream, patience: Duration) -> End {
    socket.set_read_timeout(Some(patience)).expect("a socket takes a time limit");
    let mut got = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match socket.read(&mut piece) {
            Ok(0) => return End::Closed(got),
            Ok(read) => got.extend_from_slice(&piece[..read]),
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                return End::Open;
            }
            Err(_) => return End::Closed(got),
        }
    }
}

/// A frame header with every field as given: magic, version, length, type.
pub fn header(magic: &[u8; 4], version: u16, length: u32, kind: u16) -> [u8; 12] {
    let mut out = [0; 12];
    out[..4].copy_from_slice(magic);
    out[4..6].copy_from_slice(&version.to_be_bytes());
    out[6..10].copy_from_slice(&length.to_be_bytes());
    out[10..].copy_from_slice(&kind.to_be_bytes());
    out
}

/// `count` connections, each of up to `bytes_max` random bytes, closed at once.
pub fn flood_of_garbage(to: SocketAddr, count: u64, bytes_max: u64, seed: u64) {
    let mut seed = Seed(seed);
    for _ in 0..count {
        if let Ok(mut socket) = TcpStream::connect_timeout(&to, HANG) {
            let len = seed.below(bytes_max) as usize;
            let _ = socket.write_all(&seed.bytes(len));
        }
    }
}

/// `count` connections that stay open and send a byte or nothing; they end when the result is dropped.
pub fn stalled(to: SocketAddr, count: u64) -> Vec<TcpStream> {
    (0..count)
        .filter_map(|index| {
            let mut socket = TcpStream::connect_timeout(&to, HANG).ok()?;
            if index % 2 == 0 {
                let _ = socket.write_all(b"X");
            }
            Some(socket)
        })
        .collect()
}
