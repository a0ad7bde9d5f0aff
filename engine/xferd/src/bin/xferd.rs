//! The daemon. See `xferd --help`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    xferd::xferd_cli::main(std::env::args_os())
}
