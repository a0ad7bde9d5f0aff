//! tokio-uring 0.5.

use crate::Outcome;
use crate::record::{Keys, RECORD, SEALED, buffers, pin, said, settle, wait_for_records};
use async_channel::{Receiver, Sender, unbounded};
use futures_lite::future::try_zip;
use std::net::SocketAddr;
use std::path::Path;
use tokio_uring::buf::BoundedBuf as _;
use tokio_uring::fs::File;
use tokio_uring::net::TcpStream;

/// The sending end.
pub fn send(file: &Path, records: u64, to: SocketAddr) -> Outcome<()> {
    pin(0);
    tokio_uring::start(async {
        let file = File::open(file).await.map_err(said)?;
        let socket = TcpStream::connect(to).await.map_err(said)?;
        settle(&socket);
        let (free, sealed) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(read(&file, records, &free.1, &sealed.0), write(&socket, records, &sealed.1, &free.0))
            .await?;
        file.close().await.map_err(said)
    })
}

async fn read(file: &File, records: u64, free: &Receiver<Vec<u8>>, sealed: &Sender<Vec<u8>>) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let buffer = free.recv().await.map_err(said)?;
        let (done, slice) = file.read_exact_at(buffer.slice(..RECORD), record * RECORD as u64).await;
        done.map_err(said)?;
        let mut buffer = slice.into_inner();
        keys.seal(&mut buffer)?;
        sealed.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

async fn write(
    socket: &TcpStream,
    records: u64,
    sealed: &Receiver<Vec<u8>>,
    free: &Sender<Vec<u8>>,
) -> Outcome<()> {
    for _ in 0..records {
        let (done, buffer) = socket.write_all(sealed.recv().await.map_err(said)?).await;
        done.map_err(said)?;
        free.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

/// The receiving end.
pub fn receive(file: &Path, records: u64, ready: &dyn Fn(SocketAddr)) -> Outcome<()> {
    pin(1);
    let file = std::fs::File::options().write(true).open(file).map_err(said)?;
    let socket = crate::blocking::accepted(ready)?;
    wait_for_records(&socket)?;
    tokio_uring::start(async {
        let (file, socket) = (File::from_std(file), TcpStream::from_std(socket));
        let (free, full) = (unbounded(), unbounded());
        for buffer in buffers() {
            free.0.try_send(buffer).map_err(said)?;
        }
        try_zip(take(&socket, records, &free.1, &full.0), keep(&file, records, &full.1, &free.0)).await?;
        file.close().await.map_err(said)
    })
}

async fn take(
    socket: &TcpStream,
    records: u64,
    free: &Receiver<Vec<u8>>,
    full: &Sender<Vec<u8>>,
) -> Outcome<()> {
    for _ in 0..records {
        let (mut buffer, mut at) = (free.recv().await.map_err(said)?, 0);
        while at < SEALED {
            let (read, slice) = socket.read(buffer.slice(at..SEALED)).await;
            buffer = slice.into_inner();
            match read.map_err(said)? {
                0 => return Err("the connection ended".into()),
                read => at += read,
            }
        }
        full.send(buffer).await.map_err(said)?;
    }
    Ok(())
}

async fn keep(file: &File, records: u64, full: &Receiver<Vec<u8>>, free: &Sender<Vec<u8>>) -> Outcome<()> {
    let mut keys = Keys::new()?;
    for record in 0..records {
        let mut buffer = full.recv().await.map_err(said)?;
        keys.open(&mut buffer)?;
        let (done, slice) = file.write_all_at(buffer.slice(..RECORD), record * RECORD as u64).await;
        done.map_err(said)?;
        free.send(slice.into_inner()).await.map_err(said)?;
    }
    Ok(())
}
