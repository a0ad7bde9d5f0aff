#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PeerId = super::super::super::xferd::plugin::types::PeerId;
pub type Ticket = super::super::super::xferd::plugin::types::Ticket;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
pub type Error = super::super::super::xferd::plugin::types::Error;
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    Push,
    Pull,
}
impl ::core::fmt::Debug for Direction {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Direction::Push => f.debug_tuple("Direction::Push").finish(),
            Direction::Pull => f.debug_tuple("Direction::Pull").finish(),
        }
    }
}
impl Direction {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Direction {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Direction::Push,
            1 => Direction::Pull,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
#[derive(Clone, PartialEq)]
pub struct Order {
    pub peer: PeerId,
    pub direction: Direction,
    pub root: _rt::String,
    pub path: _rt::String,
    pub options: _rt::Vec<Attr>,
}
impl ::core::fmt::Debug for Order {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Order")
            .field("peer", &self.peer)
            .field("direction", &self.direction)
            .field("root", &self.root)
            .field("path", &self.path)
            .field("options", &self.options)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Its end is an event `transfer` with this ticket.
#[allow(async_fn_in_trait)]
pub fn begin(what: &Order) -> ::core::result::Result<Ticket, Error> {
    unsafe {
        let mut cleanup_list = _rt::Vec::new();
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 2 * ::core::mem::size_of::<*const u8>()]);
        let Order { peer: peer0, direction: direction0, root: root0, path: path0, options: options0 } = what;
        let super::super::super::xferd::plugin::types::Id32 { a: a1, b: b1, c: c1, d: d1 } = peer0;
        let vec2 = root0;
        let ptr2 = vec2.as_ptr().cast::<u8>();
        let len2 = vec2.len();
        let vec3 = path0;
        let ptr3 = vec3.as_ptr().cast::<u8>();
        let len3 = vec3.len();
        let vec12 = options0;
        let len12 = vec12.len();
        let layout12 = _rt::alloc::Layout::from_size_align(
            vec12.len() * (40 + 2 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result12, _cleanup12) = crate::guest::rt::Cleanup::new(layout12);
        for (i, e) in vec12.into_iter().enumerate() {
            let base = result12.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                let super::super::super::xferd::plugin::types::Attr { key: key4, val: val4 } = e;
                let vec5 = key4;
                let ptr5 = vec5.as_ptr().cast::<u8>();
                let len5 = vec5.len();
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len5;
                *base.add(0).cast::<*mut u8>() = ptr5.cast_mut();
                use super::super::super::xferd::plugin::types::Value as V11;
                match val4 {
                    V11::Nothing => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (0i32) as u8;
                    }
                    V11::Flag(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (1i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (match e {
                            true => 1,
                            false => 0,
                        })
                            as u8;
                    }
                    V11::Int(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (2i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V11::Uint(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (3i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V11::Text(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (4i32) as u8;
                        let vec6 = e;
                        let ptr6 = vec6.as_ptr().cast::<u8>();
                        let len6 = vec6.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len6;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr6.cast_mut();
                    }
                    V11::Blob(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (5i32) as u8;
                        let vec7 = e;
                        let ptr7 = vec7.as_ptr().cast::<u8>();
                        let len7 = vec7.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len7;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr7.cast_mut();
                    }
                    V11::Id(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (6i32) as u8;
                        let super::super::super::xferd::plugin::types::Id32 { a: a8, b: b8, c: c8, d: d8 } =
                            e;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(a8);
                        *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(b8);
                        *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(c8);
                        *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(d8);
                    }
                    V11::Texts(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (7i32) as u8;
                        let vec10 = e;
                        let len10 = vec10.len();
                        let layout10 = _rt::alloc::Layout::from_size_align(
                            vec10.len() * (2 * ::core::mem::size_of::<*const u8>()),
                            ::core::mem::size_of::<*const u8>(),
                        )
                        .unwrap();
                        let (result10, _cleanup10) = crate::guest::rt::Cleanup::new(layout10);
                        cleanup_list.extend(_cleanup10);
                        for (i, e) in vec10.into_iter().enumerate() {
                            let base = result10.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                            {
                                let vec9 = e;
                                let ptr9 = vec9.as_ptr().cast::<u8>();
                                let len9 = vec9.len();
                                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len9;
                                *base.add(0).cast::<*mut u8>() = ptr9.cast_mut();
                            }
                        }
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len10;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result10;
                    }
                }
            }
        }
        let ptr13 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/transfers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "begin"]
            fn wit_import14(
                _: i64,
                _: i64,
                _: i64,
                _: i64,
                _: i32,
                _: *mut u8,
                _: usize,
                _: *mut u8,
                _: usize,
                _: *mut u8,
                _: usize,
                _: *mut u8,
            );
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import14(
            _: i64,
            _: i64,
            _: i64,
            _: i64,
            _: i32,
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: *mut u8,
            _: usize,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import14(
            _rt::as_i64(a1),
            _rt::as_i64(b1),
            _rt::as_i64(c1),
            _rt::as_i64(d1),
            direction0.clone() as i32,
            ptr2.cast_mut(),
            len2,
            ptr3.cast_mut(),
            len3,
            result12,
            len12,
            ptr13,
        );
        let l15 = i32::from(*ptr13.add(0).cast::<u8>());
        let result22 = match l15 {
            0 => {
                let e = {
                    let l16 = *ptr13.add(8).cast::<i64>();
                    l16 as u64
                };
                Ok(e)
            }
            1 => {
                let e = {
                    let l17 = i32::from(*ptr13.add(8).cast::<u8>());
                    use super::super::super::xferd::plugin::types::Error as V21;
                    let v21 = match l17 {
                        0 => V21::Denied,
                        1 => V21::NotFound,
                        2 => V21::Conflict,
                        3 => V21::Limit,
                        4 => V21::Unavailable,
                        n => {
                            debug_assert_eq!(n, 5, "invalid enum discriminant");
                            let e21 = {
                                let l18 =
                                    *ptr13.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l19 =
                                    *ptr13.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let len20 = l19;
                                let bytes20 = _rt::Vec::from_raw_parts(l18.cast(), len20, len20);
                                _rt::string_lift(bytes20)
                            };
                            V21::Invalid(e21)
                        }
                    };
                    v21
                };
                Err(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result22
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn cancel(which: Ticket) -> ::core::result::Result<(), Error> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 4 * ::core::mem::size_of::<*const u8>()]);
        let ptr0 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/transfers@0.1.0")]
        unsafe extern "C" {
            #[link_name = "cancel"]
            fn wit_import1(_: i64, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: i64, _: *mut u8) {
            unreachable!()
        }
        wit_import1(_rt::as_i64(which), ptr0);
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
