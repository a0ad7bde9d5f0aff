//! A directory swapped for a symlink meanwhile leads nowhere.

use base::ids::CoreId;
use base::io::{Act, ActOut, Batch, Errno, How, Io};
use base::limits::Limits;
use base::name::{Name, RelPath};
use ring::{Buf, Engine, Mode, open_root};
use std::sync::atomic::{AtomicBool, Ordering};

const ROUNDS: u32 = 10_000;
/// Both sides of the swap must have been met; a busy machine may need more rounds for that.
const ROUNDS_MAX: u32 = 5_000_000;

/// proves: a local user who swaps a directory for a symlink writes and reads nothing outside the root.
#[test]
fn a_swapped_directory_leads_nowhere() {
    let outside = tempfile::TempDir::new().expect("a directory");
    std::fs::write(outside.path().join("secret"), b"secret").expect("written");
    let inside = tempfile::TempDir::new().expect("a directory");
    let (real, link) = (inside.path().join("d"), inside.path().join("link"));
    std::fs::create_dir(&real).expect("made");
    std::os::unix::fs::symlink(outside.path(), &link).expect("made");
    let mut engine = Engine::new(Mode::Threads, CoreId(0), &Limits::TINY).expect("an engine");
    let root = open_root(inside.path()).expect("opened");
    let stop = AtomicBool::new(false);
    let (mut reached, mut refused) = (0, 0);
    // Judged when the other thread has ended: it would go on for ever beside a panic.
    let mut wrong = None;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let exchange = rustix::fs::RenameFlags::EXCHANGE;
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, &real, rustix::fs::CWD, &link, exchange)
                    .expect("exchanged");
            }
        });
        let mut batch: Batch<Buf> = Batch::new();
        for round in 0..ROUNDS_MAX {
            if round >= ROUNDS && reached > 0 && refused > 0 {
                break;
            }
            batch.clear();
            let path = match round % 2 {
                0 => batch.path(RelPath::new(b"d/made").expect("valid")),
                _ => batch.path(RelPath::new(b"d/secret").expect("valid")),
            };
            let how = if round % 2 == 0 { How::CreateOrOpen { mode: 0o600 } } else { How::Read };
            batch.push(Act::Open { dir: root, path, how });
            engine.act(&mut batch);
            match batch.results[0] {
                Ok(ActOut::Fd(fd)) if round % 2 == 0 => {
                    reached += 1;
                    batch.clear();
                    batch.push(Act::Close { fd });
                    engine.act(&mut batch);
                }
                Err(Errno::LOOP | Errno::NOTDIR) => refused += 1,
                Err(Errno::NOENT) => {}
                other => {
                    wrong = Some(other);
                    break;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(wrong, None, "in particular, the secret was not opened");
    assert!(!outside.path().join("made").exists(), "a file outside the root");
    assert!(reached > 0 && refused > 0, "both were met: {reached} reached, {refused} refused");
    let mut batch: Batch<Buf> = Batch::new();
    let name = batch.name(Name::new(b"link").expect("valid"));
    batch.push(Act::Stat { dir: root, name: Some(name) });
    batch.push(Act::Close { fd: root });
    engine.act(&mut batch);
    assert!(batch.results.iter().all(Result::is_ok));
}
