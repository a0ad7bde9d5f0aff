//! Harness for tests that drive the real binaries.

#![forbid(unsafe_code)]
