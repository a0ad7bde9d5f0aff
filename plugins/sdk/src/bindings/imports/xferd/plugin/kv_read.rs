#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type PageReq = super::super::super::xferd::plugin::types::PageReq;
/// `version` is from 1 and grows with each write of any of the plugin's keys, so a key that was removed and put
/// again has another one. Within a handler's call the version of a key it wrote itself is provisional.
#[derive(Clone, PartialEq)]
pub struct Entry {
    pub key: _rt::String,
    pub val: _rt::Vec<u8>,
    pub version: u64,
}
impl ::core::fmt::Debug for Entry {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("val", &self.val)
            .field("version", &self.version)
            .finish()
    }
}
#[allow(unused_unsafe, clippy::all)]
#[allow(async_fn_in_trait)]
pub fn get(key: &str) -> ::core::option::Option<Entry> {
    unsafe {
        #[repr(align(8))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 16 + 4 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 16 + 4 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = key;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let ptr1 = ret_area.0.as_mut_ptr().cast::<u8>();
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/kv-read@0.1.0")]
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
        let result11 = match l3 {
            0 => None,
            1 => {
                let e = {
                    let l4 = *ptr1.add(8).cast::<*mut u8>();
                    let l5 = *ptr1.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len6 = l5;
                    let bytes6 = _rt::Vec::from_raw_parts(l4.cast(), len6, len6);
                    let l7 = *ptr1.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                    let l8 = *ptr1.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                    let len9 = l8;
                    let l10 = *ptr1.add(8 + 4 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                    Entry {
                        key: _rt::string_lift(bytes6),
                        val: <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l7.cast(), len9, len9)),
                        version: l10 as u64,
                    }
                };
                Some(e)
            }
            _ => _rt::invalid_enum_discriminant(),
        };
        result11
    }
}
#[allow(unused_unsafe, clippy::all)]
/// As many answers as keys, in their order; at most 64.
#[allow(async_fn_in_trait)]
pub fn get_many(keys: &[_rt::String]) -> _rt::Vec<::core::option::Option<Entry>> {
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
        #[link(wasm_import_module = "xferd:plugin/kv-read@0.1.0")]
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
        let base14 = l4;
        let len14 = l5;
        let mut result14 = _rt::Vec::with_capacity(len14);
        for i in 0..len14 {
            let base = base14.add(i * (16 + 4 * ::core::mem::size_of::<*const u8>()));
            let e14 = {
                let l6 = i32::from(*base.add(0).cast::<u8>());
                match l6 {
                    0 => None,
                    1 => {
                        let e = {
                            let l7 = *base.add(8).cast::<*mut u8>();
                            let l8 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len9 = l8;
                            let bytes9 = _rt::Vec::from_raw_parts(l7.cast(), len9, len9);
                            let l10 =
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                            let l11 = *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                            let len12 = l11;
                            let l13 = *base.add(8 + 4 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                            Entry {
                                key: _rt::string_lift(bytes9),
                                val: <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(
                                    l10.cast(),
                                    len12,
                                    len12,
                                )),
                                version: l13 as u64,
                            }
                        };
                        Some(e)
                    }
                    _ => _rt::invalid_enum_discriminant(),
                }
            };
            result14.push(e14);
        }
        _rt::cabi_dealloc(base14, len14 * (16 + 4 * ::core::mem::size_of::<*const u8>()), 8);
        let result15 = result14;
        result15
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Entries whose key begins with `prefix`, by key.
#[allow(async_fn_in_trait)]
pub fn scan(prefix: &str, page: &PageReq) -> _rt::Vec<Entry> {
    unsafe {
        #[cfg_attr(target_pointer_width = "64", repr(align(8)))]
        #[cfg_attr(target_pointer_width = "32", repr(align(4)))]
        struct RetArea([::core::mem::MaybeUninit<u8>; 2 * ::core::mem::size_of::<*const u8>()]);
        let mut ret_area =
            RetArea([::core::mem::MaybeUninit::uninit(); 2 * ::core::mem::size_of::<*const u8>()]);
        let vec0 = prefix;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
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
        #[link(wasm_import_module = "xferd:plugin/kv-read@0.1.0")]
        unsafe extern "C" {
            #[link_name = "scan"]
            fn wit_import5(_: *mut u8, _: usize, _: i32, _: *mut u8, _: usize, _: i32, _: *mut u8);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import5(
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
            _: usize,
            _: i32,
            _: *mut u8,
        ) {
            unreachable!()
        }
        wit_import5(ptr0.cast_mut(), len0, result3_0, result3_1, result3_2, _rt::as_i32(limit1), ptr4);
        let l6 = *ptr4.add(0).cast::<*mut u8>();
        let l7 = *ptr4.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base15 = l6;
        let len15 = l7;
        let mut result15 = _rt::Vec::with_capacity(len15);
        for i in 0..len15 {
            let base = base15.add(i * (8 + 4 * ::core::mem::size_of::<*const u8>()));
            let e15 = {
                let l8 = *base.add(0).cast::<*mut u8>();
                let l9 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                let len10 = l9;
                let bytes10 = _rt::Vec::from_raw_parts(l8.cast(), len10, len10);
                let l11 = *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l12 = *base.add(3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                let len13 = l12;
                let l14 = *base.add(4 * ::core::mem::size_of::<*const u8>()).cast::<i64>();
                Entry {
                    key: _rt::string_lift(bytes10),
                    val: <_ as From<_rt::Vec<_>>>::from(_rt::Vec::from_raw_parts(l11.cast(), len13, len13)),
                    version: l14 as u64,
                }
            };
            result15.push(e15);
        }
        _rt::cabi_dealloc(base15, len15 * (8 + 4 * ::core::mem::size_of::<*const u8>()), 8);
        let result16 = result15;
        result16
    }
}
