//! `cargo xtask`: what a person does with this repository, in one word each.
//!
//! It starts programs and reads what they print. It ends only children that it started, by their handle,
//! and writes only below `target/`.

#![forbid(unsafe_code)]

mod bench;
mod demo;
mod plugins;
mod setup;
mod shell;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what tests and demo use and this machine lacks (rsync, b3sum, strace, e2fsprogs; rustfmt, clippy; a
    /// way to build WASM)
    Setup {
        /// And the peers that benches compare with (OpenSSH's server, rclone, iperf3, netcat; syq below target/)
        #[arg(long)]
        bench: bool,
    },
    /// Build in release, move real data through a daemon on loopback, kill and resume it, verify everything
    Demo {
        /// Size of the large file in MiB
        #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u64).range(64..))]
        mib: u64,
    },
    /// Build every plugin of this repository to target/plugins/
    Plugins,
    /// Formatting, clippy and every test
    Test {
        /// Further arguments for the tests, such as a name
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Benches: micro, and the real binaries beside rsync's daemon; with --compare beside every tool that is here
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Setup { bench } => setup::run(bench),
        Task::Demo { mib } => demo::run(mib << 20),
        Task::Plugins => plugins::run(),
        Task::Test { arguments } => test::run(&arguments),
        Task::Bench(wanted) => bench::run(&wanted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
