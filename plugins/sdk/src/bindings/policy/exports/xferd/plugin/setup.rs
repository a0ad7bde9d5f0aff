#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
use super::super::super::super::_rt;
pub type Attr = super::super::super::super::__with_name0::Attr;
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_configure_cabi<T_: Guest>(arg0: *mut u8, arg1: usize) -> *mut u8 {
    unsafe {
        let result25 = {
            let base24 = arg0;
            let len24 = arg1;
            let mut result24 = _rt::Vec::with_capacity(len24);
            for i in 0..len24 {
                let base = base24.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                let e24 = {
                    let l0 = *base.add(0).cast::<*mut u8>();
                    let l1 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len2 = l1;
                    let bytes2 = _rt::Vec::from_raw_parts(l0.cast(), len2, len2);
                    let l3 = i32::from(*base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::super::__with_name0::Value as V23;
                    let v23 = match l3 {
                        0 => V23::Nothing,
                        1 => {
                            let e23 = {
                                let l4 = i32::from(
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                                );
                                _rt::bool_lift(l4 as u8)
                            };
                            V23::Flag(e23)
                        }
                        2 => {
                            let e23 = {
                                let l5 = *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                l5
                            };
                            V23::Int(e23)
                        }
                        3 => {
                            let e23 = {
                                let l6 = *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                l6 as u64
                            };
                            V23::Uint(e23)
                        }
                        4 => {
                            let e23 = {
                                let l7 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l8 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len9 = l8;
                                let bytes9 = _rt::Vec::from_raw_parts(l7.cast(), len9, len9);
                                _rt::string_lift(bytes9)
                            };
                            V23::Text(e23)
                        }
                        5 => {
                            let e23 = {
                                let l10 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l11 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len12 = l11;
                                <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l10.cast(),
                                    len12,
                                    len12,
                                ))
                            };
                            V23::Blob(e23)
                        }
                        6 => {
                            let e23 = {
                                let l13 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l14 =
                                    *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l15 =
                                    *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                let l16 =
                                    *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                                super::super::super::super::__with_name0::Id32 {
                                    a: l13 as u64,
                                    b: l14 as u64,
                                    c: l15 as u64,
                                    d: l16 as u64,
                                }
                            };
                            V23::Id(e23)
                        }
                        n => {
                            debug_assert_eq!(n, 7, "invalid enum discriminant");
                            let e23 = {
                                let l17 =
                                    *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l18 =
                                    *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base22 = l17;
                                let len22 = l18;
                                let mut result22 = _rt::Vec::with_capacity(len22);
                                for i in 0..len22 {
                                    let base = base22.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    let e22 = {
                                        let l19 = *base.add(0).cast::<*mut u8>();
                                        let l20 =
                                            *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                        let len21 = l20;
                                        let bytes21 = _rt::Vec::from_raw_parts(l19.cast(), len21, len21);
                                        _rt::string_lift(bytes21)
                                    };
                                    result22.push(e22);
                                }
                                _rt::cabi_dealloc(
                                    base22,
                                    len22 * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                );
                                result22
                            };
                            V23::Texts(e23)
                        }
                    };
                    super::super::super::super::__with_name0::Attr { key: _rt::string_lift(bytes2), val: v23 }
                };
                result24.push(e24);
            }
            _rt::cabi_dealloc(base24, len24 * (40 + 2 * ::core::mem::size_of::<*const u8>()), 8);
            T_::configure(result24)
        };
        let ptr26 = (&raw mut _RET_AREA.0).cast::<u8>();
        match result25 {
            Ok(_) => {
                *ptr26.add(0).cast::<u8>() = (0i32) as u8;
            }
            Err(e) => {
                *ptr26.add(0).cast::<u8>() = (1i32) as u8;
                let vec27 = (e.into_bytes()).into_boxed_slice();
                let ptr27 = vec27.as_ptr().cast::<u8>();
                let len27 = vec27.len();
                ::core::mem::forget(vec27);
                *ptr26.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len27;
                *ptr26.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr27.cast_mut();
            }
        };
        ptr26
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_configure<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = i32::from(*arg0.add(0).cast::<u8>());
        match l0 {
            0 => {}
            _ => {
                let l1 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l2 = *arg0.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l1, l2, 1);
            }
        }
    }
}
pub trait Guest {
    /// The settings of `plugin.toml` with the operator's values, in the order of the file; every one is there. An
    /// error refuses them, and is shown to the operator. No effects: writes of this call are dropped.
    #[allow(async_fn_in_trait)]
    fn configure(settings: _rt::Vec<Attr>) -> ::core::result::Result<(), _rt::String>;
}
#[doc(hidden)]
#[macro_export]
macro_rules! __export_policy_xferd_plugin_setup_0_1_0_cabi {
                    ($ty:ident with_types_in $($path_to_types:tt)*) => {
                        const _ : () = { #[unsafe (export_name =
                        "xferd:plugin/setup@0.1.0#configure")] unsafe extern "C" fn
                        export_configure(arg0 : * mut u8, arg1 : usize,) -> * mut u8 {
                        unsafe { $($path_to_types)*:: _export_configure_cabi::<$ty >
                        (arg0, arg1) } } #[unsafe (export_name =
                        "cabi_post_xferd:plugin/setup@0.1.0#configure")] unsafe extern
                        "C" fn _post_return_configure(arg0 : * mut u8,) { unsafe {
                        $($path_to_types)*:: __post_return_configure::<$ty > (arg0) } }
                        };
                    };
                }
#[doc(hidden)]
pub use __export_policy_xferd_plugin_setup_0_1_0_cabi;
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct _RetArea([::core::mem::MaybeUninit<u8>; 3 * ::core::mem::size_of::<*const u8>()]);
static mut _RET_AREA: _RetArea =
    _RetArea([::core::mem::MaybeUninit::uninit(); 3 * ::core::mem::size_of::<*const u8>()]);
