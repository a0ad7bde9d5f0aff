#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Value = super::super::super::xferd::plugin::types::Value;
#[allow(unused_unsafe, clippy::all)]
/// The fact; none where there is no such fact.
#[allow(async_fn_in_trait)]
pub fn get(key: &str) -> ::core::option::Option<Value> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 48]);
        let mut ret_area = RetArea([::core::mem::MaybeUninit::uninit(); 48]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/context@0.1.0")]
        unsafe extern "C" {
            #[link_name = "get"]
            fn wit_import2(_: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import2(_: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import2(ptr0.cast_mut(), len0, ptr1);
        let l3 = i32::from(*ptr1.add(0).cast::<u8>());
        let result25 = match l3 {
            0 => None,
            1 => {
                let e = {
                    let l4 = i32::from(*ptr1.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Value as V24;
                    let v24 = match l4 {
                        0 => V24::Nothing,
                        1 => {
                            let e24 = {
                                let l5 = i32::from(*ptr1.add(16).cast::<u8>());
                                _rt::bool_lift(l5 as u8)
                            };
                            V24::Flag(e24)
                        }
                        2 => {
                            let e24 = {
                                let l6 = *ptr1.add(16).cast::<i64>();
                                l6
                            };
                            V24::Int(e24)
                        }
                        3 => {
                            let e24 = {
                                let l7 = *ptr1.add(16).cast::<i64>();
                                l7 as u64
                            };
                            V24::Uint(e24)
                        }
                        4 => {
                            let e24 = {
                                let l8 = *ptr1.add(16).cast::<*mut u8>();
                                let l9 =
                                    *ptr1.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len10 = l9;
                                let bytes10 = _rt::Vec::from_raw_parts(l8.cast(), len10, len10);
                                _rt::string_lift(bytes10)
                            };
                            V24::Text(e24)
                        }
                        5 => {
                            let e24 = {
                                let l11 = *ptr1.add(16).cast::<*mut u8>();
                                let l12 =
                                    *ptr1.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len13 = l12;
                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l11.cast(),
                                    len13,
                                    len13,
                                ))
                            };
                            V24::Blob(e24)
                        }
                        6 => {
                            let e24 = {
                                let l14 = *ptr1.add(16).cast::<i64>();
                                let l15 = *ptr1.add(24).cast::<i64>();
                                let l16 = *ptr1.add(32).cast::<i64>();
                                let l17 = *ptr1.add(40).cast::<i64>();
                                super::super::super::xferd::plugin::types::Id32 {
                                    a: l14 as u64,
                                    b: l15 as u64,
                                    c: l16 as u64,
                                    d: l17 as u64,
                                }
                            };
                            V24::Id(e24)
                        }
                        n => {
                            debug_assert_eq!(n, 7, "invalid enum discriminant");
                            let e24 = {
                                let l18 = *ptr1.add(16).cast::<*mut u8>();
                                let l19 =
                                    *ptr1.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base23 = l18;
                                let len23 = l19;
                                let mut result23 = _rt::Vec::with_capacity(len23);
                                for i in 0..len23 {
                                    let base = base23.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    let e23 = {
                                        let l20 = *base.add(0).cast::<*mut u8>();
                                        let l21 =
                                            *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                        let len22 = l21;
                                        let bytes22 = _rt::Vec::from_raw_parts(l20.cast(), len22, len22);
                                        _rt::string_lift(bytes22)
                                    };
                                    result23.push(e23);
                                }
                                _rt::cabi_dealloc(
                                    base23,
                                    len23 * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                );
                                result23
                            };
                            V24::Texts(e24)
                        }
                    };
                    v24
                };
                Some(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result25
    }
}
#[allow(unused_unsafe, clippy::all)]
/// As many answers as keys, in their order; at most 64.
#[allow(async_fn_in_trait)]
pub fn get_many(keys: &[_rt::String]) -> _rt::Vec<::core::option::Option<Value>> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
        let vec1 = keys;
        let len1 = vec1.len();
        let layout1 = _rt::alloc::Layout::from_size_align(
            vec1.len() * (2 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        )
        .unwrap();
        let (result1, _cleanup1) = crate::guest::rt::Cleanup::new(layout1);
        for (i, e) in vec1.into_iter().enumerate() {
            let base = result1.add(i * (2 * ::core::mem::size_of::<*const u8>()));
            {
                let vec0 = e;
                let ptr0 = vec0.as_ptr().cast::<u8>();
                let len0 = vec0.len();
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len0;
                *base.add(0).cast::<*mut u8>() = ptr0.cast_mut();
            }
        }
        let ptr2 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/context@0.1.0")]
        unsafe extern "C" {
            #[link_name = "get-many"]
            fn wit_import3(_: *mut u8, _: usize, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import3(_: *mut u8, _: usize, _: *mut u8) {
            unreachable!()
        }
        wit_import3(result1, len1, ptr2);
        let l4 = *ptr2.add(0).cast::<*mut u8>();
        let l5 = *ptr2.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base28 = l4;
        let len28 = l5;
        let mut result28 = _rt::Vec::with_capacity(len28);
        for i in 0..len28 {
            let base = base28.add(i * 48);
            let e28 = {
                let l6 = i32::from(*base.add(0).cast::<u8>());
                match l6 {
                    0 => None,
                    1 => {
                        let e = {
                            let l7 = i32::from(*base.add(8).cast::<u8>());
                            use super::super::super::xferd::plugin::types::Value as V27;
                            let v27 = match l7 {
                                0 => V27::Nothing,
                                1 => {
                                    let e27 = {
                                        let l8 = i32::from(*base.add(16).cast::<u8>());
                                        _rt::bool_lift(l8 as u8)
                                    };
                                    V27::Flag(e27)
                                }
                                2 => {
                                    let e27 = {
                                        let l9 = *base.add(16).cast::<i64>();
                                        l9
                                    };
                                    V27::Int(e27)
                                }
                                3 => {
                                    let e27 = {
                                        let l10 = *base.add(16).cast::<i64>();
                                        l10 as u64
                                    };
                                    V27::Uint(e27)
                                }
                                4 => {
                                    let e27 = {
                                        let l11 = *base.add(16).cast::<*mut u8>();
                                        let l12 = *base
                                            .add(16 + 1 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len13 = l12;
                                        let bytes13 = _rt::Vec::from_raw_parts(l11.cast(), len13, len13);
                                        _rt::string_lift(bytes13)
                                    };
                                    V27::Text(e27)
                                }
                                5 => {
                                    let e27 = {
                                        let l14 = *base.add(16).cast::<*mut u8>();
                                        let l15 = *base
                                            .add(16 + 1 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len16 = l15;
                                        <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                            l14.cast(),
                                            len16,
                                            len16,
                                        ))
                                    };
                                    V27::Blob(e27)
                                }
                                6 => {
                                    let e27 = {
                                        let l17 = *base.add(16).cast::<i64>();
                                        let l18 = *base.add(24).cast::<i64>();
                                        let l19 = *base.add(32).cast::<i64>();
                                        let l20 = *base.add(40).cast::<i64>();
                                        super::super::super::xferd::plugin::types::Id32 {
                                            a: l17 as u64,
                                            b: l18 as u64,
                                            c: l19 as u64,
                                            d: l20 as u64,
                                        }
                                    };
                                    V27::Id(e27)
                                }
                                n => {
                                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                                    let e27 = {
                                        let l21 = *base.add(16).cast::<*mut u8>();
                                        let l22 = *base
                                            .add(16 + 1 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base26 = l21;
                                        let len26 = l22;
                                        let mut result26 = _rt::Vec::with_capacity(len26);
                                        for i in 0..len26 {
                                            let base =
                                                base26.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            let e26 = {
                                                let l23 = *base.add(0).cast::<*mut u8>();
                                                let l24 = *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len25 = l24;
                                                let bytes25 =
                                                    _rt::Vec::from_raw_parts(l23.cast(), len25, len25);
                                                _rt::string_lift(bytes25)
                                            };
                                            result26.push(e26);
                                        }
                                        _rt::cabi_dealloc(
                                            base26,
                                            len26 * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        );
                                        result26
                                    };
                                    V27::Texts(e27)
                                }
                            };
                            v27
                        };
                        Some(e)
                    }
                    _ => _rt::invalid_enum_discriminant(),
                }
            };
            result28.push(e28);
        }
        _rt::cabi_dealloc(base28, len28 * 48, 8);
        let result29 = result28;
        result29
    }
}
