#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PeerId = super::super::super::xferd::plugin::types::PeerId;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
/// `ttl-ms` is a duration. `address` is an IPv4 or IPv6 address without a port.
#[derive(Clone, PartialEq)]
pub struct Candidate {
    pub peer: ::core::option::Option<PeerId>,
    pub address: _rt::String,
    pub port: u16,
    pub ttl_ms: u32,
    pub attrs: _rt::Vec<Attr>,
}
impl ::core::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Candidate")
            .field("peer", &self.peer)
            .field("address", &self.address)
            .field("port", &self.port)
            .field("ttl-ms", &self.ttl_ms)
            .field("attrs", &self.attrs)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
/// At most 256 at once.
#[allow(async_fn_in_trait)]
pub fn report(found: &[Candidate]) -> () {
    unsafe {
        let mut cleanup_list = _rt::Vec::new();
        let vec12 = found;
        let len12 = vec12.len();
        let layout12 = _rt::alloc::Layout::from_size_align(
            vec12.len() * (48 + 4 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result12, _cleanup12) = crate::guest::rt::Cleanup::new(layout12);
        for (i, e) in vec12.into_iter().enumerate() {
            let base = result12.add(i * (48 + 4 * ::core::mem::size_of::<*const u8>()));
            {
                let Candidate { peer: peer0, address: address0, port: port0, ttl_ms: ttl_ms0, attrs: attrs0 } =
                    e;
                match peer0 {
                    Some(e) => {
                        *base.add(0).cast::<u8>() = (1i32) as u8;
                        let super::super::super::xferd::plugin::types::Id32 { a: a1, b: b1, c: c1, d: d1 } =
                            e;
                        *base.add(8).cast::<i64>() = _rt::as_i64(a1);
                        *base.add(16).cast::<i64>() = _rt::as_i64(b1);
                        *base.add(24).cast::<i64>() = _rt::as_i64(c1);
                        *base.add(32).cast::<i64>() = _rt::as_i64(d1);
                    }
                    None => {
                        *base.add(0).cast::<u8>() = (0i32) as u8;
                    }
                };
                let vec2 = address0;
                let ptr2 = vec2.as_ptr().cast::<u8>();
                let len2 = vec2.len();
                *base.add(40 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len2;
                *base.add(40).cast::<*mut u8>() = ptr2.cast_mut();
                *base.add(40 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u16>() =
                    (_rt::as_i32(port0)) as u16;
                *base.add(44 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i32>() = _rt::as_i32(ttl_ms0);
                let vec11 = attrs0;
                let len11 = vec11.len();
                let layout11 = _rt::alloc::Layout::from_size_align(
                    vec11.len() * (40 + 2 * ::core::mem::size_of::<*const u8>()),
                    8,
                )
                .unwrap();
                let (result11, _cleanup11) = crate::guest::rt::Cleanup::new(layout11);
                cleanup_list.extend(_cleanup11);
                for (i, e) in vec11.into_iter().enumerate() {
                    let base = result11.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
                    {
                        let super::super::super::xferd::plugin::types::Attr { key: key3, val: val3 } = e;
                        let vec4 = key3;
                        let ptr4 = vec4.as_ptr().cast::<u8>();
                        let len4 = vec4.len();
                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len4;
                        *base.add(0).cast::<*mut u8>() = ptr4.cast_mut();
                        use super::super::super::xferd::plugin::types::Value as V10;
                        match val3 {
                            V10::Nothing => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (0i32) as u8;
                            }
                            V10::Flag(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (1i32) as u8;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (match e {
                                        true => 1,
                                        false => 0,
                                    }) as u8;
                            }
                            V10::Int(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (2i32) as u8;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(e);
                            }
                            V10::Uint(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (3i32) as u8;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(e);
                            }
                            V10::Text(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (4i32) as u8;
                                let vec5 = e;
                                let ptr5 = vec5.as_ptr().cast::<u8>();
                                let len5 = vec5.len();
                                *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len5;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    ptr5.cast_mut();
                            }
                            V10::Blob(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (5i32) as u8;
                                let vec6 = e;
                                let ptr6 = vec6.as_ptr().cast::<u8>();
                                let len6 = vec6.len();
                                *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len6;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    ptr6.cast_mut();
                            }
                            V10::Id(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (6i32) as u8;
                                let super::super::super::xferd::plugin::types::Id32 {
                                    a: a7,
                                    b: b7,
                                    c: c7,
                                    d: d7,
                                } = e;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(a7);
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(b7);
                                *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(c7);
                                *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(d7);
                            }
                            V10::Texts(e) => {
                                *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (7i32) as u8;
                                let vec9 = e;
                                let len9 = vec9.len();
                                let layout9 = _rt::alloc::Layout::from_size_align(
                                    vec9.len() * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                )
                                .unwrap();
                                let (result9, _cleanup9) = crate::guest::rt::Cleanup::new(layout9);
                                cleanup_list.extend(_cleanup9);
                                for (i, e) in vec9.into_iter().enumerate() {
                                    let base = result9.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    {
                                        let vec8 = e;
                                        let ptr8 = vec8.as_ptr().cast::<u8>();
                                        let len8 = vec8.len();
                                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len8;
                                        *base.add(0).cast::<*mut u8>() = ptr8.cast_mut();
                                    }
                                }
                                *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len9;
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    result9;
                            }
                        }
                    }
                }
                *base.add(48 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len11;
                *base.add(48 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result11;
            }
        }
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/candidates@0.1.0")]
        unsafe extern "C" {
            #[link_name = "report"]
            fn wit_import13(_: *mut u8, _: usize);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import13(_: *mut u8, _: usize) {
            unreachable!()
        }
        wit_import13(result12, len12);
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn withdraw(peer: PeerId) -> () {
    unsafe {
        let super::super::super::xferd::plugin::types::Id32 { a: a0, b: b0, c: c0, d: d0 } = peer;
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/candidates@0.1.0")]
        unsafe extern "C" {
            #[link_name = "withdraw"]
            fn wit_import1(_: i64, _: i64, _: i64, _: i64);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import1(_: i64, _: i64, _: i64, _: i64) {
            unreachable!()
        }
        wit_import1(_rt::as_i64(a0), _rt::as_i64(b0), _rt::as_i64(c0), _rt::as_i64(d0));
    }
}
