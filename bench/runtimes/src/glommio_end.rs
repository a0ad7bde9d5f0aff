//! glommio 0.9. Its files give out buffers of their own when read, and take vectors when written.

use crate::Outcome;
use crate::record::{Keys, RECORD, SEALED, buffers, pin, said, settle, wait_for_records};
use async_channel::{Receiver, Sender, unbounded};
use futures_lite::future::try_zip;
use futures_lite::io::{AsyncReadExt as _, AsyncWriteExt as _};
use glommio::LocalExecutor;
use glommio::io::{BufferedFile, OpenOptions};
use glommio::net::{TcpListener, TcpStream};
use std::net::SocketAddr;
use std::path::Path;

/// The sending end.
pub fn send(file: &Path, records: u64, to: SocketAddr) -> Outcome<()> {
    pin(0);
    LocalExecutor::default().run(async {
        let file = BufferedFile::open(file).await.map_err(said)?;
        let mut socket = TcpStream::connect(to).await.map_err(said)?;
        settle(&socket);
        let (free, sealed) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(read(&file, records, &free.1, &sealed.0), write(&mut socket, records, &sealed.1, &free.0))
            .await?;
        file.close().await.map_err(said)
    })
}

async fn read(
    file: &BufferedFile,
    records: u64,
    free: &Receiver<Vec<u8>>,
    sealed: &Sender<Vec<u8>>,
) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let mut buffer = free.recv().await.map_err(said)?;
        let read = file.read_at(record * RECORD as u64, RECORD).await.map_err(said)?;
        if read.len() != RECORD {
            return Err("a short read".into());
        }
        buffer[..RECORD].copy_from_slice(&read);
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
        let buffer = sealed.recv().await.map_err(said)?;
        socket.write_all(&buffer).await.map_err(said)?;
        free.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

/// The receiving end.
pub fn receive(file: &Path, records: u64, ready: &dyn Fn(SocketAddr)) -> Outcome<()> {
    pin(1);
    LocalExecutor::default().run(async {
        let file = OpenOptions::new().write(true).buffered_open(file).await.map_err(said)?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(said)?;
        ready(listener.local_addr().map_err(said)?);
        let mut socket = listener.accept().await.map_err(said)?;
        wait_for_records(&socket)?;
        let (free, full) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(take(&mut socket, records, &free.1, &full.0), keep(&file, records, &full.1, &free.0)).await?;
        file.close().await.map_err(said)
    })
}

async fn take(
    socket: &mut TcpStream,
    records: u64,
    free: &Receiver<Vec<u8>>,
    full: &Sender<Vec<u8>>,
) -> Outcome<()> {
    for _ in 0..records {
        let mut buffer = free.recv().await.map_err(said)?;
        socket.read_exact(&mut buffer).await.map_err(said)?;
        full.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

async fn keep(
    file: &BufferedFile,
    records: u64,
    full: &Receiver<Vec<u8>>,
    free: &Sender<Vec<u8>>,
) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let mut buffer = full.recv().await.map_err(said)?;
        keys.open(&mut buffer)?;
        buffer.truncate(RECORD);
        let wrote = file.write_at(buffer, record * RECORD as u64).await.map_err(said)?;
        if wrote != RECORD {
            return Err("a short write".into());
        }
        // The vector that was written is not given back.
        free.send(vec![0; SEALED]).await.map_err(said)?;
    }
    Ok(())
}
