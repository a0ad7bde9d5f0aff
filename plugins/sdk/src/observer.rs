//! Observers: reactions to what the engine did. One instance lives long, on a thread of its own; 40 ms a batch at most.
//!
//! ```
//! use xferd_plugin_sdk::observer::Observer;
//! use xferd_plugin_sdk::settings::Settings;
//! use xferd_plugin_sdk::value::{Attr, Event};
//! use xferd_plugin_sdk::{double::Double, kv};
//!
//! struct Tally;
//!
//! impl Observer for Tally {
//!     fn configure(_: &Settings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn topics(&self) -> Vec<String> {
//!         vec!["transfer.*".to_owned()]
//!     }
//!
//!     fn on_events(&mut self, batch: &[Event]) {
//!         for event in batch {
//!             let bytes = event.attr("bytes").and_then(|value| value.as_int()).unwrap_or(0);
//!             let _ = kv::increment(event.text("account").unwrap_or("nobody"), bytes);
//!         }
//!     }
//! }
//! # #[cfg(feature = "observer")]
//! xferd_plugin_sdk::export_observer!(Tally);
//!
//! let mut world = Double::default();
//! let event = Event::of("transfer.finished", [Attr::new("account", "ann"), Attr::new("bytes", 70_u64)]);
//! world.run(|| Tally.on_events(&[event]));
//! assert_eq!(world.value("ann"), Some(&b"70"[..]));
//! ```

use crate::settings::Settings;
use crate::value::Event;
use alloc::string::String;
use alloc::vec::Vec;

/// An observer.
pub trait Observer: Sized + 'static {
    /// Reads the settings; what it writes is dropped.
    ///
    /// # Errors
    /// A sentence that names the setting; it is shown to the operator.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// Topics it wants, `*` at the end of one matching the rest; asked once. Which there are is in `wit/xferd.wit`.
    fn topics(&self) -> Vec<String>;

    /// What happened since, oldest first. A gap in `seq` says how many events it missed.
    fn on_events(&mut self, batch: &[Event]);
}

/// Makes the type the plugin's observer. Natively it only checks that the type is one.
#[cfg(feature = "observer")]
#[macro_export]
macro_rules! export_observer {
    ($observer:ty) => {
        const _: fn() = || {
            fn is_observer<O: $crate::observer::Observer>() {}
            is_observer::<$observer>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            static OBSERVER: $crate::guest::Slot<$observer> = $crate::guest::Slot::new();

            $crate::__lane_setup!(Exported, observer, |settings| {
                OBSERVER.set(<$observer as $crate::observer::Observer>::configure(settings)?);
                Ok(())
            });

            impl $crate::bindings::observer::exports::xferd::plugin::observer_events::Guest for Exported {
                fn topics() -> $crate::alloc::vec::Vec<$crate::alloc::string::String> {
                    OBSERVER.with(|observer| $crate::observer::Observer::topics(observer))
                }

                fn on_events(batch: $crate::alloc::vec::Vec<$crate::value::Event>) {
                    OBSERVER.with(|observer| $crate::observer::Observer::on_events(observer, &batch));
                }
            }
            $crate::bindings::observer::export_observer!(Exported with_types_in $crate::bindings::observer);
        }
    };
}
