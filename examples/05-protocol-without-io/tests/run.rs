//! The example as a reader runs it.

use std::process::Command;

#[test]
fn two_devices_meet_without_a_socket() {
    let output = Command::new(env!("CARGO_BIN_EXE_example-protocol-without-io")).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    for line in
        ["ann met bob", "bob met ann", "bob is asked small-talk: how are you?", "ann hears: well, thank you"]
    {
        assert!(said.lines().any(|told| told == line), "{line} in {said}");
    }
}
