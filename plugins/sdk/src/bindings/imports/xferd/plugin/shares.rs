#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Error = super::super::super::xferd::plugin::types::Error;
pub type PageReq = super::super::super::xferd::plugin::types::PageReq;
crate::guest::rt::bitflags::bitflags! {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Clone, Copy)] pub
    struct Access : u8 { const READ = 1 << 0; const WRITE = 1 << 1; }
}
/// `id` 0 in a `put`: the engine gives one.
#[derive(Clone, PartialEq)]
pub struct Share {
    pub id: u64,
    pub root: _rt::String,
    pub path: _rt::String,
    pub account: _rt::String,
    pub access: Access,
    pub until_ms: ::core::option::Option<u64>,
    pub file: ::core::option::Option<_rt::String>,
}
impl ::core::fmt::Debug for Share {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Share")
            .field("id", &self.id)
            .field("root", &self.root)
            .field("path", &self.path)
            .field("account", &self.account)
            .field("access", &self.access)
            .field("until-ms", &self.until_ms)
            .field("file", &self.file)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
/// `denied` unless the caller of this call owns the path.
#[allow(async_fn_in_trait)]
pub fn put(what: &Share) -> ::core::result::Result<u64, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let Share {
            id: id0,
            root: root0,
            path: path0,
            account: account0,
            access: access0,
            until_ms: until_ms0,
            file: file0,
        } = what;
        let vec1 = root0;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let vec2 = path0;
        let ptr2 = vec2.as_ptr().cast::<u8>();
        let len2 = vec2.len();
        let vec3 = account0;
        let ptr3 = vec3.as_ptr().cast::<u8>();
        let len3 = vec3.len();
        let flags4 = access0;
        let (result5_0, result5_1) = match until_ms0 {
            Some(e) => (1i32, _rt::as_i64(e)),
            None => (0i32, 0i64),
        };
        let (result7_0, result7_1, result7_2) = match file0 {
            Some(e) => {
                let vec6 = e;
                let ptr6 = vec6.as_ptr().cast::<u8>();
                let len6 = vec6.len();
                (1i32, ptr6.cast_mut(), len6)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let ptr8 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/shares@0.1.0")]
        unsafe extern "C" {
            #[link_name = "put"]
            fn wit_import9(
                _: i64,
                _: *mut u8,
                _: usize,
                _: *mut u8,
                _: usize,
                _: *mut u8,
                _: usize,
                _: i32,
                _: i32,
                _: i64,
                _: i32,
                _: *mut u8,
                _: usize,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import9(
            _: i64,
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: i32,
            _: i32,
            _: i64,
            _: i32,
            _: *mut u8,
            _: usize,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import9(
            _rt::as_i64(id0),
            ptr1.cast_mut(),
            len1,
            ptr2.cast_mut(),
            len2,
            ptr3.cast_mut(),
            len3,
            (flags4.bits() >> 0) as i32,
            result5_0,
            result5_1,
            result7_0,
            result7_1,
            result7_2,
            ptr8,
        );
        let l10 = i32::from(*ptr8.add(0).cast::<u8>());
        let result17 = match l10 {
            0 => {
                let e = {
                    let l11 = *ptr8.add(8).cast::<i64>();
                    l11 as u64
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l12 = i32::from(*ptr8.add(8).cast::<u8>());
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
                                    *ptr8.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l14 =
                                    *ptr8.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
pub fn drop(id: u64) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/shares@0.1.0")]
        unsafe extern "C" {
            #[link_name = "drop"]
            fn wit_import1(_: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import1(_rt::as_i64(&id), ptr0);
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
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn page(
    root: &str,
    path: ::core::option::Option<&str>,
    page: &PageReq,
) -> ::core::result::Result<_rt::Vec<Share>, Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let (result2_0, result2_1, result2_2) = match path {
            Some(e) => {
                let vec1 = e;
                let ptr1 = vec1.as_ptr().cast::<u8>();
                let len1 = vec1.len();
                (1i32, ptr1.cast_mut(), len1)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let super::super::super::xferd::plugin::types::PageReq { after: after3, limit: limit3 } = page;
        let (result5_0, result5_1, result5_2) = match after3 {
            Some(e) => {
                let vec4 = e;
                let ptr4 = vec4.as_ptr().cast::<u8>();
                let len4 = vec4.len();
                (1i32, ptr4.cast_mut(), len4)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let ptr6 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/shares@0.1.0")]
        unsafe extern "C" {
            #[link_name = "page"]
            fn wit_import7(
                _: *mut u8,
                _: usize,
                _: i32,
                _: *mut u8,
                _: usize,
                _: i32,
                _: *mut u8,
                _: usize,
                _: i32,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import7(
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import7(
            ptr0.cast_mut(),
            len0,
            result2_0,
            result2_1,
            result2_2,
            result5_0,
            result5_1,
            result5_2,
            _rt::as_i32(limit3),
            ptr6,
        );
        let l8 = i32::from(*ptr6.add(0).cast::<u8>());
        let result34 = match l8 {
            0 => {
                let e = {
                    let l9 = *ptr6.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l10 = *ptr6.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base28 = l9;
                    let len28 = l10;
                    let mut result28 = _rt::Vec::with_capacity(len28);
                    for i in 0..len28 {
                        let base = base28.add(i * (40 + 8 * ::core::mem::size_of::<*const u8>()));
                        let e28 = {
                            let l11 = *base.add(0).cast::<i64>();
                            let l12 = *base.add(8).cast::<*mut u8>();
                            let l13 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len14 = l13;
                            let bytes14 = _rt::Vec::from_raw_parts(l12.cast(), len14, len14);
                            let l15 =
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                            let l16 = *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len17 = l16;
                            let bytes17 = _rt::Vec::from_raw_parts(l15.cast(), len17, len17);
                            let l18 =
                                *base.add(8 + 4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                            let l19 = *base.add(8 + 5 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len20 = l19;
                            let bytes20 = _rt::Vec::from_raw_parts(l18.cast(), len20, len20);
                            let l21 = i32::from(
                                *base.add(8 + 6 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                            );
                            let l22 = i32::from(
                                *base.add(16 + 6 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                            );
                            let l24 = i32::from(
                                *base.add(32 + 6 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                            );
                            Share {
                                id: l11 as u64,
                                root: _rt::string_lift(bytes14),
                                path: _rt::string_lift(bytes17),
                                account: _rt::string_lift(bytes20),
                                access: Access::empty() | Access::from_bits_retain(((l21 as u8) << 0) as _),
                                until_ms: match l22 {
                                    0 => None,
                                    1 => {
                                        let e = {
                                            let l23 = *base
                                                .add(24 + 6 * ::core::mem::size_of::<*const u8>())
                                                .cast::<i64>();
                                            l23 as u64
                                        };
                                        Some(e)
                                    }
                                    _ => _rt::invalid_enum_discriminant(),
                                },
                                file: match l24 {
                                    0 => None,
                                    1 => {
                                        let e = {
                                            let l25 = *base
                                                .add(32 + 7 * ::core::mem::size_of::<*const u8>())
                                                .cast::<*mut u8>();
                                            let l26 = *base
                                                .add(32 + 8 * ::core::mem::size_of::<*const u8>())
                                                .cast::<usize>();
                                            let len27 = l26;
                                            let bytes27 = _rt::Vec::from_raw_parts(l25.cast(), len27, len27);
                                            _rt::string_lift(bytes27)
                                        };
                                        Some(e)
                                    }
                                    _ => _rt::invalid_enum_discriminant(),
                                },
                            }
                        };
                        result28.push(e28);
                    }
                    _rt::cabi_dealloc(base28, len28 * (40 + 8 * ::core::mem::size_of::<*const u8>()), 8);
                    result28
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l29 = i32::from(*ptr6.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V33;
                    let v33 = match l29 {
                        0 => V33::Denied,
                        1 => V33::NotFound,
                        2 => V33::Conflict,
                        3 => V33::Limit,
                        4 => V33::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e33 = {
                                let l30 =
                                    *ptr6.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l31 = *ptr6.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len32 = l31;
                                let bytes32 = _rt::Vec::from_raw_parts(l30.cast(), len32, len32);
                                _rt::string_lift(bytes32)
                            };
                            V33::Invalid(e33)
                        }
                    };
                    v33
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result34
    }
}
