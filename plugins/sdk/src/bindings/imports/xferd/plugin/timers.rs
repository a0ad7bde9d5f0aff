#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Ticket = super::super::super::xferd::plugin::types::Ticket;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
/// After this duration, at most 30 days.
#[allow(async_fn_in_trait)]
pub fn after(ms: u64) -> ::core::result::Result<Ticket, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/timers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "after"]
            fn wit_import1(_: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import1(_rt::as_i64(&ms), ptr0);
        let l2 = i32::from(*ptr0.add(0).cast::<u8>());
        let result9 = match l2 {
            0 => {
                let e = {
                    let l3 = *ptr0.add(8).cast::<i64>();
                    l3 as u64
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l4 = i32::from(*ptr0.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V8;
                    let v8 = match l4 {
                        0 => V8::Denied,
                        1 => V8::NotFound,
                        2 => V8::Conflict,
                        3 => V8::Limit,
                        4 => V8::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e8 = {
                                let l5 =
                                    *ptr0.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l6 =
                                    *ptr0.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len7 = l6;
                                let bytes7 = _rt::Vec::from_raw_parts(l5.cast(), len7, len7);
                                _rt::string_lift(bytes7)
                            };
                            V8::Invalid(e8)
                        }
                    };
                    v8
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result9
    }
}
#[allow(unused_unsafe, clippy::all)]
/// One that is over or unknown is ignored.
#[allow(async_fn_in_trait)]
pub fn cancel(which: Ticket) -> () {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/timers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "cancel"]
            fn wit_import0(_: i64);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import0(_: i64) {
            unreachable!()
        }
        wit_import0(_rt::as_i64(which));
    }
}
