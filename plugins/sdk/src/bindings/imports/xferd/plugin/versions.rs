#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Ticket = super::super::super::xferd::plugin::types::Ticket;
pub type Digest = super::super::super::xferd::plugin::types::Digest;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn current(root: &str, path: &str) -> ::core::result::Result<(u64, Digest), Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 48]);
        let mut ret_area = RetArea([::core::mem::MaybeUninit::uninit(); 48]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = path;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/versions@0.1.0")]
        unsafe extern "C" {
            #[link_name = "current"]
            fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import3(ptr0.cast_mut(), len0, ptr1.cast_mut(), len1, ptr2);
        let l4 = i32::from(*ptr2.add(0).cast::<u8>());
        let result15 = match l4 {
            0 => {
                let e = {
                    let l5 = *ptr2.add(8).cast::<i64>();
                    let l6 = *ptr2.add(16).cast::<i64>();
                    let l7 = *ptr2.add(24).cast::<i64>();
                    let l8 = *ptr2.add(32).cast::<i64>();
                    let l9 = *ptr2.add(40).cast::<i64>();
                    (
                        l5 as u64,
                        super::super::super::xferd::plugin::types::Id32 {
                            a: l6 as u64,
                            b: l7 as u64,
                            c: l8 as u64,
                            d: l9 as u64,
                        },
                    )
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l10 = i32::from(*ptr2.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V14;
                    let v14 = match l10 {
                        0 => V14::Denied,
                        1 => V14::NotFound,
                        2 => V14::Conflict,
                        3 => V14::Limit,
                        4 => V14::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e14 = {
                                let l11 =
                                    *ptr2.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l12 =
                                    *ptr2.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len13 = l12;
                                let bytes13 = _rt::Vec::from_raw_parts(l11.cast(), len13, len13);
                                _rt::string_lift(bytes13)
                            };
                            V14::Invalid(e14)
                        }
                    };
                    v14
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result15
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Opens one upload that publishes only over this version.
#[allow(async_fn_in_trait)]
pub fn expect(root: &str, path: &str, version: u64) -> ::core::result::Result<Ticket, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = path;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/versions@0.1.0")]
        unsafe extern "C" {
            #[link_name = "expect"]
            fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import3(ptr0.cast_mut(), len0, ptr1.cast_mut(), len1, _rt::as_i64(&version), ptr2);
        let l4 = i32::from(*ptr2.add(0).cast::<u8>());
        let result11 = match l4 {
            0 => {
                let e = {
                    let l5 = *ptr2.add(8).cast::<i64>();
                    l5 as u64
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l6 = i32::from(*ptr2.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V10;
                    let v10 = match l6 {
                        0 => V10::Denied,
                        1 => V10::NotFound,
                        2 => V10::Conflict,
                        3 => V10::Limit,
                        4 => V10::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e10 = {
                                let l7 =
                                    *ptr2.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l8 =
                                    *ptr2.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len9 = l8;
                                let bytes9 = _rt::Vec::from_raw_parts(l7.cast(), len9, len9);
                                _rt::string_lift(bytes9)
                            };
                            V10::Invalid(e10)
                        }
                    };
                    v10
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result11
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn restore(root: &str, path: &str, version: u64) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = path;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/versions@0.1.0")]
        unsafe extern "C" {
            #[link_name = "restore"]
            fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import3(ptr0.cast_mut(), len0, ptr1.cast_mut(), len1, _rt::as_i64(&version), ptr2);
        let l4 = i32::from(*ptr2.add(0).cast::<u8>());
        let result10 = match l4 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l5 = i32::from(*ptr2.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V9;
                    let v9 = match l5 {
                        0 => V9::Denied,
                        1 => V9::NotFound,
                        2 => V9::Conflict,
                        3 => V9::Limit,
                        4 => V9::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e9 = {
                                let l6 = *ptr2.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l7 = *ptr2.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len8 = l7;
                                let bytes8 = _rt::Vec::from_raw_parts(l6.cast(), len8, len8);
                                _rt::string_lift(bytes8)
                            };
                            V9::Invalid(e9)
                        }
                    };
                    v9
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result10
    }
}
