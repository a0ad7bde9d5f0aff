#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
use super::super::super::super::_rt;
pub type Request = super::super::super::super::exports::xferd::plugin::authorizer::Request;
pub type Decision = super::super::super::super::exports::xferd::plugin::authorizer::Decision;
#[derive(Clone, PartialEq)]
pub struct Entry {
    pub path: _rt::String,
    pub size: ::core::option::Option<u64>,
}
impl ::core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Entry").field("path", &self.path).field("size", &self.size).finish()
    }
}
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_decide_all_cabi<T_: Guest>(
    arg0: i64,
    arg1: i64,
    arg2: i64,
    arg3: i64,
    arg4: i32,
    arg5: *mut u8,
    arg6: usize,
    arg7: *mut u8,
    arg8: usize,
    arg9: *mut u8,
    arg10: usize,
) -> *mut u8 {
    unsafe {
        let result10 = {
            use super::super::super::super::exports::xferd::plugin::authorizer::Action as V2;
            let v2 = match arg4 {
                0 => V2::Connect,
                1 => V2::Browse,
                2 => V2::Pull,
                3 => V2::Push,
                4 => V2::Replace,
                5 => V2::Remove,
                6 => {
                    let e2 = {
                        let len0 = arg6;
                        let bytes0 = _rt::Vec::from_raw_parts(arg5.cast(), len0, len0);
                        _rt::string_lift(bytes0)
                    };
                    V2::Invoke(e2)
                }
                n => {
                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                    let e2 = {
                        let len1 = arg6;
                        let bytes1 = _rt::Vec::from_raw_parts(arg5.cast(), len1, len1);
                        _rt::string_lift(bytes1)
                    };
                    V2::Other(e2)
                }
            };
            let len3 = arg8;
            let bytes3 = _rt::Vec::from_raw_parts(arg7.cast(), len3, len3);
            let base9 = arg9;
            let len9 = arg10;
            let mut result9 = _rt::Vec::with_capacity(len9);
            for i in 0..len9 {
                let base = base9.add(i * (16 + 2 * ::core::mem::size_of::<*const u8>()));
                let e9 = {
                    let l4 = *base.add(0).cast::<*mut u8>();
                    let l5 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len6 = l5;
                    let bytes6 = _rt::Vec::from_raw_parts(l4.cast(), len6, len6);
                    let l7 = i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    Entry {
                        path: _rt::string_lift(bytes6),
                        size: match l7 {
                            0 => None,
                            1 => {
                                let e = {
                                    let l8 =
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    l8 as u64
                                };
                                Some(e)
                            }
                            _ => _rt::invalid_enum_discriminant(),
                        },
                    }
                };
                result9.push(e9);
            }
            _rt::cabi_dealloc(base9, len9 * (16 + 2 * ::core::mem::size_of::<*const u8>()), 8);
            T_::decide_all(
                super::super::super::super::exports::xferd::plugin::authorizer::Request {
                    subject: super::super::super::super::__with_name0::Id32 {
                        a: arg0 as u64,
                        b: arg1 as u64,
                        c: arg2 as u64,
                        d: arg3 as u64,
                    },
                    action: v2,
                    root: _rt::string_lift(bytes3),
                },
                result9,
            )
        };
        let ptr11 = (&raw mut _RET_AREA.0).cast::<u8>();
        let vec33 = result10;
        let len33 = vec33.len();
        let layout33 = _rt::alloc::Layout::from_size_align(
            vec33.len() * (8 + 8 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        )
        .unwrap();
        let (result33, _cleanup33) = crate::guest::rt::Cleanup::new(layout33);
        if let Some(cleanup) = _cleanup33 {
            cleanup.forget();
        }
        for (i, e) in vec33.into_iter().enumerate() {
            let base = result33.add(i * (8 + 8 * ::core::mem::size_of::<*const u8>()));
            {
                let super::super::super::super::exports::xferd::plugin::authorizer::Decision {
                    effect: effect12,
                    code: code12,
                    detail: detail12,
                    lifetime: lifetime12,
                    ttl_ms: ttl_ms12,
                    obligations: obligations12,
                } = e;
                *base.add(0).cast::<u8>() = (effect12.clone() as i32) as u8;
                let vec13 = (code12.into_bytes()).into_boxed_slice();
                let ptr13 = vec13.as_ptr().cast::<u8>();
                let len13 = vec13.len();
                ::core::mem::forget(vec13);
                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len13;
                *base.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr13.cast_mut();
                match detail12 {
                    Some(e) => {
                        *base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (1i32) as u8;
                        let vec14 = (e.into_bytes()).into_boxed_slice();
                        let ptr14 = vec14.as_ptr().cast::<u8>();
                        let len14 = vec14.len();
                        ::core::mem::forget(vec14);
                        *base.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len14;
                        *base.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr14.cast_mut();
                    }
                    None => {
                        *base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (0i32) as u8;
                    }
                };
                *base.add(6 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                    (lifetime12.clone() as i32) as u8;
                *base.add(4 + 6 * ::core::mem::size_of::<*const u8>()).cast::<i32>() = _rt::as_i32(ttl_ms12);
                let vec32 = obligations12;
                let len32 = vec32.len();
                let layout32 = _rt::alloc::Layout::from_size_align(
                    vec32.len() * (48 + 2 * ::core::mem::size_of::<*const u8>()),
                    8,
                )
                .unwrap();
                let (result32, _cleanup32) = crate::guest::rt::Cleanup::new(layout32);
                if let Some(cleanup) = _cleanup32 {
                    cleanup.forget();
                }
                for (i, e) in vec32.into_iter().enumerate() {
                    let base = result32.add(i * (48 + 2 * ::core::mem::size_of::<*const u8>()));
                    {
                        use super::super::super::super::exports::xferd::plugin::authorizer::Obligation as V31;
                        match e {
                            V31::MaxBytes(e) => {
                                *base.add(0).cast::<u8>() = (0i32) as u8;
                                *base.add(8).cast::<i64>() = _rt::as_i64(e);
                            }
                            V31::MaxFiles(e) => {
                                *base.add(0).cast::<u8>() = (1i32) as u8;
                                *base.add(8).cast::<i64>() = _rt::as_i64(e);
                            }
                            V31::BytesPerSecond(e) => {
                                *base.add(0).cast::<u8>() = (2i32) as u8;
                                *base.add(8).cast::<i64>() = _rt::as_i64(e);
                            }
                            V31::NotAfterMs(e) => {
                                *base.add(0).cast::<u8>() = (3i32) as u8;
                                *base.add(8).cast::<i64>() = _rt::as_i64(e);
                            }
                            V31::ReadOnly => {
                                *base.add(0).cast::<u8>() = (4i32) as u8;
                            }
                            V31::StoreAs(e) => {
                                *base.add(0).cast::<u8>() = (5i32) as u8;
                                let vec15 = (e.into_bytes()).into_boxed_slice();
                                let ptr15 = vec15.as_ptr().cast::<u8>();
                                let len15 = vec15.len();
                                ::core::mem::forget(vec15);
                                *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len15;
                                *base.add(8).cast::<*mut u8>() = ptr15.cast_mut();
                            }
                            V31::Label(e) => {
                                *base.add(0).cast::<u8>() = (6i32) as u8;
                                let vec16 = (e.into_bytes()).into_boxed_slice();
                                let ptr16 = vec16.as_ptr().cast::<u8>();
                                let len16 = vec16.len();
                                ::core::mem::forget(vec16);
                                *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len16;
                                *base.add(8).cast::<*mut u8>() = ptr16.cast_mut();
                            }
                            V31::Notify(e) => {
                                *base.add(0).cast::<u8>() = (7i32) as u8;
                                let vec17 = (e.into_bytes()).into_boxed_slice();
                                let ptr17 = vec17.as_ptr().cast::<u8>();
                                let len17 = vec17.len();
                                ::core::mem::forget(vec17);
                                *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len17;
                                *base.add(8).cast::<*mut u8>() = ptr17.cast_mut();
                            }
                            V31::Paths(e) => {
                                *base.add(0).cast::<u8>() = (8i32) as u8;
                                let vec22 = e;
                                let len22 = vec22.len();
                                let layout22 = _rt::alloc::Layout::from_size_align(
                                    vec22.len() * (16 + 8 * ::core::mem::size_of::<*const u8>()),
                                    8,
                                )
                                .unwrap();
                                let (result22, _cleanup22) = crate::guest::rt::Cleanup::new(layout22);
                                if let Some(cleanup) = _cleanup22 {
                                    cleanup.forget();
                                }
                                for (i, e) in vec22.into_iter().enumerate() {
                                    let base =
                                        result22.add(i * (16 + 8 * ::core::mem::size_of::<*const u8>()));
                                    {
                                        let super::super::super::super::exports::xferd::plugin::authorizer::PathRule {
                                                            glob: glob18,
                                                            bytes_max: bytes_max18,
                                                            effect: effect18,
                                                            store_as: store_as18,
                                                            code: code18,
                                                        } = e;
                                        let vec19 = (glob18.into_bytes()).into_boxed_slice();
                                        let ptr19 = vec19.as_ptr().cast::<u8>();
                                        let len19 = vec19.len();
                                        ::core::mem::forget(vec19);
                                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                            len19;
                                        *base.add(0).cast::<*mut u8>() = ptr19.cast_mut();
                                        match bytes_max18 {
                                            Some(e) => {
                                                *base
                                                    .add(2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<u8>() = (1i32) as u8;
                                                *base
                                                    .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<i64>() = _rt::as_i64(e);
                                            }
                                            None => {
                                                *base
                                                    .add(2 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<u8>() = (0i32) as u8;
                                            }
                                        };
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<u8>() = (effect18.clone() as i32) as u8;
                                        match store_as18 {
                                            Some(e) => {
                                                *base
                                                    .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<u8>() = (1i32) as u8;
                                                let vec20 = (e.into_bytes()).into_boxed_slice();
                                                let ptr20 = vec20.as_ptr().cast::<u8>();
                                                let len20 = vec20.len();
                                                ::core::mem::forget(vec20);
                                                *base
                                                    .add(16 + 5 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>() = len20;
                                                *base
                                                    .add(16 + 4 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<*mut u8>() = ptr20.cast_mut();
                                            }
                                            None => {
                                                *base
                                                    .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<u8>() = (0i32) as u8;
                                            }
                                        };
                                        let vec21 = (code18.into_bytes()).into_boxed_slice();
                                        let ptr21 = vec21.as_ptr().cast::<u8>();
                                        let len21 = vec21.len();
                                        ::core::mem::forget(vec21);
                                        *base
                                            .add(16 + 7 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>() = len21;
                                        *base
                                            .add(16 + 6 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>() = ptr21.cast_mut();
                                    }
                                }
                                *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len22;
                                *base.add(8).cast::<*mut u8>() = result22;
                            }
                            V31::MustUnderstand(e) => {
                                *base.add(0).cast::<u8>() = (9i32) as u8;
                                let super::super::super::super::__with_name0::Attr { key: key23, val: val23 } =
                                    e;
                                let vec24 = (key23.into_bytes()).into_boxed_slice();
                                let ptr24 = vec24.as_ptr().cast::<u8>();
                                let len24 = vec24.len();
                                ::core::mem::forget(vec24);
                                *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len24;
                                *base.add(8).cast::<*mut u8>() = ptr24.cast_mut();
                                use super::super::super::super::__with_name0::Value as V30;
                                match val23 {
                                    V30::Nothing => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (0i32) as u8;
                                    }
                                    V30::Flag(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (1i32) as u8;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<u8>() = (match e {
                                            true => 1,
                                            false => 0,
                                        }) as u8;
                                    }
                                    V30::Int(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (2i32) as u8;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(e);
                                    }
                                    V30::Uint(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (3i32) as u8;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(e);
                                    }
                                    V30::Text(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (4i32) as u8;
                                        let vec25 = (e.into_bytes()).into_boxed_slice();
                                        let ptr25 = vec25.as_ptr().cast::<u8>();
                                        let len25 = vec25.len();
                                        ::core::mem::forget(vec25);
                                        *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>() = len25;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>() = ptr25.cast_mut();
                                    }
                                    V30::Blob(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (5i32) as u8;
                                        let vec26 = <_ as Into<_rt::Vec<_>>>::into(e).into_boxed_slice();
                                        let ptr26 = vec26.as_ptr().cast::<u8>();
                                        let len26 = vec26.len();
                                        ::core::mem::forget(vec26);
                                        *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>() = len26;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>() = ptr26.cast_mut();
                                    }
                                    V30::Id(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (6i32) as u8;
                                        let super::super::super::super::__with_name0::Id32 {
                                            a: a27,
                                            b: b27,
                                            c: c27,
                                            d: d27,
                                        } = e;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(a27);
                                        *base
                                            .add(24 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(b27);
                                        *base
                                            .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(c27);
                                        *base
                                            .add(40 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(d27);
                                    }
                                    V30::Texts(e) => {
                                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (7i32) as u8;
                                        let vec29 = e;
                                        let len29 = vec29.len();
                                        let layout29 = _rt::alloc::Layout::from_size_align(
                                            vec29.len() * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        )
                                        .unwrap();
                                        let (result29, _cleanup29) = crate::guest::rt::Cleanup::new(layout29);
                                        if let Some(cleanup) = _cleanup29 {
                                            cleanup.forget();
                                        }
                                        for (i, e) in vec29.into_iter().enumerate() {
                                            let base =
                                                result29.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            {
                                                let vec28 = (e.into_bytes()).into_boxed_slice();
                                                let ptr28 = vec28.as_ptr().cast::<u8>();
                                                let len28 = vec28.len();
                                                ::core::mem::forget(vec28);
                                                *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>() = len28;
                                                *base.add(0).cast::<*mut u8>() = ptr28.cast_mut();
                                            }
                                        }
                                        *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>() = len29;
                                        *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>() = result29;
                                    }
                                }
                            }
                        }
                    }
                }
                *base.add(8 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len32;
                *base.add(8 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result32;
            }
        }
        *ptr11.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len33;
        *ptr11.add(0).cast::<*mut u8>() = result33;
        ptr11
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_decide_all<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = *arg0.add(0).cast::<*mut u8>();
        let l1 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base40 = l0;
        let len40 = l1;
        for i in 0..len40 {
            let base = base40.add(i * (8 + 8 * ::core::mem::size_of::<*const u8>()));
            {
                let l2 = *base.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l3 = *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l2, l3, 1);
                let l4 = i32::from(*base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                match l4 {
                    0 => {}
                    _ => {
                        let l5 = *base.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                        let l6 = *base.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l5, l6, 1);
                    }
                }
                let l7 = *base.add(8 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l8 = *base.add(8 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                let base39 = l7;
                let len39 = l8;
                for i in 0..len39 {
                    let base = base39.add(i * (48 + 2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let l9 = i32::from(*base.add(0).cast::<u8>());
                        match l9 {
                            0 => {}
                            1 => {}
                            2 => {}
                            3 => {}
                            4 => {}
                            5 => {
                                let l10 = *base.add(8).cast::<*mut u8>();
                                let l11 =
                                    *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l10, l11, 1);
                            }
                            6 => {
                                let l12 = *base.add(8).cast::<*mut u8>();
                                let l13 =
                                    *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l12, l13, 1);
                            }
                            7 => {
                                let l14 = *base.add(8).cast::<*mut u8>();
                                let l15 =
                                    *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l14, l15, 1);
                            }
                            8 => {
                                let l16 = *base.add(8).cast::<*mut u8>();
                                let l17 =
                                    *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base25 = l16;
                                let len25 = l17;
                                for i in 0..len25 {
                                    let base = base25.add(i * (16 + 8 * ::core::mem::size_of::<*const u8>()));
                                    {
                                        let l18 = *base.add(0).cast::<*mut u8>();
                                        let l19 =
                                            *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                        _rt::cabi_dealloc(l18, l19, 1);
                                        let l20 = i32::from(
                                            *base
                                                .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                                .cast::<u8>(),
                                        );
                                        match l20 {
                                            0 => {}
                                            _ => {
                                                let l21 = *base
                                                    .add(16 + 4 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<*mut u8>();
                                                let l22 = *base
                                                    .add(16 + 5 * ::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                _rt::cabi_dealloc(l21, l22, 1);
                                            }
                                        }
                                        let l23 = *base
                                            .add(16 + 6 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l24 = *base
                                            .add(16 + 7 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        _rt::cabi_dealloc(l23, l24, 1);
                                    }
                                }
                                _rt::cabi_dealloc(
                                    base25,
                                    len25 * (16 + 8 * ::core::mem::size_of::<*const u8>()),
                                    8,
                                );
                            }
                            _ => {
                                let l26 = *base.add(8).cast::<*mut u8>();
                                let l27 =
                                    *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l26, l27, 1);
                                let l28 = i32::from(
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                                );
                                match l28 {
                                    0 => {}
                                    1 => {}
                                    2 => {}
                                    3 => {}
                                    4 => {
                                        let l29 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l30 = *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        _rt::cabi_dealloc(l29, l30, 1);
                                    }
                                    5 => {
                                        let l31 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l32 = *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base33 = l31;
                                        let len33 = l32;
                                        _rt::cabi_dealloc(base33, len33 * 1, 1);
                                    }
                                    6 => {}
                                    _ => {
                                        let l34 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l35 = *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base38 = l34;
                                        let len38 = l35;
                                        for i in 0..len38 {
                                            let base =
                                                base38.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            {
                                                let l36 = *base.add(0).cast::<*mut u8>();
                                                let l37 = *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                _rt::cabi_dealloc(l36, l37, 1);
                                            }
                                        }
                                        _rt::cabi_dealloc(
                                            base38,
                                            len38 * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        );
                                    }
                                }
                            }
                        }
                    }
                }
                _rt::cabi_dealloc(base39, len39 * (48 + 2 * ::core::mem::size_of::<*const u8>()), 8);
            }
        }
        _rt::cabi_dealloc(
            base40,
            len40 * (8 + 8 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        );
    }
}
pub trait Guest {
    /// As many decisions as entries, in their order; at most 1024. Only effect, code and detail of them are used.
    #[allow(async_fn_in_trait)]
    fn decide_all(req: Request, entries: _rt::Vec<Entry>) -> _rt::Vec<Decision>;
}
#[doc(hidden)]
#[macro_export]
macro_rules! __export_batch_policy_xferd_plugin_batch_authorizer_0_1_0_cabi {
                    ($ty:ident with_types_in $($path_to_types:tt)*) => {
                        const _ : () = { #[unsafe (export_name =
                        "xferd:plugin/batch-authorizer@0.1.0#decide-all")] unsafe extern
                        "C" fn export_decide_all(arg0 : i64, arg1 : i64, arg2 : i64, arg3
                        : i64, arg4 : i32, arg5 : * mut u8, arg6 : usize, arg7 : * mut
                        u8, arg8 : usize, arg9 : * mut u8, arg10 : usize,) -> * mut u8 {
                        unsafe { $($path_to_types)*:: _export_decide_all_cabi::<$ty >
                        (arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9,
                        arg10) } } #[unsafe (export_name =
                        "cabi_post_xferd:plugin/batch-authorizer@0.1.0#decide-all")]
                        unsafe extern "C" fn _post_return_decide_all(arg0 : * mut u8,) {
                        unsafe { $($path_to_types)*:: __post_return_decide_all::<$ty >
                        (arg0) } } };
                    };
                }
#[doc(hidden)]
pub use __export_batch_policy_xferd_plugin_batch_authorizer_0_1_0_cabi;
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct _RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
static mut _RET_AREA: _RetArea =
    _RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
