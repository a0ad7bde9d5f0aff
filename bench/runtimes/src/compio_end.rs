//! compio.

use crate::Outcome;
use crate::record::{Keys, RECORD, SEALED, buffers, pin, said, settle, wait_for_records};
use async_channel::{Receiver, Sender, unbounded};
use compio::BufResult;
use compio::buf::{IntoInner as _, IoBuf as _};
use compio::fs::{File, OpenOptions};
use compio::io::{AsyncReadAtExt as _, AsyncReadExt as _, AsyncWriteAtExt as _, AsyncWriteExt as _};
use compio::net::TcpStream;
use compio::runtime::Runtime;
use futures_lite::future::try_zip;
use std::net::SocketAddr;
use std::path::Path;

/// The sending end.
pub fn send(file: &Path, records: u64, to: SocketAddr) -> Outcome<()> {
    pin(0);
    Runtime::new().map_err(said)?.block_on(async {
        let file = File::open(file).await.map_err(said)?;
        let mut socket = TcpStream::connect(to).await.map_err(said)?;
        settle(&socket);
        let (free, sealed) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(read(&file, records, &free.1, &sealed.0), write(&mut socket, records, &sealed.1, &free.0))
            .await
            .map(drop)
    })
}

async fn read(file: &File, records: u64, free: &Receiver<Vec<u8>>, sealed: &Sender<Vec<u8>>) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let buffer = free.recv().await.map_err(said)?;
        let BufResult(done, slice) = file.read_exact_at(buffer.slice(..RECORD), record * RECORD as u64).await;
        done.map_err(said)?;
        let mut buffer = slice.into_inner();
        // What was read is the buffer's whole length; the tag needs its place again.
        buffer.resize(SEALED, 0);
        keys.seal(&mut buffer)?;
        sealed.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

async fn write(
    socket: &mut TcpStream,
    records: u64,
    sealed: &Receiver<Vec<u8>>,
    free: &Sender<Vec<u8>>,
) -> Outcome<()> {
    for _ in 0..records {
        let BufResult(done, buffer) = socket.write_all(sealed.recv().await.map_err(said)?).await;
        done.map_err(said)?;
        free.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

/// The receiving end.
pub fn receive(file: &Path, records: u64, ready: &dyn Fn(SocketAddr)) -> Outcome<()> {
    pin(1);
    let socket = crate::blocking::accepted(ready)?;
    wait_for_records(&socket)?;
    Runtime::new().map_err(said)?.block_on(async {
        let mut file = OpenOptions::new().write(true).open(file).await.map_err(said)?;
        let mut socket = TcpStream::from_std(socket).map_err(said)?;
        let (free, full) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(take(&mut socket, records, &free.1, &full.0), keep(&mut file, records, &full.1, &free.0))
            .await
            .map(drop)
    })
}

async fn take(
    socket: &mut TcpStream,
    records: u64,
    free: &Receiver<Vec<u8>>,
    full: &Sender<Vec<u8>>,
) -> Outcome<()> {
    for _ in 0..records {
        let buffer = free.recv().await.map_err(said)?;
        let BufResult(done, slice) = socket.read_exact(buffer.slice(..SEALED)).await;
        done.map_err(said)?;
        full.send(slice.into_inner()).await.map_err(said)?;
    }
    Ok(())
}

async fn keep(
    file: &mut File,
    records: u64,
    full: &Receiver<Vec<u8>>,
    free: &Sender<Vec<u8>>,
) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let mut buffer = full.recv().await.map_err(said)?;
        keys.open(&mut buffer)?;
        let BufResult(done, slice) = file.write_all_at(buffer.slice(..RECORD), record * RECORD as u64).await;
        done.map_err(said)?;
        free.send(slice.into_inner()).await.map_err(said)?;
    }
    Ok(())
}
