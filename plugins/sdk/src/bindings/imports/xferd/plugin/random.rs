#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn next_u64() -> u64 {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/random@0.1.0")]
        unsafe extern "C" {
            #[link_name = "next-u64"]
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
/// At most 4096 bytes.
#[allow(async_fn_in_trait)]
pub fn fill(len: u32) -> _rt::Vec<u8> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/random@0.1.0")]
        unsafe extern "C" {
            #[link_name = "fill"]
            fn wit_import1(_: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: i32, _: *mut u8) {
            unreachable!()
        }
        wit_import1(_rt::as_i32(&len), ptr0);
        let l2 = *ptr0.add(0).cast::<*mut u8>();
        let l3 = *ptr0.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let len4 = l3;
        let result5 = <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l2.cast(), len4, len4));
        result5
    }
}
