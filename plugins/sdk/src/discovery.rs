//! Discovery plugins: finding peers. One instance lives long, on a thread of its own; 40 ms a call at most. What it
//! believes it reports with [`report`]; the engine verifies a candidate before it uses it.

pub use crate::host::candidates::{Candidate, report, withdraw};
use crate::settings::Settings;
use crate::value::{Attr, Event};
use alloc::string::String;

/// A plugin that finds peers.
pub trait Discovery: Sized + 'static {
    /// Reads the settings; what it writes is dropped.
    ///
    /// # Errors
    /// A sentence that names the setting; it is shown to the operator.
    fn configure(settings: &Settings) -> Result<Self, String>;

    /// Begins: `device`, `name`, `port` and `addresses` of this node. Asked once.
    ///
    /// # Errors
    /// A sentence for the operator; the plugin is not taken in.
    fn begin(&mut self, local: &[Attr]) -> Result<(), String>;

    /// What happened since, oldest first.
    fn on_events(&mut self, batch: &[Event]);

    /// Before it is unloaded.
    fn end(&mut self) {}
}

/// Makes the type the plugin that finds peers. Natively it only checks that the type is one.
#[cfg(feature = "discovery")]
#[macro_export]
macro_rules! export_discovery {
    ($discovery:ty) => {
        const _: fn() = || {
            fn is_discovery<D: $crate::discovery::Discovery>() {}
            is_discovery::<$discovery>();
        };
        #[cfg(target_arch = "wasm32")]
        mod __exported {
            use super::*;
            struct Exported;
            static DISCOVERY: $crate::guest::Slot<$discovery> = $crate::guest::Slot::new();

            $crate::__lane_setup!(Exported, discovery, |settings| {
                DISCOVERY.set(<$discovery as $crate::discovery::Discovery>::configure(settings)?);
                Ok(())
            });

            impl $crate::bindings::discovery::exports::xferd::plugin::discoverer::Guest for Exported {
                fn begin(
                    local: $crate::alloc::vec::Vec<$crate::value::Attr>,
                ) -> Result<(), $crate::alloc::string::String> {
                    DISCOVERY.with(|discovery| $crate::discovery::Discovery::begin(discovery, &local))
                }

                fn on_events(batch: $crate::alloc::vec::Vec<$crate::value::Event>) {
                    DISCOVERY.with(|discovery| $crate::discovery::Discovery::on_events(discovery, &batch));
                }

                fn end() {
                    DISCOVERY.with(|discovery| $crate::discovery::Discovery::end(discovery));
                }
            }
            $crate::bindings::discovery::export_discovery!(Exported with_types_in $crate::bindings::discovery);
        }
    };
}
