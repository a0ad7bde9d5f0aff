#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Digest = super::super::super::xferd::plugin::types::Digest;
pub type PageReq = super::super::super::xferd::plugin::types::PageReq;
pub type Error = super::super::super::xferd::plugin::types::Error;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    Other,
}
impl ::core::fmt::Debug for Kind {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Kind::File => f.debug_tuple("Kind::File").finish(),
            Kind::Directory => f.debug_tuple("Kind::Directory").finish(),
            Kind::Symlink => f.debug_tuple("Kind::Symlink").finish(),
            Kind::Other => f.debug_tuple("Kind::Other").finish(),
        }
    }
}
impl Kind {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Kind {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Kind::File,
            1 => Kind::Directory,
            2 => Kind::Symlink,
            3 => Kind::Other,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
#[derive(Clone, PartialEq)]
pub struct Meta {
    pub name: _rt::String,
    pub kind: Kind,
    pub size: u64,
    pub modified_ms: u64,
    pub digest: ::core::option::Option<Digest>,
    pub attrs: _rt::Vec<Attr>,
}
impl ::core::fmt::Debug for Meta {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Meta")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("size", &self.size)
            .field("modified-ms", &self.modified_ms)
            .field("digest", &self.digest)
            .field("attrs", &self.attrs)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn stat(root: &str, path: &str) -> ::core::result::Result<Meta, Error> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 72 + 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 72 + 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = path;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/files@0.1.0")]
        unsafe extern "C" {
            #[link_name = "stat"]
            fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import3(ptr0.cast_mut(), len0, ptr1.cast_mut(), len1, ptr2);
        let l4 = i32::from(*ptr2.add(0).cast::<u8>());
        let result48 = match l4 {
            0 => {
                let e = {
                    let l5 = *ptr2.add(8).cast::<*mut u8>();
                    let l6 = *ptr2.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len7 = l6;
                    let bytes7 = _rt::Vec::from_raw_parts(l5.cast(), len7, len7);
                    let l8 = i32::from(*ptr2.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    let l9 = *ptr2.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                    let l10 = *ptr2.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                    let l11 = i32::from(*ptr2.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    let l16 = *ptr2.add(72 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l17 = *ptr2.add(72 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base42 = l16;
                    let len42 = l17;
                    let mut result42 = _rt::Vec::with_capacity(len42);
                    for i in 0..len42 {
                        let base = base42.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                        let e42 = {
                            let l18 = *base.add(0).cast::<*mut u8>();
                            let l19 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len20 = l19;
                            let bytes20 = _rt::Vec::from_raw_parts(l18.cast(), len20, len20);
                            let l21 =
                                i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                            use super::super::super::xferd::plugin::types::Value as V41;
                            let v41 = match l21 {
                                0 => V41::Nothing,
                                1 => {
                                    let e41 = {
                                        let l22 = i32::from(
                                            *base
                                                .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<u8>(),
                                        );
                                        _rt::bool_lift(l22 as u8)
                                    };
                                    V41::Flag(e41)
                                }
                                2 => {
                                    let e41 = {
                                        let l23 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l23
                                    };
                                    V41::Int(e41)
                                }
                                3 => {
                                    let e41 = {
                                        let l24 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l24 as u64
                                    };
                                    V41::Uint(e41)
                                }
                                4 => {
                                    let e41 = {
                                        let l25 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l26 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len27 = l26;
                                        let bytes27 = _rt::Vec::from_raw_parts(l25.cast(), len27, len27);
                                        _rt::string_lift(bytes27)
                                    };
                                    V41::Text(e41)
                                }
                                5 => {
                                    let e41 = {
                                        let l28 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l29 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len30 = l29;
                                        <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                            l28.cast(),
                                            len30,
                                            len30,
                                        ))
                                    };
                                    V41::Blob(e41)
                                }
                                6 => {
                                    let e41 = {
                                        let l31 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l32 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l33 = *base
                                            .add(24 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l34 = *base
                                            .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        super::super::super::xferd::plugin::types::Id32 {
                                            a: l31 as u64,
                                            b: l32 as u64,
                                            c: l33 as u64,
                                            d: l34 as u64,
                                        }
                                    };
                                    V41::Id(e41)
                                }
                                n => {
                                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                                    let e41 = {
                                        let l35 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l36 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base40 = l35;
                                        let len40 = l36;
                                        let mut result40 = _rt::Vec::with_capacity(len40);
                                        for i in 0..len40 {
                                            let base =
                                                base40.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            let e40 = {
                                                let l37 = *base.add(0).cast::<*mut u8>();
                                                let l38 = *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len39 = l38;
                                                let bytes39 =
                                                    _rt::Vec::from_raw_parts(l37.cast(), len39, len39);
                                                _rt::string_lift(bytes39)
                                            };
                                            result40.push(e40);
                                        }
                                        _rt::cabi_dealloc(
                                            base40,
                                            len40 * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        );
                                        result40
                                    };
                                    V41::Texts(e41)
                                }
                            };
                            super::super::super::xferd::plugin::types::Attr {
                                key: _rt::string_lift(bytes20),
                                val: v41,
                            }
                        };
                        result42.push(e42);
                    }
                    _rt::cabi_dealloc(base42, len42 * (40 + 2 * ::core::mem::size_of::<*const u8>()), 8);
                    Meta {
                        name: _rt::string_lift(bytes7),
                        kind: Kind::_lift(l8 as u8),
                        size: l9 as u64,
                        modified_ms: l10 as u64,
                        digest: match l11 {
                            0 => None,
                            1 => {
                                let e = {
                                    let l12 =
                                        *ptr2.add(40 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l13 =
                                        *ptr2.add(48 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l14 =
                                        *ptr2.add(56 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l15 =
                                        *ptr2.add(64 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    super::super::super::xferd::plugin::types::Id32 {
                                        a: l12 as u64,
                                        b: l13 as u64,
                                        c: l14 as u64,
                                        d: l15 as u64,
                                    }
                                };
                                Some(e)
                            }
                            _ => _rt::invalid_enum_discriminant(),
                        },
                        attrs: result42,
                    }
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l43 = i32::from(*ptr2.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V47;
                    let v47 = match l43 {
                        0 => V47::Denied,
                        1 => V47::NotFound,
                        2 => V47::Conflict,
                        3 => V47::Limit,
                        4 => V47::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e47 = {
                                let l44 =
                                    *ptr2.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l45 =
                                    *ptr2.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len46 = l45;
                                let bytes46 = _rt::Vec::from_raw_parts(l44.cast(), len46, len46);
                                _rt::string_lift(bytes46)
                            };
                            V47::Invalid(e47)
                        }
                    };
                    v47
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result48
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn entries(root: &str, dir: &str, page: &PageReq) -> ::core::result::Result<_rt::Vec<Meta>, Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = root;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec1 = dir;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let super::super::super::xferd::plugin::types::PageReq { after: after2, limit: limit2 } = page;
        let (result4_0, result4_1, result4_2) = match after2 {
            Some(e) => {
                let vec3 = e;
                let ptr3 = vec3.as_ptr().cast::<u8>();
                let len3 = vec3.len();
                (1i32, ptr3.cast_mut(), len3)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let ptr5 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/files@0.1.0")]
        unsafe extern "C" {
            #[link_name = "entries"]
            fn wit_import6(
                _: *mut u8,
                _: usize,
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
        unsafe extern "C" fn wit_import6(
            _: *mut u8,
            _: usize,
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
        wit_import6(
            ptr0.cast_mut(),
            len0,
            ptr1.cast_mut(),
            len1,
            result4_0,
            result4_1,
            result4_2,
            _rt::as_i32(limit2),
            ptr5,
        );
        let l7 = i32::from(*ptr5.add(0).cast::<u8>());
        let result54 = match l7 {
            0 => {
                let e = {
                    let l8 = *ptr5.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l9 = *ptr5.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base48 = l8;
                    let len48 = l9;
                    let mut result48 = _rt::Vec::with_capacity(len48);
                    for i in 0..len48 {
                        let base = base48.add(i * (64 + 4 * ::core::mem::size_of::<*const u8>()));
                        let e48 = {
                            let l10 = *base.add(0).cast::<*mut u8>();
                            let l11 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len12 = l11;
                            let bytes12 = _rt::Vec::from_raw_parts(l10.cast(), len12, len12);
                            let l13 =
                                i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                            let l14 = *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                            let l15 = *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                            let l16 = i32::from(
                                *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                            );
                            let l21 =
                                *base.add(64 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                            let l22 = *base.add(64 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let base47 = l21;
                            let len47 = l22;
                            let mut result47 = _rt::Vec::with_capacity(len47);
                            for i in 0..len47 {
                                let base = base47.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                                let e47 = {
                                    let l23 = *base.add(0).cast::<*mut u8>();
                                    let l24 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                    let len25 = l24;
                                    let bytes25 = _rt::Vec::from_raw_parts(l23.cast(), len25, len25);
                                    let l26 = i32::from(
                                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                                    );
                                    use super::super::super::xferd::plugin::types::Value as V46;
                                    let v46 = match l26 {
                                        0 => V46::Nothing,
                                        1 => {
                                            let e46 = {
                                                let l27 = i32::from(
                                                    *base
                                                        .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                        .cast::<u8>(),
                                                );
                                                _rt::bool_lift(l27 as u8)
                                            };
                                            V46::Flag(e46)
                                        }
                                        2 => {
                                            let e46 = {
                                                let l28 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                l28
                                            };
                                            V46::Int(e46)
                                        }
                                        3 => {
                                            let e46 = {
                                                let l29 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                l29 as u64
                                            };
                                            V46::Uint(e46)
                                        }
                                        4 => {
                                            let e46 = {
                                                let l30 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<*mut u8>();
                                                let l31 = *base
                                                    .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len32 = l31;
                                                let bytes32 =
                                                    _rt::Vec::from_raw_parts(l30.cast(), len32, len32);
                                                _rt::string_lift(bytes32)
                                            };
                                            V46::Text(e46)
                                        }
                                        5 => {
                                            let e46 = {
                                                let l33 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<*mut u8>();
                                                let l34 = *base
                                                    .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len35 = l34;
                                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                                    l33.cast(),
                                                    len35,
                                                    len35,
                                                ))
                                            };
                                            V46::Blob(e46)
                                        }
                                        6 => {
                                            let e46 = {
                                                let l36 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                let l37 = *base
                                                    .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                let l38 = *base
                                                    .add(24 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                let l39 = *base
                                                    .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>();
                                                super::super::super::xferd::plugin::types::Id32 {
                                                    a: l36 as u64,
                                                    b: l37 as u64,
                                                    c: l38 as u64,
                                                    d: l39 as u64,
                                                }
                                            };
                                            V46::Id(e46)
                                        }
                                        n => {
                                            debug_assert_eq!(n, 7, "invalid enum discriminant");
                                            let e46 = {
                                                let l40 = *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<*mut u8>();
                                                let l41 = *base
                                                    .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let base45 = l40;
                                                let len45 = l41;
                                                let mut result45 = _rt::Vec::with_capacity(len45);
                                                for i in 0..len45 {
                                                    let base = base45
                                                        .add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                                    let e45 = {
                                                        let l42 = *base.add(0).cast::<*mut u8>();
                                                        let l43 = *base
                                                            .add(::core::mem::size_of::<*const u8>())
                                                            .cast::<usize>();
                                                        let len44 = l43;
                                                        let bytes44 = _rt::Vec::from_raw_parts(
                                                            l42.cast(),
                                                            len44,
                                                            len44,
                                                        );
                                                        _rt::string_lift(bytes44)
                                                    };
                                                    result45.push(e45);
                                                }
                                                _rt::cabi_dealloc(
                                                    base45,
                                                    len45 * (2 * ::core::mem::size_of::<*const u8>()),
                                                    ::core::mem::size_of::<*const u8>(),
                                                );
                                                result45
                                            };
                                            V46::Texts(e46)
                                        }
                                    };
                                    super::super::super::xferd::plugin::types::Attr {
                                        key: _rt::string_lift(bytes25),
                                        val: v46,
                                    }
                                };
                                result47.push(e47);
                            }
                            _rt::cabi_dealloc(
                                base47,
                                len47 * (40 + 2 * ::core::mem::size_of::<*const u8>()),
                                8,
                            );
                            Meta {
                                name: _rt::string_lift(bytes12),
                                kind: Kind::_lift(l13 as u8),
                                size: l14 as u64,
                                modified_ms: l15 as u64,
                                digest: match l16 {
                                    0 => None,
                                    1 => {
                                        let e = {
                                            let l17 = *base
                                                .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<i64>();
                                            let l18 = *base
                                                .add(40 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<i64>();
                                            let l19 = *base
                                                .add(48 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<i64>();
                                            let l20 = *base
                                                .add(56 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<i64>();
                                            super::super::super::xferd::plugin::types::Id32 {
                                                a: l17 as u64,
                                                b: l18 as u64,
                                                c: l19 as u64,
                                                d: l20 as u64,
                                            }
                                        };
                                        Some(e)
                                    }
                                    _ => _rt::invalid_enum_discriminant(),
                                },
                                attrs: result47,
                            }
                        };
                        result48.push(e48);
                    }
                    _rt::cabi_dealloc(base48, len48 * (64 + 4 * ::core::mem::size_of::<*const u8>()), 8);
                    result48
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l49 = i32::from(*ptr5.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V53;
                    let v53 = match l49 {
                        0 => V53::Denied,
                        1 => V53::NotFound,
                        2 => V53::Conflict,
                        3 => V53::Limit,
                        4 => V53::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e53 = {
                                let l50 =
                                    *ptr5.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l51 = *ptr5.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len52 = l51;
                                let bytes52 = _rt::Vec::from_raw_parts(l50.cast(), len52, len52);
                                _rt::string_lift(bytes52)
                            };
                            V53::Invalid(e53)
                        }
                    };
                    v53
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result54
    }
}
