#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PeerId = super::super::super::xferd::plugin::types::PeerId;
pub type GroupId = super::super::super::xferd::plugin::types::GroupId;
pub type Error = super::super::super::xferd::plugin::types::Error;
pub type BlobId = u64;
#[allow(unused_unsafe, clippy::all)]
/// Kept for a device until it is taken and `done`, or until the time is over. `limit` over the device's quota.
#[allow(async_fn_in_trait)]
pub fn put(to: PeerId, topic: &str, body: &[u8], until_ms: u64) -> ::core::result::Result<BlobId, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = to;
        let vec1 = topic;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let vec2 = body;
        let ptr2 = vec2.as_ptr().cast::<u8>();
        let len2 = vec2.len();
        let ptr3 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "put"]
            fn wit_import4(
                _: i64,
                _: i64,
                _: i64,
                _: i64,
                _: *mut u8,
                _: usize,
                _: *mut u8,
                _: usize,
                _: i64,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import4(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: i64,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import4(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            ptr1.cast_mut(),
            len1,
            ptr2.cast_mut(),
            len2,
            _rt::as_i64(&until_ms),
            ptr3,
        );
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
/// Oldest first; they stay until `done`.
#[allow(async_fn_in_trait)]
pub fn take(
    of: PeerId,
    topic: &str,
    limit: u32,
) -> ::core::result::Result<_rt::Vec<(BlobId, _rt::Vec<u8>)>, Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = of;
        let vec1 = topic;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "take"]
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
            _rt::as_i32(&limit),
            ptr2,
        );
        let l4 = i32::from(*ptr2.add(0).cast::<u8>());
        let result17 = match l4 {
            0 => {
                let e = {
                    let l5 = *ptr2.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l6 = *ptr2.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base11 = l5;
                    let len11 = l6;
                    let mut result11 = _rt::Vec::with_capacity(len11);
                    for i in 0..len11 {
                        let base = base11.add(i * (8 + 2 * ::core::mem::size_of::<*const u8>()));
                        let e11 = {
                            let l7 = *base.add(0).cast::<i64>();
                            let l8 = *base.add(8).cast::<*mut u8>();
                            let l9 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len10 = l9;
                            (
                                l7 as u64,
                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l8.cast(),
                                    len10,
                                    len10,
                                )),
                            )
                        };
                        result11.push(e11);
                    }
                    _rt::cabi_dealloc(base11, len11 * (8 + 2 * ::core::mem::size_of::<*const u8>()), 8);
                    result11
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l12 = i32::from(*ptr2.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V16;
                    let v16 = match l12 {
                        0 => V16::Denied,
                        1 => V16::NotFound,
                        2 => V16::Conflict,
                        3 => V16::Limit,
                        4 => V16::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e16 = {
                                let l13 =
                                    *ptr2.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l14 = *ptr2.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len15 = l14;
                                let bytes15 = _rt::Vec::from_raw_parts(l13.cast(), len15, len15);
                                _rt::string_lift(bytes15)
                            };
                            V16::Invalid(e16)
                        }
                    };
                    v16
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result17
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn done(ids: &[BlobId]) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = ids;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "done"]
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
/// File keys, wrapped for each device.
#[allow(async_fn_in_trait)]
pub fn wraps(file: &str) -> ::core::result::Result<_rt::Vec<(PeerId, _rt::Vec<u8>)>, Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = file;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "wraps"]
            fn wit_import2(_: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import2(ptr0.cast_mut(), len0, ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result19 = match l3 {
            0 => {
                let e = {
                    let l4 = *ptr1.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l5 = *ptr1.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base13 = l4;
                    let len13 = l5;
                    let mut result13 = _rt::Vec::with_capacity(len13);
                    for i in 0..len13 {
                        let base = base13.add(i * (32 + 2 * ::core::mem::size_of::<*const u8>()));
                        let e13 = {
                            let l6 = *base.add(0).cast::<i64>();
                            let l7 = *base.add(8).cast::<i64>();
                            let l8 = *base.add(16).cast::<i64>();
                            let l9 = *base.add(24).cast::<i64>();
                            let l10 = *base.add(32).cast::<*mut u8>();
                            let l11 = *base.add(32 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len12 = l11;
                            (
                                super::super::super::xferd::plugin::types::Id32 {
                                    a: l6 as u64,
                                    b: l7 as u64,
                                    c: l8 as u64,
                                    d: l9 as u64,
                                },
                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l10.cast(),
                                    len12,
                                    len12,
                                )),
                            )
                        };
                        result13.push(e13);
                    }
                    _rt::cabi_dealloc(base13, len13 * (32 + 2 * ::core::mem::size_of::<*const u8>()), 8);
                    result13
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l14 = i32::from(*ptr1.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V18;
                    let v18 = match l14 {
                        0 => V18::Denied,
                        1 => V18::NotFound,
                        2 => V18::Conflict,
                        3 => V18::Limit,
                        4 => V18::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e18 = {
                                let l15 =
                                    *ptr1.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l16 = *ptr1.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len17 = l16;
                                let bytes17 = _rt::Vec::from_raw_parts(l15.cast(), len17, len17);
                                _rt::string_lift(bytes17)
                            };
                            V18::Invalid(e18)
                        }
                    };
                    v18
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result19
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn put_wrap(file: &str, peer: PeerId, wrap: &[u8]) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = file;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let super::super::super::xferd::plugin::types::Id32 { a: a1, b: b1, c: c1, d: d1 } = peer;
        let vec2 = wrap;
        let ptr2 = vec2.as_ptr().cast::<u8>();
        let len2 = vec2.len();
        let ptr3 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "put-wrap"]
            fn wit_import4(
                _: *mut u8,
                _: usize,
                _: i64,
                _: i64,
                _: i64,
                _: i64,
                _: *mut u8,
                _: usize,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import4(
            _: *mut u8,
            _: usize,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: *mut u8,
            _: usize,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import4(
            ptr0.cast_mut(),
            len0,
            _rt::as_i64(a1),
            _rt::as_i64(b1),
            _rt::as_i64(c1),
            _rt::as_i64(d1),
            ptr2.cast_mut(),
            len2,
            ptr3,
        );
        let l5 = i32::from(*ptr3.add(0).cast::<u8>());
        let result11 = match l5 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l6 = i32::from(*ptr3.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
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
                                let l7 = *ptr3.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l8 = *ptr3.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
/// All keys of one epoch of a group at once; `conflict` where a later epoch is there.
#[allow(async_fn_in_trait)]
pub fn group_wraps(
    group: GroupId,
    epoch: u64,
    wraps: &[(PeerId, _rt::Vec<u8>)],
) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = group;
        let vec4 = wraps;
        let len4 = vec4.len();
        let layout4 = _rt::alloc::Layout::from_size_align(
            vec4.len() * (32 + 2 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result4, _cleanup4) = crate::guest::rt::Cleanup::new(layout4);
        for (i, e) in vec4.into_iter().enumerate() {
            let base = result4.add(i * (32 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                let (t1_0, t1_1) = e;
                let super::super::super::xferd::plugin::types::Id32 { a: a2, b: b2, c: c2, d: d2 } = t1_0;
                *base.add(0).cast::<i64>() = _rt::as_i64(a2);
                *base.add(8).cast::<i64>() = _rt::as_i64(b2);
                *base.add(16).cast::<i64>() = _rt::as_i64(c2);
                *base.add(24).cast::<i64>() = _rt::as_i64(d2);
                let vec3 = t1_1;
                let ptr3 = vec3.as_ptr().cast::<u8>();
                let len3 = vec3.len();
                *base.add(32 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len3;
                *base.add(32).cast::<*mut u8>() = ptr3.cast_mut();
            }
        }
        let ptr5 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/blobs@0.1.0")]
        unsafe extern "C" {
            #[link_name = "group-wraps"]
            fn wit_import6(_: i64, _: i64, _: i64, _: i64, _: i64, _: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import6(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: *mut u8,
            _: usize,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import6(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            _rt::as_i64(&epoch),
            result4,
            len4,
            ptr5,
        );
        let l7 = i32::from(*ptr5.add(0).cast::<u8>());
        let result13 = match l7 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l8 = i32::from(*ptr5.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
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
                                let l9 = *ptr5.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l10 = *ptr5.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
