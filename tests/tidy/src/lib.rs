//! What must never be: the reading of the repository that the tests beside this file judge.
//!
//! Each rule is a pure function from text to findings, so that its test can plant the very thing it
//! forbids. Nothing here writes, builds or reaches the network.

#![forbid(unsafe_code)]

pub mod doors;
pub mod lexer;
pub mod repository;
pub mod rules;
pub mod table;
