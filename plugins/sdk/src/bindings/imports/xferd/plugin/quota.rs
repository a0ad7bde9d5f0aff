#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
#[allow(unused_unsafe, clippy::all)]
/// Takes `amount` at once, or nothing: false. A bucket the grant does not name has nothing. Each bucket counts
/// per device, per account or for the node, as its grant says.
#[allow(async_fn_in_trait)]
pub fn take(bucket: &str, amount: u64) -> bool {
    unsafe {
        let vec0 = bucket;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/quota@0.1.0")]
        unsafe extern "C" {
            #[link_name = "take"]
            fn wit_import1(_: *mut u8, _: usize, _: i64) -> i32;
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: *mut u8, _: usize, _: i64) -> i32 {
            unreachable!()
        }
        let ret = wit_import1(ptr0.cast_mut(), len0, _rt::as_i64(&amount));
        _rt::bool_lift(ret as u8)
    }
}
