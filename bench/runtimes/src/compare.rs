//! Runs every runtime in turns and prints what each needed.

use crate::record::{RECORD, said};
use crate::{Outcome, RUNTIMES, Runtime};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// One run.
struct Sample {
    wall_s: f64,
    sender_s: f64,
    receiver_s: f64,
}

/// Files that go with this value.
struct Files {
    folder: PathBuf,
    source: PathBuf,
    copy: PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A child that is killed when it is not waited for.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `gib` GiB, `rounds` times each, the order turned around from round to round.
pub fn run(gib: u64, rounds: usize) -> Outcome<()> {
    let records = (gib << 30) / RECORD as u64;
    let files = files(gib << 30)?;
    let mut samples: Vec<Vec<Sample>> = RUNTIMES.iter().map(|_| Vec::new()).collect();
    let mut failures: Vec<Option<String>> = vec![None; RUNTIMES.len()];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..RUNTIMES.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order.into_iter().filter(|index| failures[*index].is_none()).collect::<Vec<_>>() {
            match one(&RUNTIMES[index], &files, records) {
                Ok(sample) => samples[index].push(sample),
                Err(why) => failures[index] = Some(why),
            }
        }
    }
    let gigabytes = (records * RECORD as u64) as f64 / 1e9;
    println!("{gib} GiB, AES-256-GCM, records of 256 KiB, warm file to existing file, {rounds} rounds");
    println!(
        "{:<12} {:>6} {:>13} {:>12} {:>12} {:>9}",
        "", "GB/s", "spread", "CPU s/GB tx", "CPU s/GB rx", "vs own"
    );
    let median_of = |one: &[Sample], number: fn(&Sample) -> f64| median(one.iter().map(number).collect());
    let own = median_of(&samples[0], |sample| sample.wall_s);
    for (index, runtime) in RUNTIMES.iter().enumerate() {
        if let Some(why) = &failures[index] {
            println!("{:<12} failed: {why}", runtime.name);
            continue;
        }
        let one = &samples[index];
        let walls = one.iter().map(|sample| sample.wall_s);
        let (least, most) =
            walls.fold((f64::MAX, 0.0_f64), |(least, most), wall| (least.min(wall), most.max(wall)));
        let wall = median_of(one, |sample| sample.wall_s);
        println!(
            "{:<12} {:>6.2} {:>13} {:>12.3} {:>12.3} {:>8.2}x",
            runtime.name,
            gigabytes / wall,
            format!("{:.2}..{:.2}", gigabytes / most, gigabytes / least),
            median_of(one, |sample| sample.sender_s) / gigabytes,
            median_of(one, |sample| sample.receiver_s) / gigabytes,
            own / wall
        );
    }
    Ok(())
}

fn one(runtime: &Runtime, files: &Files, records: u64) -> Outcome<Sample> {
    spoil(&files.copy)?;
    let this = std::env::current_exe().map_err(said)?;
    let end = |role: &str, file: &Path| {
        let mut command = Command::new(&this);
        command.args([runtime.name, role]).arg(file).arg(records.to_string());
        command
    };
    let mut receiver = end("rx", &files.copy);
    let mut receiver = Kept(receiver.stdout(Stdio::piped()).spawn().map_err(said)?);
    let mut address = String::new();
    let stdout = receiver.0.stdout.take().ok_or("no output")?;
    BufReader::new(stdout).read_line(&mut address).map_err(said)?;
    let (before_s, began) = (cpu_of_children(), Instant::now());
    let mut sender = Kept(end("tx", &files.source).arg(address.trim()).spawn().map_err(said)?);
    let sent = sender.0.wait().map_err(said)?;
    let sender_s = cpu_of_children() - before_s;
    if !sent.success() {
        return Err(format!("the sender ended with {sent}"));
    }
    let received = receiver.0.wait().map_err(said)?;
    let wall_s = began.elapsed().as_secs_f64();
    if !received.success() {
        return Err(format!("the receiver ended with {received}"));
    }
    let receiver_s = cpu_of_children() - before_s - sender_s;
    same(&files.source, &files.copy)?;
    Ok(Sample { wall_s, sender_s, receiver_s })
}

/// A source of bytes that do not repeat, and a copy whose pages are there.
fn files(bytes: u64) -> Outcome<Files> {
    let parent = Path::new("/dev/shm");
    let folder = parent.join(format!("xferd-runtimes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(said)?;
    let files = Files { source: folder.join("source"), copy: folder.join("copy"), folder };
    for path in [&files.source, &files.copy] {
        let mut piece = vec![0; 1 << 20];
        File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut piece)).map_err(said)?;
        let file = File::create(path).map_err(said)?;
        for at in (0..bytes).step_by(piece.len()) {
            piece[..8].copy_from_slice(&at.to_le_bytes());
            file.write_all_at(&piece, at).map_err(said)?;
        }
    }
    Ok(files)
}

/// Changes each page of the copy, so that what a run did not write is seen.
fn spoil(path: &Path) -> Outcome<()> {
    let file = File::options().write(true).open(path).map_err(said)?;
    let bytes = file.metadata().map_err(said)?.len();
    for at in (0..bytes).step_by(4096) {
        file.write_all_at(b"spoiled!", at).map_err(said)?;
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> Outcome<()> {
    let mut files = [File::open(one).map_err(said)?, File::open(other).map_err(said)?];
    let mut pieces = [vec![0; 1 << 20], vec![0; 1 << 20]];
    for _ in 0..files[0].metadata().map_err(said)?.len() >> 20 {
        for (file, piece) in files.iter_mut().zip(&mut pieces) {
            file.read_exact(piece).map_err(said)?;
        }
        if pieces[0] != pieces[1] {
            return Err("the copy differs".into());
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// CPU seconds of children that were waited for (proc_pid_stat(5), fields 16 and 17).
fn cpu_of_children() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(13).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / rustix::param::clock_ticks_per_second() as f64
}
