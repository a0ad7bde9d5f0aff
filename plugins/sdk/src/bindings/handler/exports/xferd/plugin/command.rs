#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
use super::super::super::super::_rt;
pub type PeerId = super::super::super::super::__with_name0::PeerId;
pub type Attr = super::super::super::super::__with_name0::Attr;
pub type Event = super::super::super::super::__with_name0::Event;
pub type Ticket = super::super::super::super::__with_name0::Ticket;
/// `name` is the protocol, unique on a node. `arguments` name the keys of an invocation's `arguments`, `actions`
/// what a policy has to allow beside `invoke(name)`.
#[derive(Clone, PartialEq)]
pub struct Spec {
    pub name: _rt::String,
    pub summary: _rt::String,
    pub arguments: _rt::Vec<_rt::String>,
    pub actions: _rt::Vec<_rt::String>,
}
impl ::core::fmt::Debug for Spec {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .field("summary", &self.summary)
            .field("arguments", &self.arguments)
            .field("actions", &self.actions)
            .finish()
    }
}
/// `body` at most 1 MiB. `call` is the ticket under which a `later` is answered.
#[derive(Clone, PartialEq)]
pub struct Invocation {
    pub name: _rt::String,
    pub caller: PeerId,
    pub call: Ticket,
    pub arguments: _rt::Vec<Attr>,
    pub body: _rt::Vec<u8>,
}
impl ::core::fmt::Debug for Invocation {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Invocation")
            .field("name", &self.name)
            .field("caller", &self.caller)
            .field("call", &self.call)
            .field("arguments", &self.arguments)
            .field("body", &self.body)
            .finish()
    }
}
/// Exactly one answer goes to the caller. `later`: through `messages.answer(call, ..)`, within the caller's
/// deadline. `refused`: the text, for people.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    Done(_rt::Vec<u8>),
    Later,
    Refused(_rt::String),
}
impl ::core::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Outcome::Done(e) => f.debug_tuple("Outcome::Done").field(e).finish(),
            Outcome::Later => f.debug_tuple("Outcome::Later").finish(),
            Outcome::Refused(e) => f.debug_tuple("Outcome::Refused").field(e).finish(),
        }
    }
}
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_describe_cabi<T_: Guest>() -> *mut u8 {
    unsafe {
        let result0 = { T_::describe() };
        let ptr1 = (&raw mut _RET_AREA.0).cast::<u8>();
        let vec9 = result0;
        let len9 = vec9.len();
        let layout9 = _rt::alloc::Layout::from_size_align(
            vec9.len() * (8 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        )
        .unwrap();
        let (result9, _cleanup9) = crate::guest::rt::Cleanup::new(layout9);
        if let Some(cleanup) = _cleanup9 {
            cleanup.forget();
        }
        for (i, e) in vec9.into_iter().enumerate() {
            let base = result9.add(i * (8 * ::core::mem::size_of::<*const u8>()));
            {
                let Spec { name: name2, summary: summary2, arguments: arguments2, actions: actions2 } = e;
                let vec3 = (name2.into_bytes()).into_boxed_slice();
                let ptr3 = vec3.as_ptr().cast::<u8>();
                let len3 = vec3.len();
                ::core::mem::forget(vec3);
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len3;
                *base.add(0).cast::<*mut u8>() = ptr3.cast_mut();
                let vec4 = (summary2.into_bytes()).into_boxed_slice();
                let ptr4 = vec4.as_ptr().cast::<u8>();
                let len4 = vec4.len();
                ::core::mem::forget(vec4);
                *base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len4;
                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr4.cast_mut();
                let vec6 = arguments2;
                let len6 = vec6.len();
                let layout6 = _rt::alloc::Layout::from_size_align(
                    vec6.len() * (2 * ::core::mem::size_of::<*const u8>()),
                    ::core::mem::size_of::<*const u8>(),
                )
                .unwrap();
                let (result6, _cleanup6) = crate::guest::rt::Cleanup::new(layout6);
                if let Some(cleanup) = _cleanup6 {
                    cleanup.forget();
                }
                for (i, e) in vec6.into_iter().enumerate() {
                    let base = result6.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let vec5 = (e.into_bytes()).into_boxed_slice();
                        let ptr5 = vec5.as_ptr().cast::<u8>();
                        let len5 = vec5.len();
                        ::core::mem::forget(vec5);
                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len5;
                        *base.add(0).cast::<*mut u8>() = ptr5.cast_mut();
                    }
                }
                *base.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len6;
                *base.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result6;
                let vec8 = actions2;
                let len8 = vec8.len();
                let layout8 = _rt::alloc::Layout::from_size_align(
                    vec8.len() * (2 * ::core::mem::size_of::<*const u8>()),
                    ::core::mem::size_of::<*const u8>(),
                )
                .unwrap();
                let (result8, _cleanup8) = crate::guest::rt::Cleanup::new(layout8);
                if let Some(cleanup) = _cleanup8 {
                    cleanup.forget();
                }
                for (i, e) in vec8.into_iter().enumerate() {
                    let base = result8.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let vec7 = (e.into_bytes()).into_boxed_slice();
                        let ptr7 = vec7.as_ptr().cast::<u8>();
                        let len7 = vec7.len();
                        ::core::mem::forget(vec7);
                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len7;
                        *base.add(0).cast::<*mut u8>() = ptr7.cast_mut();
                    }
                }
                *base.add(7 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len8;
                *base.add(6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result8;
            }
        }
        *ptr1.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len9;
        *ptr1.add(0).cast::<*mut u8>() = result9;
        ptr1
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_describe<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = *arg0.add(0).cast::<*mut u8>();
        let l1 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base16 = l0;
        let len16 = l1;
        for i in 0..len16 {
            let base = base16.add(i * (8 * ::core::mem::size_of::<*const u8>()));
            {
                let l2 = *base.add(0).cast::<*mut u8>();
                let l3 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l2, l3, 1);
                let l4 = *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l5 = *base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l4, l5, 1);
                let l6 = *base.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l7 = *base.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                let base10 = l6;
                let len10 = l7;
                for i in 0..len10 {
                    let base = base10.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let l8 = *base.add(0).cast::<*mut u8>();
                        let l9 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l8, l9, 1);
                    }
                }
                _rt::cabi_dealloc(
                    base10,
                    len10 * (2 * ::core::mem::size_of::<*const u8>()),
                    ::core::mem::size_of::<*const u8>(),
                );
                let l11 = *base.add(6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l12 = *base.add(7 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                let base15 = l11;
                let len15 = l12;
                for i in 0..len15 {
                    let base = base15.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let l13 = *base.add(0).cast::<*mut u8>();
                        let l14 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l13, l14, 1);
                    }
                }
                _rt::cabi_dealloc(
                    base15,
                    len15 * (2 * ::core::mem::size_of::<*const u8>()),
                    ::core::mem::size_of::<*const u8>(),
                );
            }
        }
        _rt::cabi_dealloc(
            base16,
            len16 * (8 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        );
    }
}
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_run_cabi<T_: Guest>(
    arg0: *mut u8,
    arg1: usize,
    arg2: i64,
    arg3: i64,
    arg4: i64,
    arg5: i64,
    arg6: i64,
    arg7: *mut u8,
    arg8: usize,
    arg9: *mut u8,
    arg10: usize,
) -> *mut u8 {
    unsafe {
        let result27 = {
            let len0 = arg1;
            let bytes0 = _rt::Vec::from_raw_parts(arg0.cast(), len0, len0);
            let base25 = arg7;
            let len25 = arg8;
            let mut result25 = _rt::Vec::with_capacity(len25);
            for i in 0..len25 {
                let base = base25.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                let e25 = {
                    let l1 = *base.add(0).cast::<*mut u8>();
                    let l2 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len3 = l2;
                    let bytes3 = _rt::Vec::from_raw_parts(l1.cast(), len3, len3);
                    let l4 = i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::super::__with_name0::Value as V24;
                    let v24 = match l4 {
                        0 => V24::Nothing,
                        1 => {
                            let e24 = {
                                let l5 = i32::from(
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                                );
                                _rt::bool_lift(l5 as u8)
                            };
                            V24::Flag(e24)
                        }
                        2 => {
                            let e24 = {
                                let l6 = *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                l6
                            };
                            V24::Int(e24)
                        }
                        3 => {
                            let e24 = {
                                let l7 = *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                l7 as u64
                            };
                            V24::Uint(e24)
                        }
                        4 => {
                            let e24 = {
                                let l8 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l9 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len10 = l9;
                                let bytes10 = _rt::Vec::from_raw_parts(l8.cast(), len10, len10);
                                _rt::string_lift(bytes10)
                            };
                            V24::Text(e24)
                        }
                        5 => {
                            let e24 = {
                                let l11 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l12 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
                                let l14 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l15 =
                                    *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l16 =
                                    *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l17 =
                                    *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                super::super::super::super::__with_name0::Id32 {
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
                                let l18 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l19 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
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
                    super::super::super::super::__with_name0::Attr { key: _rt::string_lift(bytes3), val: v24 }
                };
                result25.push(e25);
            }
            _rt::cabi_dealloc(base25, len25 * (40 + 2 * ::core::mem::size_of::<*const u8>()), 8);
            let len26 = arg10;
            T_::run(Invocation {
                name: _rt::string_lift(bytes0),
                caller: super::super::super::super::__with_name0::Id32 {
                    a: arg2 as u64,
                    b: arg3 as u64,
                    c: arg4 as u64,
                    d: arg5 as u64,
                },
                call: arg6 as u64,
                arguments: result25,
                body: <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(arg9.cast(), len26, len26)),
            })
        };
        let ptr28 = (&raw mut _RET_AREA.0).cast::<u8>();
        match result27 {
            Outcome::Done(e) => {
                *ptr28.add(0).cast::<u8>() = (0i32) as u8;
                let vec29 = <_ as Into<_rt::Vec<_>>>::into(e).into_boxed_slice();
                let ptr29 = vec29.as_ptr().cast::<u8>();
                let len29 = vec29.len();
                ::core::mem::forget(vec29);
                *ptr28.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len29;
                *ptr28.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr29.cast_mut();
            }
            Outcome::Later => {
                *ptr28.add(0).cast::<u8>() = (1i32) as u8;
            }
            Outcome::Refused(e) => {
                *ptr28.add(0).cast::<u8>() = (2i32) as u8;
                let vec30 = (e.into_bytes()).into_boxed_slice();
                let ptr30 = vec30.as_ptr().cast::<u8>();
                let len30 = vec30.len();
                ::core::mem::forget(vec30);
                *ptr28.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len30;
                *ptr28.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr30.cast_mut();
            }
        }
        ptr28
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_run<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = i32::from(*arg0.add(0).cast::<u8>());
        match l0 {
            0 => {
                let l1 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l2 = *arg0.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                let base3 = l1;
                let len3 = l2;
                _rt::cabi_dealloc(base3, len3 * 1, 1);
            }
            1 => {}
            _ => {
                let l4 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l5 = *arg0.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l4, l5, 1);
            }
        }
    }
}
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_on_events_cabi<T_: Guest>(arg0: *mut u8, arg1: usize) {
    unsafe {
        {
            let base42 = arg0;
            let len42 = arg1;
            let mut result42 = _rt::Vec::with_capacity(len42);
            for i in 0..len42 {
                let base = base42.add(i * (72 + 6 * ::core::mem::size_of::<*const u8>()));
                let e42 = {
                    let l0 = *base.add(0).cast::<i64>();
                    let l1 = *base.add(8).cast::<i64>();
                    let l2 = *base.add(16).cast::<*mut u8>();
                    let l3 = *base.add(16 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len4 = l3;
                    let bytes4 = _rt::Vec::from_raw_parts(l2.cast(), len4, len4);
                    let l5 = i32::from(*base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    let l10 = i32::from(*base.add(56 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    let l12 = *base.add(72 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l13 = *base.add(72 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let base38 = l12;
                    let len38 = l13;
                    let mut result38 = _rt::Vec::with_capacity(len38);
                    for i in 0..len38 {
                        let base = base38.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                        let e38 = {
                            let l14 = *base.add(0).cast::<*mut u8>();
                            let l15 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len16 = l15;
                            let bytes16 = _rt::Vec::from_raw_parts(l14.cast(), len16, len16);
                            let l17 =
                                i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                            use super::super::super::super::__with_name0::Value as V37;
                            let v37 = match l17 {
                                0 => V37::Nothing,
                                1 => {
                                    let e37 = {
                                        let l18 = i32::from(
                                            *base
                                                .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                                .cast::<u8>(),
                                        );
                                        _rt::bool_lift(l18 as u8)
                                    };
                                    V37::Flag(e37)
                                }
                                2 => {
                                    let e37 = {
                                        let l19 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l19
                                    };
                                    V37::Int(e37)
                                }
                                3 => {
                                    let e37 = {
                                        let l20 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        l20 as u64
                                    };
                                    V37::Uint(e37)
                                }
                                4 => {
                                    let e37 = {
                                        let l21 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l22 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len23 = l22;
                                        let bytes23 = _rt::Vec::from_raw_parts(l21.cast(), len23, len23);
                                        _rt::string_lift(bytes23)
                                    };
                                    V37::Text(e37)
                                }
                                5 => {
                                    let e37 = {
                                        let l24 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l25 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let len26 = l25;
                                        <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                            l24.cast(),
                                            len26,
                                            len26,
                                        ))
                                    };
                                    V37::Blob(e37)
                                }
                                6 => {
                                    let e37 = {
                                        let l27 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l28 = *base
                                            .add(16 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l29 = *base
                                            .add(24 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        let l30 = *base
                                            .add(32 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>();
                                        super::super::super::super::__with_name0::Id32 {
                                            a: l27 as u64,
                                            b: l28 as u64,
                                            c: l29 as u64,
                                            d: l30 as u64,
                                        }
                                    };
                                    V37::Id(e37)
                                }
                                n => {
                                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                                    let e37 = {
                                        let l31 = *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l32 = *base
                                            .add(8 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        let base36 = l31;
                                        let len36 = l32;
                                        let mut result36 = _rt::Vec::with_capacity(len36);
                                        for i in 0..len36 {
                                            let base =
                                                base36.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                            let e36 = {
                                                let l33 = *base.add(0).cast::<*mut u8>();
                                                let l34 = *base
                                                    .add(::core::mem::size_of::<*const u8>())
                                                    .cast::<usize>();
                                                let len35 = l34;
                                                let bytes35 =
                                                    _rt::Vec::from_raw_parts(l33.cast(), len35, len35);
                                                _rt::string_lift(bytes35)
                                            };
                                            result36.push(e36);
                                        }
                                        _rt::cabi_dealloc(
                                            base36,
                                            len36 * (2 * ::core::mem::size_of::<*const u8>()),
                                            ::core::mem::size_of::<*const u8>(),
                                        );
                                        result36
                                    };
                                    V37::Texts(e37)
                                }
                            };
                            super::super::super::super::__with_name0::Attr {
                                key: _rt::string_lift(bytes16),
                                val: v37,
                            }
                        };
                        result38.push(e38);
                    }
                    _rt::cabi_dealloc(base38, len38 * (40 + 2 * ::core::mem::size_of::<*const u8>()), 8);
                    let l39 = *base.add(72 + 4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l40 = *base.add(72 + 5 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len41 = l40;
                    super::super::super::super::__with_name0::Event {
                        seq: l0 as u64,
                        at_ms: l1 as u64,
                        topic: _rt::string_lift(bytes4),
                        subject: match l5 {
                            0 => None,
                            1 => {
                                let e = {
                                    let l6 =
                                        *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l7 =
                                        *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l8 =
                                        *base.add(40 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    let l9 =
                                        *base.add(48 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    super::super::super::super::__with_name0::Id32 {
                                        a: l6 as u64,
                                        b: l7 as u64,
                                        c: l8 as u64,
                                        d: l9 as u64,
                                    }
                                };
                                Some(e)
                            }
                            _ => _rt::invalid_enum_discriminant(),
                        },
                        ticket: match l10 {
                            0 => None,
                            1 => {
                                let e = {
                                    let l11 =
                                        *base.add(64 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                    l11 as u64
                                };
                                Some(e)
                            }
                            _ => _rt::invalid_enum_discriminant(),
                        },
                        attrs: result38,
                        body: <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                            l39.cast(),
                            len41,
                            len41,
                        )),
                    }
                };
                result42.push(e42);
            }
            _rt::cabi_dealloc(base42, len42 * (72 + 6 * ::core::mem::size_of::<*const u8>()), 8);
            T_::on_events(result42)
        };
    }
}
pub trait Guest {
    /// Called once after `configure`.
    #[allow(async_fn_in_trait)]
    fn describe() -> _rt::Vec<Spec>;
    /// One call at a time; 40 ms at most, 1 ms is usual.
    #[allow(async_fn_in_trait)]
    fn run(what: Invocation) -> Outcome;
    /// What happened since, oldest first, at most 256 a batch.
    #[allow(async_fn_in_trait)]
    fn on_events(batch: _rt::Vec<Event>) -> ();
}
#[doc(hidden)]
#[macro_export]
macro_rules! __export_handler_xferd_plugin_command_0_1_0_cabi {
                    ($ty:ident with_types_in $($path_to_types:tt)*) => {
                        const _ : () = { #[unsafe (export_name =
                        "xferd:plugin/command@0.1.0#describe")] unsafe extern "C" fn
                        export_describe() -> * mut u8 { unsafe { $($path_to_types)*::
                        _export_describe_cabi::<$ty > () } } #[unsafe (export_name =
                        "cabi_post_xferd:plugin/command@0.1.0#describe")] unsafe extern
                        "C" fn _post_return_describe(arg0 : * mut u8,) { unsafe {
                        $($path_to_types)*:: __post_return_describe::<$ty > (arg0) } }
                        #[unsafe (export_name = "xferd:plugin/command@0.1.0#run")] unsafe
                        extern "C" fn export_run(arg0 : * mut u8, arg1 : usize, arg2 :
                        i64, arg3 : i64, arg4 : i64, arg5 : i64, arg6 : i64, arg7 : * mut
                        u8, arg8 : usize, arg9 : * mut u8, arg10 : usize,) -> * mut u8 {
                        unsafe { $($path_to_types)*:: _export_run_cabi::<$ty > (arg0,
                        arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10) } }
                        #[unsafe (export_name =
                        "cabi_post_xferd:plugin/command@0.1.0#run")] unsafe extern "C" fn
                        _post_return_run(arg0 : * mut u8,) { unsafe {
                        $($path_to_types)*:: __post_return_run::<$ty > (arg0) } }
                        #[unsafe (export_name = "xferd:plugin/command@0.1.0#on-events")]
                        unsafe extern "C" fn export_on_events(arg0 : * mut u8, arg1 :
                        usize,) { unsafe { $($path_to_types)*::
                        _export_on_events_cabi::<$ty > (arg0, arg1) } } };
                    };
                }
#[doc(hidden)]
pub use __export_handler_xferd_plugin_command_0_1_0_cabi;
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct _RetArea([::core::mem::MaybeUninit<u8>; 3 * ::core::mem::size_of::<*const u8>()]);
static mut _RET_AREA: _RetArea =
    _RetArea([::core::mem::MaybeUninit::uninit(); 3 * ::core::mem::size_of::<*const u8>()]);
