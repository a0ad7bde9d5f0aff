//! The two programs: `xferd`, the daemon, and `xfer`, the client.
//!
//! This room alone knows all others: it plugs a kernel (`ring`) and a process (`server`, `client`) into
//! `shard`, reads flags and files, and makes every sentence a person reads. What the engine does with bytes
//! is decided elsewhere.
#![forbid(unsafe_code)]

pub mod admin;
pub mod client;
pub mod clock;
pub mod config;
pub mod cores;
pub mod crash;
pub mod duration;
pub mod escape;
pub mod failure;
pub mod groups;
pub mod harden;
pub mod logs;
pub mod names;
pub mod plugin;
pub mod plugins;
pub mod report;
pub mod rules;
pub mod server;
pub mod settings;
pub mod state_dir;
pub mod usage;
pub mod xfer_cli;
pub mod xferd_cli;
