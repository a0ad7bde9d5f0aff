#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
/// The version it has after the call. With `ttl-ms`, a duration, the key goes by itself.
#[allow(async_fn_in_trait)]
pub fn put(key: &str, val: &[u8], ttl_ms: ::core::option::Option<u64>) -> ::core::result::Result<u64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = val;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let (result2_0, result2_1) = match ttl_ms {
            Some(e) => (1i32, _rt::as_i64(e)),
            None => (0i32, 0i64),
        };
        let ptr3 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/kv-write@0.1.0")]
        unsafe extern "C" {
            #[link_name = "put"]
            fn wit_import4(_: *mut u8, _: usize, _: *mut u8, _: usize, _: i32, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import4(
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: i32,
            _: i64,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import4(ptr0.cast_mut(), len0, ptr1.cast_mut(), len1, result2_0, result2_1, ptr3);
        let l5 = i32::from(*ptr3.add(0).cast::<u8>());
        let result12 = match l5 {
            0 => {
                let e = {
                    let l6 = *ptr3.add(8).cast::<i64>();
                    l6 as u64
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l7 = i32::from(*ptr3.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V11;
                    let v11 = match l7 {
                        0 => V11::Denied,
                        1 => V11::NotFound,
                        2 => V11::Conflict,
                        3 => V11::Limit,
                        4 => V11::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e11 = {
                                let l8 =
                                    *ptr3.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l9 =
                                    *ptr3.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len10 = l9;
                                let bytes10 = _rt::Vec::from_raw_parts(l8.cast(), len10, len10);
                                _rt::string_lift(bytes10)
                            };
                            V11::Invalid(e11)
                        }
                    };
                    v11
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result12
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Only when the key has this version; 0: only when there is none. Else `conflict`.
#[allow(async_fn_in_trait)]
pub fn compare_and_put(key: &str, expect: u64, val: &[u8]) -> ::core::result::Result<u64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = val;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/kv-write@0.1.0")]
        unsafe extern "C" {
            #[link_name = "compare-and-put"]
            fn wit_import3(_: *mut u8, _: usize, _: i64, _: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: i64, _: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import3(ptr0.cast_mut(), len0, _rt::as_i64(&expect), ptr1.cast_mut(), len1, ptr2);
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
/// `not-found` where there is none.
#[allow(async_fn_in_trait)]
pub fn remove(key: &str) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/kv-write@0.1.0")]
        unsafe extern "C" {
            #[link_name = "remove"]
            fn wit_import2(_: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import2(ptr0.cast_mut(), len0, ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result9 = match l3 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l4 = i32::from(*ptr1.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
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
                                let l5 = *ptr1.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l6 = *ptr1.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
/// Adds to a key that holds a decimal number (none counts as 0), gives the sum. `conflict` where it holds
/// something else.
#[allow(async_fn_in_trait)]
pub fn increment(key: &str, by: i64) -> ::core::result::Result<i64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/kv-write@0.1.0")]
        unsafe extern "C" {
            #[link_name = "increment"]
            fn wit_import2(_: *mut u8, _: usize, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: *mut u8, _: usize, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import2(ptr0.cast_mut(), len0, _rt::as_i64(&by), ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result10 = match l3 {
            0 => {
                let e = {
                    let l4 = *ptr1.add(8).cast::<i64>();
                    l4
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l5 = i32::from(*ptr1.add(8).cast::<u8>());
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
                                let l6 =
                                    *ptr1.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l7 =
                                    *ptr1.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
