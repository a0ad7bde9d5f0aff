#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[allow(unused_unsafe, clippy::all)]
/// Without `to`: where the socket's grant says, such as a multicast group.
#[allow(async_fn_in_trait)]
pub fn send(
    socket: &str,
    to: ::core::option::Option<(&str, u16)>,
    body: &[u8],
) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = socket;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let (result3_0, result3_1, result3_2, result3_3) = match to {
            Some(e) => {
                let (t1_0, t1_1) = e;
                let vec2 = t1_0;
                let ptr2 = vec2.as_ptr().cast::<u8>();
                let len2 = vec2.len();
                (1i32, ptr2.cast_mut(), len2, _rt::as_i32(t1_1))
            }
            None => (0i32, ::core::ptr::null_mut(), 0usize, 0i32),
        };
        let vec4 = body;
        let ptr4 = vec4.as_ptr().cast::<u8>();
        let len4 = vec4.len();
        let ptr5 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/datagrams@0.1.0")]
        unsafe extern "C" {
            #[link_name = "send"]
            fn wit_import6(
                _: *mut u8,
                _: usize,
                _: i32,
                _: *mut u8,
                _: usize,
                _: i32,
                _: *mut u8,
                _: usize,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import6(
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
            _: usize,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import6(
            ptr0.cast_mut(),
            len0,
            result3_0,
            result3_1,
            result3_2,
            result3_3,
            ptr4.cast_mut(),
            len4,
            ptr5,
        );
        let l7 = i32::from(*ptr5.add(0).cast::<u8>());
        let result13 = match l7 {
            0 => {
                let e = ();
                Ok(e)
            }
            1 => {
                let e = {
                    let l8 = i32::from(*ptr5.add(::core::mem::size_of::<*const u8>()).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V12;
                    let v12 = match l8 {
                        0 => V12::Denied,
                        1 => V12::NotFound,
                        2 => V12::Conflict,
                        3 => V12::Limit,
                        4 => V12::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e12 = {
                                let l9 = *ptr5.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l10 = *ptr5.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len11 = l10;
                                let bytes11 = _rt::Vec::from_raw_parts(l9.cast(), len11, len11);
                                _rt::string_lift(bytes11)
                            };
                            V12::Invalid(e12)
                        }
                    };
                    v12
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result13
    }
}
