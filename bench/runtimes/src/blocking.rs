//! Plain blocking calls, one after the other.

use crate::Outcome;
use crate::record::{Keys, RECORD, SEALED, pin, said, settle, wait_for_records};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The sending end.
pub fn send(file: &Path, records: u64, to: SocketAddr) -> Outcome<()> {
    pin(0);
    let file = File::open(file).map_err(said)?;
    let mut socket = TcpStream::connect(to).map_err(said)?;
    settle(&socket);
    let (mut keys, mut buffer) = (Keys::new()?, vec![0; SEALED]);
    for record in 0..records {
        file.read_exact_at(&mut buffer[..RECORD], record * RECORD as u64).map_err(said)?;
        keys.seal(&mut buffer)?;
        socket.write_all(&buffer).map_err(said)?;
    }
    Ok(())
}

/// The receiving end.
pub fn receive(file: &Path, records: u64, ready: &dyn Fn(SocketAddr)) -> Outcome<()> {
    pin(1);
    let file = File::options().write(true).open(file).map_err(said)?;
    let mut socket = accepted(ready)?;
    wait_for_records(&socket)?;
    let (mut keys, mut buffer) = (Keys::new()?, vec![0; SEALED]);
    for record in 0..records {
        socket.read_exact(&mut buffer).map_err(said)?;
        keys.open(&mut buffer)?;
        file.write_all_at(&buffer[..RECORD], record * RECORD as u64).map_err(said)?;
    }
    Ok(())
}

/// One connection on a port of its own.
pub fn accepted(ready: &dyn Fn(SocketAddr)) -> Outcome<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(said)?;
    ready(listener.local_addr().map_err(said)?);
    listener.accept().map(|(socket, _)| socket).map_err(said)
}
