#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PeerId = super::super::super::xferd::plugin::types::PeerId;
pub type GroupId = super::super::super::xferd::plugin::types::GroupId;
pub type Value = super::super::super::xferd::plugin::types::Value;
#[allow(unused_unsafe, clippy::all)]
/// This node.
#[allow(async_fn_in_trait)]
pub fn me() -> PeerId {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 32]);
        let mut ret_area = RetArea([::core::mem::MaybeUninit::uninit(); 32]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/identity@0.1.0")]
        unsafe extern "C" {
            #[link_name = "me"]
            fn wit_import1(_: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: *mut u8) {
            unreachable!()
        }
        wit_import1(ptr0);
        let l2 = *ptr0.add(0).cast::<i64>();
        let l3 = *ptr0.add(8).cast::<i64>();
        let l4 = *ptr0.add(16).cast::<i64>();
        let l5 = *ptr0.add(24).cast::<i64>();
        let result6 = super::super::super::xferd::plugin::types::Id32 {
            a: l2 as u64,
            b: l3 as u64,
            c: l4 as u64,
            d: l5 as u64,
        };
        result6
    }
}
#[allow(unused_unsafe, clippy::all)]
/// A fact about a device: `account` and `name` always; others only if `grants.identity.claims` names them. There is
/// `groups`: the names of the groups that its account is in, as sorted texts; empty where it is in none.
#[allow(async_fn_in_trait)]
pub fn claim(peer: PeerId, name: &str) -> ::core::option::Option<Value> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 48]);
        let mut ret_area = RetArea([::core::mem::MaybeUninit::uninit(); 48]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = peer;
        let vec1 = name;
        let ptr1 = vec1.as_ptr().cast::<u8>();
        let len1 = vec1.len();
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/identity@0.1.0")]
        unsafe extern "C" {
            #[link_name = "claim"]
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
        let result26 = match l4 {
            0 => None,
            1 => {
                let e = {
                    let l5 = i32::from(*ptr2.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Value as V25;
                    let v25 = match l5 {
                        0 => V25::Nothing,
                        1 => {
                            let e25 = {
                                let l6 = i32::from(*ptr2.add(16).cast::<u8>());
                                _rt::bool_lift(l6 as u8)
                            };
                            V25::Flag(e25)
                        }
                        2 => {
                            let e25 = {
                                let l7 = *ptr2.add(16).cast::<i64>();
                                l7
                            };
                            V25::Int(e25)
                        }
                        3 => {
                            let e25 = {
                                let l8 = *ptr2.add(16).cast::<i64>();
                                l8 as u64
                            };
                            V25::Uint(e25)
                        }
                        4 => {
                            let e25 = {
                                let l9 = *ptr2.add(16).cast::<*mut u8>();
                                let l10 =
                                    *ptr2.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len11 = l10;
                                let bytes11 = _rt::Vec::from_raw_parts(l9.cast(), len11, len11);
                                _rt::string_lift(bytes11)
                            };
                            V25::Text(e25)
                        }
                        5 => {
                            let e25 = {
                                let l12 = *ptr2.add(16).cast::<*mut u8>();
                                let l13 =
                                    *ptr2.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len14 = l13;
                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l12.cast(),
                                    len14,
                                    len14,
                                ))
                            };
                            V25::Blob(e25)
                        }
                        6 => {
                            let e25 = {
                                let l15 = *ptr2.add(16).cast::<i64>();
                                let l16 = *ptr2.add(24).cast::<i64>();
                                let l17 = *ptr2.add(32).cast::<i64>();
                                let l18 = *ptr2.add(40).cast::<i64>();
                                super::super::super::xferd::plugin::types::Id32 {
                                    a: l15 as u64,
                                    b: l16 as u64,
                                    c: l17 as u64,
                                    d: l18 as u64,
                                }
                            };
                            V25::Id(e25)
                        }
                        n => {
                            debug_assert_eq!(n, 7, "invalid enum discriminant");
                            let e25 = {
                                let l19 = *ptr2.add(16).cast::<*mut u8>();
                                let l20 =
                                    *ptr2.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base24 = l19;
                                let len24 = l20;
                                let mut result24 = _rt::Vec::with_capacity(len24);
                                for i in 0..len24 {
                                    let base = base24.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    let e24 = {
                                        let l21 = *base.add(0).cast::<*mut u8>();
                                        let l22 =
                                            *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                        let len23 = l22;
                                        let bytes23 = _rt::Vec::from_raw_parts(l21.cast(), len23, len23);
                                        _rt::string_lift(bytes23)
                                    };
                                    result24.push(e24);
                                }
                                _rt::cabi_dealloc(
                                    base24,
                                    len24 * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                );
                                result24
                            };
                            V25::Texts(e25)
                        }
                    };
                    v25
                };
                Some(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result26
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Whether the device's account is in the group.
#[allow(async_fn_in_trait)]
pub fn is_member(peer: PeerId, group: GroupId) -> bool {
    unsafe {
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = peer;
        let super::super::super::xferd::plugin::types::Id32 { a: a1, b: b1, c: c1, d: d1 } = group;
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/identity@0.1.0")]
        unsafe extern "C" {
            #[link_name = "is-member"]
            fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64, _: i64) -> i32;
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i64,
        ) -> i32 {
            unreachable!()
        }
        let ret = wit_import2(
            _rt::as_i64(a0),
            _rt::as_i64(b0),
            _rt::as_i64(c0),
            _rt::as_i64(d0),
            _rt::as_i64(a1),
            _rt::as_i64(b1),
            _rt::as_i64(c1),
            _rt::as_i64(d1),
        );
        _rt::bool_lift(ret as u8)
    }
}
#[allow(unused_unsafe, clippy::all)]
/// The groups that the device's account is in, sorted, at most 256.
#[allow(async_fn_in_trait)]
pub fn groups_of(peer: PeerId) -> _rt::Vec<GroupId> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = peer;
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/identity@0.1.0")]
        unsafe extern "C" {
            #[link_name = "groups-of"]
            fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: i64, _: i64, _: i64, _: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import2(_rt::as_i64(a0), _rt::as_i64(b0), _rt::as_i64(c0), _rt::as_i64(d0), ptr1);
        let l3 = *ptr1.add(0).cast::<*mut u8>();
        let l4 = *ptr1.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let len5 = l4;
        let result6 = <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l3.cast(), len5, len5));
        result6
    }
}
