#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
#[allow(unused_unsafe, clippy::all)]
/// UTC milliseconds.
#[allow(async_fn_in_trait)]
pub fn unix_ms() -> u64 {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/clock@0.1.0")]
        unsafe extern "C" {
            #[link_name = "unix-ms"]
            fn wit_import0() -> i64;
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import0() -> i64 {
            unreachable!()
        }
        let ret = wit_import0();
        ret as u64
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Milliseconds since some moment before the plugin was loaded; never goes back.
#[allow(async_fn_in_trait)]
pub fn monotonic_ms() -> u64 {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/clock@0.1.0")]
        unsafe extern "C" {
            #[link_name = "monotonic-ms"]
            fn wit_import0() -> i64;
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import0() -> i64 {
            unreachable!()
        }
        let ret = wit_import0();
        ret as u64
    }
}
