#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
/// `every-ms` is a duration.
#[allow(async_fn_in_trait)]
pub fn announce(port: u16, txt: &[Attr], every_ms: u32) -> ::core::result::Result<(), Error> {
    unsafe {
        let mut cleanup_list = _rt::Vec::new();
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec8 = txt;
        let len8 = vec8.len();
        let layout8 = _rt::alloc::Layout::from_size_align(
            vec8.len() * (40 + 2 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result8, _cleanup8) = crate::guest::rt::Cleanup::new(layout8);
        for (i, e) in vec8.into_iter().enumerate() {
            let base = result8.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                let super::super::super::xferd::plugin::types::Attr { key: key0, val: val0 } = e;
                let vec1 = key0;
                let ptr1 = vec1.as_ptr().cast::<u8>();
                let len1 = vec1.len();
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len1;
                *base.add(0).cast::<*mut u8>() = ptr1.cast_mut();
                use super::super::super::xferd::plugin::types::Value as V7;
                match val0 {
                    V7::Nothing => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (0i32) as u8;
                    }
                    V7::Flag(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (1i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (match e {
                            true => 1,
                            false => 0,
                        })
                            as u8;
                    }
                    V7::Int(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (2i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V7::Uint(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (3i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V7::Text(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (4i32) as u8;
                        let vec2 = e;
                        let ptr2 = vec2.as_ptr().cast::<u8>();
                        let len2 = vec2.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len2;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr2.cast_mut();
                    }
                    V7::Blob(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (5i32) as u8;
                        let vec3 = e;
                        let ptr3 = vec3.as_ptr().cast::<u8>();
                        let len3 = vec3.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len3;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr3.cast_mut();
                    }
                    V7::Id(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (6i32) as u8;
                        let super::super::super::xferd::plugin::types::Id32 { a: a4, b: b4, c: c4, d: d4 } =
                            e;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(a4);
                        *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(b4);
                        *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(c4);
                        *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(d4);
                    }
                    V7::Texts(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (7i32) as u8;
                        let vec6 = e;
                        let len6 = vec6.len();
                        let layout6 = _rt::alloc::Layout::from_size_align(
                            vec6.len() * (2 * ::core::mem::size_of::<*const u8>()),
                            ::core::mem::size_of::<*const u8>(),
                        )
                        .unwrap();
                        let (result6, _cleanup6) = crate::guest::rt::Cleanup::new(layout6);
                        cleanup_list.extend(_cleanup6);
                        for (i, e) in vec6.into_iter().enumerate() {
                            let base = result6.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                            {
                                let vec5 = e;
                                let ptr5 = vec5.as_ptr().cast::<u8>();
                                let len5 = vec5.len();
                                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len5;
                                *base.add(0).cast::<*mut u8>() = ptr5.cast_mut();
                            }
                        }
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len6;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result6;
                    }
                }
            }
        }
        let ptr9 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/dns-sd@0.1.0")]
        unsafe extern "C" {
            #[link_name = "announce"]
            fn wit_import10(_: i32, _: *mut u8, _: usize, _: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import10(_: i32, _: *mut u8, _: usize, _: i32, _: *mut u8) {
            unreachable!()
        }
        wit_import10(_rt::as_i32(&port), result8, len8, _rt::as_i32(&every_ms), ptr9);
        let l11 = i32::from(*ptr9.add(0).cast::<u8>());
        let result17 = match l11 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l12 = i32::from(*ptr9.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
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
                                    *ptr9.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l14 = *ptr9.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
pub fn stop() -> () {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/dns-sd@0.1.0")]
        unsafe extern "C" {
            #[link_name = "stop"]
            fn wit_import0();
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import0() {
            unreachable!()
        }
        wit_import0();
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn browse() -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/dns-sd@0.1.0")]
        unsafe extern "C" {
            #[link_name = "browse"]
            fn wit_import1(_: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: *mut u8) {
            unreachable!()
        }
        wit_import1(ptr0);
        let l2 = i32::from(*ptr0.add(0).cast::<u8>());
        let result8 = match l2 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l3 = i32::from(*ptr0.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V7;
                    let v7 = match l3 {
                        0 => V7::Denied,
                        1 => V7::NotFound,
                        2 => V7::Conflict,
                        3 => V7::Limit,
                        4 => V7::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e7 = {
                                let l4 = *ptr0.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l5 = *ptr0.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len6 = l5;
                                let bytes6 = _rt::Vec::from_raw_parts(l4.cast(), len6, len6);
                                _rt::string_lift(bytes6)
                            };
                            V7::Invalid(e7)
                        }
                    };
                    v7
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result8
    }
}
