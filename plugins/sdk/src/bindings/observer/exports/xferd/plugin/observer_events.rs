#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
use super::super::super::super::_rt;
pub type Event = super::super::super::super::__with_name0::Event;
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_topics_cabi<T_: Guest>() -> *mut u8 {
    unsafe {
        let result0 = { T_::topics() };
        let ptr1 = (&raw mut _RET_AREA.0).cast::<u8>();
        let vec3 = result0;
        let len3 = vec3.len();
        let layout3 = _rt::alloc::Layout::from_size_align(
            vec3.len() * (2 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        )
        .unwrap();
        let (result3, _cleanup3) = crate::guest::rt::Cleanup::new(layout3);
        if let Some(cleanup) = _cleanup3 {
            cleanup.forget();
        }
        for (i, e) in vec3.into_iter().enumerate() {
            let base = result3.add(i * (2 * ::core::mem::size_of::<*const u8>()));
            {
                let vec2 = (e.into_bytes()).into_boxed_slice();
                let ptr2 = vec2.as_ptr().cast::<u8>();
                let len2 = vec2.len();
                ::core::mem::forget(vec2);
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len2;
                *base.add(0).cast::<*mut u8>() = ptr2.cast_mut();
            }
        }
        *ptr1.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len3;
        *ptr1.add(0).cast::<*mut u8>() = result3;
        ptr1
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_topics<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = *arg0.add(0).cast::<*mut u8>();
        let l1 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base4 = l0;
        let len4 = l1;
        for i in 0..len4 {
            let base = base4.add(i * (2 * ::core::mem::size_of::<*const u8>()));
            {
                let l2 = *base.add(0).cast::<*mut u8>();
                let l3 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l2, l3, 1);
            }
        }
        _rt::cabi_dealloc(
            base4,
            len4 * (2 * ::core::mem::size_of::<*const u8>()),
            ::core::mem::size_of::<*const u8>(),
        );
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
    /// Topics it wants, `*` at the end of one matches the rest: `transfer.finished`, `transfer.failed`, `session.up`,
    /// `session.down`, `decision.denied`, `peer.joined`, `notify.*`, `timer`. Called once after `configure`. Events tell
    /// `account` and `address`; of a transfer also `transfer`, `action`, `root`, `path`, `files`, `bytes`, and of what
    /// failed or was denied `code`; of a decision `decision`, `action`, `root`, `path`, `reason`; of a device `name`.
    #[allow(async_fn_in_trait)]
    fn topics() -> _rt::Vec<_rt::String>;
    /// Oldest first, at most 256 a batch; 40 ms at most.
    #[allow(async_fn_in_trait)]
    fn on_events(batch: _rt::Vec<Event>) -> ();
}
#[doc(hidden)]
#[macro_export]
macro_rules! __export_observer_xferd_plugin_observer_events_0_1_0_cabi {
                    ($ty:ident with_types_in $($path_to_types:tt)*) => {
                        const _ : () = { #[unsafe (export_name =
                        "xferd:plugin/observer-events@0.1.0#topics")] unsafe extern "C"
                        fn export_topics() -> * mut u8 { unsafe { $($path_to_types)*::
                        _export_topics_cabi::<$ty > () } } #[unsafe (export_name =
                        "cabi_post_xferd:plugin/observer-events@0.1.0#topics")] unsafe
                        extern "C" fn _post_return_topics(arg0 : * mut u8,) { unsafe {
                        $($path_to_types)*:: __post_return_topics::<$ty > (arg0) } }
                        #[unsafe (export_name =
                        "xferd:plugin/observer-events@0.1.0#on-events")] unsafe extern
                        "C" fn export_on_events(arg0 : * mut u8, arg1 : usize,) { unsafe
                        { $($path_to_types)*:: _export_on_events_cabi::<$ty > (arg0,
                        arg1) } } };
                    };
                }
#[doc(hidden)]
pub use __export_observer_xferd_plugin_observer_events_0_1_0_cabi;
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct _RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
static mut _RET_AREA: _RetArea =
    _RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
