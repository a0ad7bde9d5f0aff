#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::__link_custom_section_describing_imports;
use super::super::super::_rt;
pub type Attr = super::super::super::xferd::plugin::types::Attr;
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}
impl ::core::fmt::Debug for Level {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Level::Trace => f.debug_tuple("Level::Trace").finish(),
            Level::Debug => f.debug_tuple("Level::Debug").finish(),
            Level::Info => f.debug_tuple("Level::Info").finish(),
            Level::Warn => f.debug_tuple("Level::Warn").finish(),
            Level::Error => f.debug_tuple("Level::Error").finish(),
        }
    }
}
impl Level {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Level {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Level::Trace,
            1 => Level::Debug,
            2 => Level::Info,
            3 => Level::Warn,
            4 => Level::Error,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Whether a line of this level would be kept: ask before building a costly one.
#[allow(async_fn_in_trait)]
pub fn enabled(at: Level) -> bool {
    unsafe {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/log@0.1.0")]
        unsafe extern "C" {
            #[link_name = "enabled"]
            fn wit_import0(_: i32) -> i32;
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import0(_: i32) -> i32 {
            unreachable!()
        }
        let ret = wit_import0(at.clone() as i32);
        _rt::bool_lift(ret as u8)
    }
}
#[allow(unused_unsafe, clippy::all)]
/// Writes one line. What a panicking plugin logs last is the text of its fault.
#[allow(async_fn_in_trait)]
pub fn emit(at: Level, msg: &str, fields: &[Attr]) -> () {
    unsafe {
        let mut cleanup_list = _rt::Vec::new();
        let vec0 = msg;
        let ptr0 = vec0.as_ptr().cast::<u8>();
        let len0 = vec0.len();
        let vec9 = fields;
        let len9 = vec9.len();
        let layout9 = _rt::alloc::Layout::from_size_align(
            vec9.len() * (40 + 2 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result9, _cleanup9) = crate::guest::rt::Cleanup::new(layout9);
        for (i, e) in vec9.into_iter().enumerate() {
            let base = result9.add(i * (40 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                let super::super::super::xferd::plugin::types::Attr { key: key1, val: val1 } = e;
                let vec2 = key1;
                let ptr2 = vec2.as_ptr().cast::<u8>();
                let len2 = vec2.len();
                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len2;
                *base.add(0).cast::<*mut u8>() = ptr2.cast_mut();
                use super::super::super::xferd::plugin::types::Value as V8;
                match val1 {
                    V8::Nothing => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (0i32) as u8;
                    }
                    V8::Flag(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (1i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (match e {
                            true => 1,
                            false => 0,
                        })
                            as u8;
                    }
                    V8::Int(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (2i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V8::Uint(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (3i32) as u8;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() = _rt::as_i64(e);
                    }
                    V8::Text(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (4i32) as u8;
                        let vec3 = e;
                        let ptr3 = vec3.as_ptr().cast::<u8>();
                        let len3 = vec3.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len3;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr3.cast_mut();
                    }
                    V8::Blob(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (5i32) as u8;
                        let vec4 = e;
                        let ptr4 = vec4.as_ptr().cast::<u8>();
                        let len4 = vec4.len();
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len4;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                            ptr4.cast_mut();
                    }
                    V8::Id(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (6i32) as u8;
                        let super::super::super::xferd::plugin::types::Id32 { a: a5, b: b5, c: c5, d: d5 } =
                            e;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(a5);
                        *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(b5);
                        *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(c5);
                        *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                            _rt::as_i64(d5);
                    }
                    V8::Texts(e) => {
                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (7i32) as u8;
                        let vec7 = e;
                        let len7 = vec7.len();
                        let layout7 = _rt::alloc::Layout::from_size_align(
                            vec7.len() * (2 * ::core::mem::size_of::<*const u8>()),
                            ::core::mem::size_of::<*const u8>(),
                        )
                        .unwrap();
                        let (result7, _cleanup7) = crate::guest::rt::Cleanup::new(layout7);
                        cleanup_list.extend(_cleanup7);
                        for (i, e) in vec7.into_iter().enumerate() {
                            let base = result7.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                            {
                                let vec6 = e;
                                let ptr6 = vec6.as_ptr().cast::<u8>();
                                let len6 = vec6.len();
                                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len6;
                                *base.add(0).cast::<*mut u8>() = ptr6.cast_mut();
                            }
                        }
                        *base.add(8 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len7;
                        *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result7;
                    }
                }
            }
        }
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "xferd:plugin/log@0.1.0")]
        unsafe extern "C" {
            #[link_name = "emit"]
            fn wit_import10(_: i32, _: *mut u8, _: usize, _: *mut u8, _: usize);
        }
        #[cfg(not(target_arch = "wasm32"))]
        unsafe extern "C" fn wit_import10(_: i32, _: *mut u8, _: usize, _: *mut u8, _: usize) {
            unreachable!()
        }
        wit_import10(at.clone() as i32, ptr0.cast_mut(), len0, result9, len9);
    }
}
