//! The client. See `xfer --help`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    xferd::xfer_cli::main(std::env::args_os())
}
