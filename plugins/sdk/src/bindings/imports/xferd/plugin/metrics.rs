#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
#[allow(unused_unsafe, clippy::all)]
/// Adds to a counter.
#[allow(async_fn_in_trait)]
pub fn add(counter: &str, delta: u64) -> () {
    unsafe {
        let vec0 = counter;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/metrics@0.1.0")]
        unsafe extern "C" {
            #[link_name = "add"]
            fn wit_import1(_: *mut u8, _: usize, _: i64);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: *mut u8, _: usize, _: i64) {
            unreachable!()
        }
        wit_import1(ptr0.cast_mut(), len0, _rt::as_i64(&delta));
    }
}
#[allow(unused_unsafe, clippy::all)]
/// One sample; shown as count, sum and largest.
#[allow(async_fn_in_trait)]
pub fn observe(histogram: &str, sample: f64) -> () {
    unsafe {
        let vec0 = histogram;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/metrics@0.1.0")]
        unsafe extern "C" {
            #[link_name = "observe"]
            fn wit_import1(_: *mut u8, _: usize, _: f64);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: *mut u8, _: usize, _: f64) {
            unreachable!()
        }
        wit_import1(ptr0.cast_mut(), len0, _rt::as_f64(&sample));
    }
}
