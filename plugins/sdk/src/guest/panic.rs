//! The way out of a panic: its text goes to the log, then the instance traps and is dropped by the host.

use crate::host::log::{Level, emit};
use core::fmt::Write as _;

/// Bytes of a panic's text that are logged.
const TEXT_BYTES_MAX: usize = 512;

#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let mut text = Text { bytes: [0; TEXT_BYTES_MAX], used: 0 };
    // What does not fit is cut: no memory is taken here, because there may be none.
    let _ = write!(text, "panic: {}", info.message());
    if let Some(place) = info.location() {
        let _ = write!(text, " ({}:{})", place.file(), place.line());
    }
    emit(Level::Error, text.as_str(), &[]);
    core::arch::wasm32::unreachable()
}

struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    used: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.used).unwrap_or_default();
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                core::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
            }
        }
    }
}

impl core::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            let Some(place) = self.bytes.get_mut(self.used) else { return Err(core::fmt::Error) };
            *place = byte;
            self.used += 1;
        }
        Ok(())
    }
}
