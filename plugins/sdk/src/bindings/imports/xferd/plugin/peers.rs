#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PeerId = super::super::super::xferd::plugin::types::PeerId;
pub type GroupId = super::super::super::xferd::plugin::types::GroupId;
pub type PageReq = super::super::super::xferd::plugin::types::PageReq;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reach {
    Offline,
    Relayed,
    Direct,
    Local,
}
impl ::core::fmt::Debug for Reach {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Reach::Offline => f.debug_tuple("Reach::Offline").finish(),
            Reach::Relayed => f.debug_tuple("Reach::Relayed").finish(),
            Reach::Direct => f.debug_tuple("Reach::Direct").finish(),
            Reach::Local => f.debug_tuple("Reach::Local").finish(),
        }
    }
}
impl Reach {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Reach {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Reach::Offline,
            1 => Reach::Relayed,
            2 => Reach::Direct,
            3 => Reach::Local,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
#[derive(Clone, PartialEq)]
pub struct Peer {
    pub id: PeerId,
    pub reach: Reach,
    pub attrs: _rt::Vec<Attr>,
}
impl ::core::fmt::Debug for Peer {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id)
            .field("reach", &self.reach)
            .field("attrs", &self.attrs)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn look_up(id: PeerId) -> ::core::option::Option<Peer> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 48 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 48 + 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = id;
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/peers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "look-up"]
            fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import2(_rt::as_i64(a0), _rt::as_i64(b0), _rt::as_i64(c0), _rt::as_i64(d0), ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result36 = match l3 {
            0 => None,
            1 => {
                let e = {
                    let l4 = *ptr1.add(8).cast::<i64>();
                    let l5 = *ptr1.add(16).cast::<i64>();
                    let l6 = *ptr1.add(24).cast::<i64>();
                    let l7 = *ptr1.add(32).cast::<i64>();
                    let l8 = i32::from(*ptr1.add(40).cast::<u8>());
                    let l9 = *ptr1.add(40 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l10 = *ptr1.add(40 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base35 = l9;
                    let len35 = l10;
                    let mut result35 = _rt::Vec::with_capacity(len35);
                    for i in 0..len35 {
                        let base = base35.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                        let e35 = {
                            let l11 = *base.add(0).cast::<*mut u8>();
                            let l12 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len13 = l12;
                            let bytes13 = _rt::Vec::from_raw_parts(l11.cast(), len13, len13);
                            let l14 =
                                i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                            use super::super::super::xferd::plugin::types::Value as V34;
                            let v34 = match l14 {
                                0 => V34::Nothing,
                                1 => {
                                    let e34 = {
                                        let l15 = i32::from(
                                            *base
                                                .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<u8>(),
                                        );
                                        _rt::bool_lift(l15 as u8)
                                    };
                                    V34::Flag(e34)
                                }
                                2 => {
                                    let e34 = {
                                        let l16 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l16
                                    };
                                    V34::Int(e34)
                                }
                                3 => {
                                    let e34 = {
                                        let l17 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l17 as u64
                                    };
                                    V34::Uint(e34)
                                }
                                4 => {
                                    let e34 = {
                                        let l18 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l19 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len20 = l19;
                                        let bytes20 = _rt::Vec::from_raw_parts(l18.cast(), len20, len20);
                                        _rt::string_lift(bytes20)
                                    };
                                    V34::Text(e34)
                                }
                                5 => {
                                    let e34 = {
                                        let l21 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l22 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len23 = l22;
                                        <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                            l21.cast(),
                                            len23,
                                            len23,
                                        ))
                                    };
                                    V34::Blob(e34)
                                }
                                6 => {
                                    let e34 = {
                                        let l24 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l25 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l26 = *base
                                            .add(24 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l27 = *base
                                            .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        super::super::super::xferd::plugin::types::Id32 {
                                            a: l24 as u64,
                                            b: l25 as u64,
                                            c: l26 as u64,
                                            d: l27 as u64,
                                        }
                                    };
                                    V34::Id(e34)
                                }
                                n => {
                                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                                    let e34 = {
                                        let l28 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l29 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base33 = l28;
                                        let len33 = l29;
                                        let mut result33 = _rt::Vec::with_capacity(len33);
                                        for i in 0..len33 {
                                            let base =
                                                base33.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            let e33 = {
                                                let l30 = *base.add(0).cast::<*mut u8>();
                                                let l31 = *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len32 = l31;
                                                let bytes32 =
                                                    _rt::Vec::from_raw_parts(l30.cast(), len32, len32);
                                                _rt::string_lift(bytes32)
                                            };
                                            result33.push(e33);
                                        }
                                        _rt::cabi_dealloc(
                                            base33,
                                            len33 * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        );
                                        result33
                                    };
                                    V34::Texts(e34)
                                }
                            };
                            super::super::super::xferd::plugin::types::Attr {
                                key: _rt::string_lift(bytes13),
                                val: v34,
                            }
                        };
                        result35.push(e35);
                    }
                    _rt::cabi_dealloc(base35, len35 * (40 + 2 * ::core::mem::size_of::<*const u8>()), 8);
                    Peer {
                        id: super::super::super::xferd::plugin::types::Id32 {
                            a: l4 as u64,
                            b: l5 as u64,
                            c: l6 as u64,
                            d: l7 as u64,
                        },
                        reach: Reach::_lift(l8 as u8),
                        attrs: result35,
                    }
                };
                Some(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result36
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn online(page: &PageReq) -> _rt::Vec<PeerId> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::PageReq { after: after0, limit: limit0 } = page;
        let (result2_0, result2_1, result2_2) = match after0 {
            Some(e) => {
                let vec1 = e;
                let ptr1 = vec1.as_ptr().cast::<u8>();
                let len1 = vec1.len();
                (1i32, ptr1.cast_mut(), len1)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let ptr3 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/peers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "online"]
            fn wit_import4(_: i32, _: *mut u8, _: usize, _: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import4(_: i32, _: *mut u8, _: usize, _: i32, _: *mut u8) {
            unreachable!()
        }
        wit_import4(result2_0, result2_1, result2_2, _rt::as_i32(limit0), ptr3);
        let l5 = *ptr3.add(0).cast::<*mut u8>();
        let l6 = *ptr3.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let len7 = l6;
        let result8 = <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l5.cast(), len7, len7));
        result8
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn members(group: GroupId, page: &PageReq) -> ::core::result::Result<_rt::Vec<PeerId>, Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = group;
        let super::super::super::xferd::plugin::types::PageReq { after: after1, limit: limit1 } = page;
        let (result3_0, result3_1, result3_2) = match after1 {
            Some(e) => {
                let vec2 = e;
                let ptr2 = vec2.as_ptr().cast::<u8>();
                let len2 = vec2.len();
                (1i32, ptr2.cast_mut(), len2)
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize),
        };
        let ptr4 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/peers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "members"]
            fn wit_import5(_: i64, _: i64, _: i64, _: i64, _: i32, _: *mut u8, _: usize, _: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import5(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i32,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import5(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            result3_0,
            result3_1,
            result3_2,
            _rt::as_i32(limit1),
            ptr4,
        );
        let l6 = i32::from(*ptr4.add(0).cast::<u8>());
        let result15 = match l6 {
            0 => {
                let e = {
                    let l7 = *ptr4.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l8 = *ptr4.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len9 = l8;
                    <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l7.cast(), len9, len9))
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l10 = i32::from(*ptr4.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
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
                                    *ptr4.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l12 = *ptr4.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
