#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type GroupId = super::super::super::xferd::plugin::types::GroupId;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn create(name: &str) -> ::core::result::Result<GroupId, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 40]);
        let mut ret_area = RetArea([::core::mem::MaybeUninit::uninit(); 40]);
        let vec0 = name;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/membership@0.1.0")]
        unsafe extern "C" {
            #[link_name = "create"]
            fn wit_import2(_: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import2(ptr0.cast_mut(), len0, ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result13 = match l3 {
            0 => {
                let e = {
                    let l4 = *ptr1.add(8).cast::<i64>();
                    let l5 = *ptr1.add(16).cast::<i64>();
                    let l6 = *ptr1.add(24).cast::<i64>();
                    let l7 = *ptr1.add(32).cast::<i64>();
                    super::super::super::xferd::plugin::types::Id32 {
                        a: l4 as u64,
                        b: l5 as u64,
                        c: l6 as u64,
                        d: l7 as u64,
                    }
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l8 = i32::from(*ptr1.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V12;
                    let v12 = match l8 {
                        0 => V12::Denied,
                        1 => V12::NotFound,
                        2 => V12::Conflict,
                        3 => V12::Limit,
                        4 => V12::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e12 = {
                                let l9 =
                                    *ptr1.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l10 =
                                    *ptr1.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len11 = l10;
                                let bytes11 = _rt::Vec::from_raw_parts(l9.cast(), len11, len11);
                                _rt::string_lift(bytes11)
                            };
                            V12::Invalid(e12)
                        }
                    };
                    v12
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result13
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn remove_group(group: GroupId) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = group;
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/membership@0.1.0")]
        unsafe extern "C" {
            #[link_name = "remove-group"]
            fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import2(_rt::as_i64(a0), _rt::as_i64(b0), _rt::as_i64(c0), _rt::as_i64(d0), ptr1);
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
/// The group's epoch after it; each change of members makes a new one.
#[allow(async_fn_in_trait)]
pub fn add(group: GroupId, account: &str, admin: bool) -> ::core::result::Result<u64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = group;
        let vec1 = account;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/membership@0.1.0")]
        unsafe extern "C" {
            #[link_name = "add"]
            fn wit_import3(_: i64, _: i64, _: i64, _: i64, _: *mut u8, _: usize, _: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import3(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            ptr1.cast_mut(),
            len1,
            match &admin {
                true => 1,
                false => 0,
            },
            ptr2,
        );
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
pub fn remove(group: GroupId, account: &str) -> ::core::result::Result<u64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = group;
        let vec1 = account;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/membership@0.1.0")]
        unsafe extern "C" {
            #[link_name = "remove"]
            fn wit_import3(_: i64, _: i64, _: i64, _: i64, _: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: i64, _: i64, _: i64, _: i64, _: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import3(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            ptr1.cast_mut(),
            len1,
            ptr2,
        );
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
