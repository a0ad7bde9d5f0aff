#[used]
#[doc(hidden)]
static __FORCE_SECTION_REF: fn() = super::super::super::super::__link_custom_section_describing_imports;
use super::super::super::super::_rt;
pub type PeerId = super::super::super::super::__with_name0::PeerId;
pub type Attr = super::super::super::super::__with_name0::Attr;
/// `invoke` names the protocol. `other` is an action this version does not know: deny it or abstain.
#[derive(Clone, PartialEq)]
pub enum Action {
    Connect,
    Browse,
    Pull,
    Push,
    Replace,
    Remove,
    Invoke(_rt::String),
    Other(_rt::String),
}
impl ::core::fmt::Debug for Action {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Action::Connect => f.debug_tuple("Action::Connect").finish(),
            Action::Browse => f.debug_tuple("Action::Browse").finish(),
            Action::Pull => f.debug_tuple("Action::Pull").finish(),
            Action::Push => f.debug_tuple("Action::Push").finish(),
            Action::Replace => f.debug_tuple("Action::Replace").finish(),
            Action::Remove => f.debug_tuple("Action::Remove").finish(),
            Action::Invoke(e) => f.debug_tuple("Action::Invoke").field(e).finish(),
            Action::Other(e) => f.debug_tuple("Action::Other").field(e).finish(),
        }
    }
}
/// `root` is empty for connect and invoke. All else is read through `context`.
#[derive(Clone, PartialEq)]
pub struct Request {
    pub subject: PeerId,
    pub action: Action,
    pub root: _rt::String,
}
impl ::core::fmt::Debug for Request {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Request")
            .field("subject", &self.subject)
            .field("action", &self.action)
            .field("root", &self.root)
            .finish()
    }
}
/// One deny of any policy decides. Else one allow does. All abstain: the request is denied.
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Effect {
    Allow,
    Deny,
    Abstain,
}
impl ::core::fmt::Debug for Effect {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Effect::Allow => f.debug_tuple("Effect::Allow").finish(),
            Effect::Deny => f.debug_tuple("Effect::Deny").finish(),
            Effect::Abstain => f.debug_tuple("Effect::Abstain").finish(),
        }
    }
}
impl Effect {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Effect {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Effect::Allow,
            1 => Effect::Deny,
            2 => Effect::Abstain,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
/// `glob` is matched against the path relative to the root: `*` and `?` within a component, `**` across them,
/// `[a-z]` sets. The first rule that matches decides and is run by the engine for every file; none: the decision
/// itself. `bytes-max`: a larger file is denied. `store-as`: the path it gets instead. `code`: why, when denied.
#[derive(Clone, PartialEq)]
pub struct PathRule {
    pub glob: _rt::String,
    pub bytes_max: ::core::option::Option<u64>,
    pub effect: Effect,
    pub store_as: ::core::option::Option<_rt::String>,
    pub code: _rt::String,
}
impl ::core::fmt::Debug for PathRule {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("PathRule")
            .field("glob", &self.glob)
            .field("bytes-max", &self.bytes_max)
            .field("effect", &self.effect)
            .field("store-as", &self.store_as)
            .field("code", &self.code)
            .finish()
    }
}
/// What the engine enforces while it does what was allowed. Those of every policy that allows or abstains hold
/// together: of numbers the smallest.
#[derive(Clone, PartialEq)]
pub enum Obligation {
    /// Bytes of one transfer.
    MaxBytes(u64),
    /// Files of one transfer.
    MaxFiles(u64),
    /// Rate of the session.
    BytesPerSecond(u64),
    /// UTC milliseconds after which it ends.
    NotAfterMs(u64),
    /// Nothing is written.
    ReadOnly,
    /// The path it gets instead, relative to the root.
    StoreAs(_rt::String),
    /// Text that later decisions of the session read as context `label`.
    Label(_rt::String),
    /// A topic under which observers are told.
    Notify(_rt::String),
    /// Rules for single files; at most 1024 in all.
    Paths(_rt::Vec<PathRule>),
    /// For what later engines know: one that does not know the key denies. Known are:
    ///
    /// `max-stored-bytes` (uint): bytes that the account may store on the root. A file that would make it more is
    /// refused by itself. Denied where the engine does not count what is stored.
    MustUnderstand(Attr),
}
impl ::core::fmt::Debug for Obligation {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Obligation::MaxBytes(e) => f.debug_tuple("Obligation::MaxBytes").field(e).finish(),
            Obligation::MaxFiles(e) => f.debug_tuple("Obligation::MaxFiles").field(e).finish(),
            Obligation::BytesPerSecond(e) => f.debug_tuple("Obligation::BytesPerSecond").field(e).finish(),
            Obligation::NotAfterMs(e) => f.debug_tuple("Obligation::NotAfterMs").field(e).finish(),
            Obligation::ReadOnly => f.debug_tuple("Obligation::ReadOnly").finish(),
            Obligation::StoreAs(e) => f.debug_tuple("Obligation::StoreAs").field(e).finish(),
            Obligation::Label(e) => f.debug_tuple("Obligation::Label").field(e).finish(),
            Obligation::Notify(e) => f.debug_tuple("Obligation::Notify").field(e).finish(),
            Obligation::Paths(e) => f.debug_tuple("Obligation::Paths").field(e).finish(),
            Obligation::MustUnderstand(e) => f.debug_tuple("Obligation::MustUnderstand").field(e).finish(),
        }
    }
}
/// How long the engine goes on with an answer without asking again.
#[repr(u8)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub enum Lifetime {
    ThisRequest,
    ThisTransfer,
    ThisSession,
}
impl ::core::fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match self {
            Lifetime::ThisRequest => f.debug_tuple("Lifetime::ThisRequest").finish(),
            Lifetime::ThisTransfer => f.debug_tuple("Lifetime::ThisTransfer").finish(),
            Lifetime::ThisSession => f.debug_tuple("Lifetime::ThisSession").finish(),
        }
    }
}
impl Lifetime {
    #[doc(hidden)]
    pub unsafe fn _lift(val: u8) -> Lifetime {
        if !cfg!(debug_assertions) {
            return unsafe { ::core::mem::transmute(val) };
        }
        match val {
            0 => Lifetime::ThisRequest,
            1 => Lifetime::ThisTransfer,
            2 => Lifetime::ThisSession,
            _ => panic!("invalid enum discriminant"),
        }
    }
}
/// `code`: a short word for logs and clients, such as `outside-hours`; at most 64 bytes of a-z, 0-9 and `-`.
/// `detail`: a sentence for the person who was denied, at most 1 KiB.
/// `ttl-ms`: a duration; for so long an equal question gets the same answer without asking the plugin, as long as
/// nothing it read has changed; 0 never, as with `this-request`.
#[derive(Clone, PartialEq)]
pub struct Decision {
    pub effect: Effect,
    pub code: _rt::String,
    pub detail: ::core::option::Option<_rt::String>,
    pub lifetime: Lifetime,
    pub ttl_ms: u32,
    pub obligations: _rt::Vec<Obligation>,
}
impl ::core::fmt::Debug for Decision {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("Decision")
            .field("effect", &self.effect)
            .field("code", &self.code)
            .field("detail", &self.detail)
            .field("lifetime", &self.lifetime)
            .field("ttl-ms", &self.ttl_ms)
            .field("obligations", &self.obligations)
            .finish()
    }
}
#[doc(hidden)]
#[allow(non_snake_case, unused_unsafe)]
pub unsafe fn _export_decide_cabi<T_: Guest>(
    arg0: i64,
    arg1: i64,
    arg2: i64,
    arg3: i64,
    arg4: i32,
    arg5: *mut u8,
    arg6: usize,
    arg7: *mut u8,
    arg8: usize,
) -> *mut u8 {
    unsafe {
        let result4 = {
            let v2 = match arg4 {
                0 => Action::Connect,
                1 => Action::Browse,
                2 => Action::Pull,
                3 => Action::Push,
                4 => Action::Replace,
                5 => Action::Remove,
                6 => {
                    let e2 = {
                        let len0 = arg6;
                        let bytes0 = _rt::Vec::from_raw_parts(arg5.cast(), len0, len0);
                        _rt::string_lift(bytes0)
                    };
                    Action::Invoke(e2)
                }
                n => {
                    debug_assert_eq!(n, 7, "invalid enum discriminant");
                    let e2 = {
                        let len1 = arg6;
                        let bytes1 = _rt::Vec::from_raw_parts(arg5.cast(), len1, len1);
                        _rt::string_lift(bytes1)
                    };
                    Action::Other(e2)
                }
            };
            let len3 = arg8;
            let bytes3 = _rt::Vec::from_raw_parts(arg7.cast(), len3, len3);
            T_::decide(Request {
                subject: super::super::super::super::__with_name0::Id32 {
                    a: arg0 as u64,
                    b: arg1 as u64,
                    c: arg2 as u64,
                    d: arg3 as u64,
                },
                action: v2,
                root: _rt::string_lift(bytes3),
            })
        };
        let ptr5 = (&raw mut _RET_AREA.0).cast::<u8>();
        let Decision {
            effect: effect6,
            code: code6,
            detail: detail6,
            lifetime: lifetime6,
            ttl_ms: ttl_ms6,
            obligations: obligations6,
        } = result4;
        *ptr5.add(0).cast::<u8>() = (effect6.clone() as i32) as u8;
        let vec7 = (code6.into_bytes()).into_boxed_slice();
        let ptr7 = vec7.as_ptr().cast::<u8>();
        let len7 = vec7.len();
        ::core::mem::forget(vec7);
        *ptr5.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len7;
        *ptr5.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr7.cast_mut();
        match detail6 {
            Some(e) => {
                *ptr5.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (1i32) as u8;
                let vec8 = (e.into_bytes()).into_boxed_slice();
                let ptr8 = vec8.as_ptr().cast::<u8>();
                let len8 = vec8.len();
                ::core::mem::forget(vec8);
                *ptr5.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len8;
                *ptr5.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = ptr8.cast_mut();
            }
            None => {
                *ptr5.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (0i32) as u8;
            }
        };
        *ptr5.add(6 * ::core::mem::size_of::<*const u8>()).cast::<u8>() = (lifetime6.clone() as i32) as u8;
        *ptr5.add(4 + 6 * ::core::mem::size_of::<*const u8>()).cast::<i32>() = _rt::as_i32(ttl_ms6);
        let vec25 = obligations6;
        let len25 = vec25.len();
        let layout25 = _rt::alloc::Layout::from_size_align(
            vec25.len() * (48 + 2 * ::core::mem::size_of::<*const u8>()),
            8,
        )
        .unwrap();
        let (result25, _cleanup25) = crate::guest::rt::Cleanup::new(layout25);
        if let Some(cleanup) = _cleanup25 {
            cleanup.forget();
        }
        for (i, e) in vec25.into_iter().enumerate() {
            let base = result25.add(i * (48 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                match e {
                    Obligation::MaxBytes(e) => {
                        *base.add(0).cast::<u8>() = (0i32) as u8;
                        *base.add(8).cast::<i64>() = _rt::as_i64(e);
                    }
                    Obligation::MaxFiles(e) => {
                        *base.add(0).cast::<u8>() = (1i32) as u8;
                        *base.add(8).cast::<i64>() = _rt::as_i64(e);
                    }
                    Obligation::BytesPerSecond(e) => {
                        *base.add(0).cast::<u8>() = (2i32) as u8;
                        *base.add(8).cast::<i64>() = _rt::as_i64(e);
                    }
                    Obligation::NotAfterMs(e) => {
                        *base.add(0).cast::<u8>() = (3i32) as u8;
                        *base.add(8).cast::<i64>() = _rt::as_i64(e);
                    }
                    Obligation::ReadOnly => {
                        *base.add(0).cast::<u8>() = (4i32) as u8;
                    }
                    Obligation::StoreAs(e) => {
                        *base.add(0).cast::<u8>() = (5i32) as u8;
                        let vec9 = (e.into_bytes()).into_boxed_slice();
                        let ptr9 = vec9.as_ptr().cast::<u8>();
                        let len9 = vec9.len();
                        ::core::mem::forget(vec9);
                        *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len9;
                        *base.add(8).cast::<*mut u8>() = ptr9.cast_mut();
                    }
                    Obligation::Label(e) => {
                        *base.add(0).cast::<u8>() = (6i32) as u8;
                        let vec10 = (e.into_bytes()).into_boxed_slice();
                        let ptr10 = vec10.as_ptr().cast::<u8>();
                        let len10 = vec10.len();
                        ::core::mem::forget(vec10);
                        *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len10;
                        *base.add(8).cast::<*mut u8>() = ptr10.cast_mut();
                    }
                    Obligation::Notify(e) => {
                        *base.add(0).cast::<u8>() = (7i32) as u8;
                        let vec11 = (e.into_bytes()).into_boxed_slice();
                        let ptr11 = vec11.as_ptr().cast::<u8>();
                        let len11 = vec11.len();
                        ::core::mem::forget(vec11);
                        *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len11;
                        *base.add(8).cast::<*mut u8>() = ptr11.cast_mut();
                    }
                    Obligation::Paths(e) => {
                        *base.add(0).cast::<u8>() = (8i32) as u8;
                        let vec16 = e;
                        let len16 = vec16.len();
                        let layout16 = _rt::alloc::Layout::from_size_align(
                            vec16.len() * (16 + 8 * ::core::mem::size_of::<*const u8>()),
                            8,
                        )
                        .unwrap();
                        let (result16, _cleanup16) = crate::guest::rt::Cleanup::new(layout16);
                        if let Some(cleanup) = _cleanup16 {
                            cleanup.forget();
                        }
                        for (i, e) in vec16.into_iter().enumerate() {
                            let base = result16.add(i * (16 + 8 * ::core::mem::size_of::<*const u8>()));
                            {
                                let PathRule {
                                    glob: glob12,
                                    bytes_max: bytes_max12,
                                    effect: effect12,
                                    store_as: store_as12,
                                    code: code12,
                                } = e;
                                let vec13 = (glob12.into_bytes()).into_boxed_slice();
                                let ptr13 = vec13.as_ptr().cast::<u8>();
                                let len13 = vec13.len();
                                ::core::mem::forget(vec13);
                                *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() = len13;
                                *base.add(0).cast::<*mut u8>() = ptr13.cast_mut();
                                match bytes_max12 {
                                    Some(e) => {
                                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (1i32) as u8;
                                        *base
                                            .add(8 + 2 * ::core::mem::size_of::<*const u8>())
                                            .cast::<i64>() = _rt::as_i64(e);
                                    }
                                    None => {
                                        *base.add(2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                            (0i32) as u8;
                                    }
                                };
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (effect12.clone() as i32) as u8;
                                match store_as12 {
                                    Some(e) => {
                                        *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<u8>() = (1i32) as u8;
                                        let vec14 = (e.into_bytes()).into_boxed_slice();
                                        let ptr14 = vec14.as_ptr().cast::<u8>();
                                        let len14 = vec14.len();
                                        ::core::mem::forget(vec14);
                                        *base
                                            .add(16 + 5 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>() = len14;
                                        *base
                                            .add(16 + 4 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>() = ptr14.cast_mut();
                                    }
                                    None => {
                                        *base
                                            .add(16 + 3 * ::core::mem::size_of::<*const u8>())
                                            .cast::<u8>() = (0i32) as u8;
                                    }
                                };
                                let vec15 = (code12.into_bytes()).into_boxed_slice();
                                let ptr15 = vec15.as_ptr().cast::<u8>();
                                let len15 = vec15.len();
                                ::core::mem::forget(vec15);
                                *base.add(16 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len15;
                                *base.add(16 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    ptr15.cast_mut();
                            }
                        }
                        *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len16;
                        *base.add(8).cast::<*mut u8>() = result16;
                    }
                    Obligation::MustUnderstand(e) => {
                        *base.add(0).cast::<u8>() = (9i32) as u8;
                        let super::super::super::super::__with_name0::Attr { key: key17, val: val17 } = e;
                        let vec18 = (key17.into_bytes()).into_boxed_slice();
                        let ptr18 = vec18.as_ptr().cast::<u8>();
                        let len18 = vec18.len();
                        ::core::mem::forget(vec18);
                        *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len18;
                        *base.add(8).cast::<*mut u8>() = ptr18.cast_mut();
                        use super::super::super::super::__with_name0::Value as V24;
                        match val17 {
                            V24::Nothing => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (0i32) as u8;
                            }
                            V24::Flag(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (1i32) as u8;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (match e {
                                        true => 1,
                                        false => 0,
                                    }) as u8;
                            }
                            V24::Int(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (2i32) as u8;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(e);
                            }
                            V24::Uint(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (3i32) as u8;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(e);
                            }
                            V24::Text(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (4i32) as u8;
                                let vec19 = (e.into_bytes()).into_boxed_slice();
                                let ptr19 = vec19.as_ptr().cast::<u8>();
                                let len19 = vec19.len();
                                ::core::mem::forget(vec19);
                                *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len19;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    ptr19.cast_mut();
                            }
                            V24::Blob(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (5i32) as u8;
                                let vec20 = <_ as Into<_rt::Vec<_>>>::into(e).into_boxed_slice();
                                let ptr20 = vec20.as_ptr().cast::<u8>();
                                let len20 = vec20.len();
                                ::core::mem::forget(vec20);
                                *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len20;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    ptr20.cast_mut();
                            }
                            V24::Id(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (6i32) as u8;
                                let super::super::super::super::__with_name0::Id32 {
                                    a: a21,
                                    b: b21,
                                    c: c21,
                                    d: d21,
                                } = e;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(a21);
                                *base.add(24 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(b21);
                                *base.add(32 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(c21);
                                *base.add(40 + 2 * ::core::mem::size_of::<*const u8>()).cast::<i64>() =
                                    _rt::as_i64(d21);
                            }
                            V24::Texts(e) => {
                                *base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>() =
                                    (7i32) as u8;
                                let vec23 = e;
                                let len23 = vec23.len();
                                let layout23 = _rt::alloc::Layout::from_size_align(
                                    vec23.len() * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                )
                                .unwrap();
                                let (result23, _cleanup23) = crate::guest::rt::Cleanup::new(layout23);
                                if let Some(cleanup) = _cleanup23 {
                                    cleanup.forget();
                                }
                                for (i, e) in vec23.into_iter().enumerate() {
                                    let base = result23.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    {
                                        let vec22 = (e.into_bytes()).into_boxed_slice();
                                        let ptr22 = vec22.as_ptr().cast::<u8>();
                                        let len22 = vec22.len();
                                        ::core::mem::forget(vec22);
                                        *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                            len22;
                                        *base.add(0).cast::<*mut u8>() = ptr22.cast_mut();
                                    }
                                }
                                *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>() =
                                    len23;
                                *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() =
                                    result23;
                            }
                        }
                    }
                }
            }
        }
        *ptr5.add(8 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>() = len25;
        *ptr5.add(8 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>() = result25;
        ptr5
    }
}
#[doc(hidden)]
#[allow(non_snake_case)]
pub unsafe fn __post_return_decide<T_: Guest>(arg0: *mut u8) {
    unsafe {
        let l0 = *arg0.add(::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
        let l1 = *arg0.add(2 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
        _rt::cabi_dealloc(l0, l1, 1);
        let l2 = i32::from(*arg0.add(3 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
        match l2 {
            0 => {}
            _ => {
                let l3 = *arg0.add(4 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                let l4 = *arg0.add(5 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                _rt::cabi_dealloc(l3, l4, 1);
            }
        }
        let l5 = *arg0.add(8 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
        let l6 = *arg0.add(8 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
        let base37 = l5;
        let len37 = l6;
        for i in 0..len37 {
            let base = base37.add(i * (48 + 2 * ::core::mem::size_of::<*const u8>()));
            {
                let l7 = i32::from(*base.add(0).cast::<u8>());
                match l7 {
                    0 => {}
                    1 => {}
                    2 => {}
                    3 => {}
                    4 => {}
                    5 => {
                        let l8 = *base.add(8).cast::<*mut u8>();
                        let l9 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l8, l9, 1);
                    }
                    6 => {
                        let l10 = *base.add(8).cast::<*mut u8>();
                        let l11 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l10, l11, 1);
                    }
                    7 => {
                        let l12 = *base.add(8).cast::<*mut u8>();
                        let l13 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l12, l13, 1);
                    }
                    8 => {
                        let l14 = *base.add(8).cast::<*mut u8>();
                        let l15 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        let base23 = l14;
                        let len23 = l15;
                        for i in 0..len23 {
                            let base = base23.add(i * (16 + 8 * ::core::mem::size_of::<*const u8>()));
                            {
                                let l16 = *base.add(0).cast::<*mut u8>();
                                let l17 = *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l16, l17, 1);
                                let l18 = i32::from(
                                    *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<u8>(),
                                );
                                match l18 {
                                    0 => {}
                                    _ => {
                                        let l19 = *base
                                            .add(16 + 4 * ::core::mem::size_of::<*const u8>())
                                            .cast::<*mut u8>();
                                        let l20 = *base
                                            .add(16 + 5 * ::core::mem::size_of::<*const u8>())
                                            .cast::<usize>();
                                        _rt::cabi_dealloc(l19, l20, 1);
                                    }
                                }
                                let l21 =
                                    *base.add(16 + 6 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l22 =
                                    *base.add(16 + 7 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l21, l22, 1);
                            }
                        }
                        _rt::cabi_dealloc(base23, len23 * (16 + 8 * ::core::mem::size_of::<*const u8>()), 8);
                    }
                    _ => {
                        let l24 = *base.add(8).cast::<*mut u8>();
                        let l25 = *base.add(8 + 1 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                        _rt::cabi_dealloc(l24, l25, 1);
                        let l26 =
                            i32::from(*base.add(8 + 2 * ::core::mem::size_of::<*const u8>()).cast::<u8>());
                        match l26 {
                            0 => {}
                            1 => {}
                            2 => {}
                            3 => {}
                            4 => {
                                let l27 =
                                    *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l28 =
                                    *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                _rt::cabi_dealloc(l27, l28, 1);
                            }
                            5 => {
                                let l29 =
                                    *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l30 =
                                    *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base31 = l29;
                                let len31 = l30;
                                _rt::cabi_dealloc(base31, len31 * 1, 1);
                            }
                            6 => {}
                            _ => {
                                let l32 =
                                    *base.add(16 + 2 * ::core::mem::size_of::<*const u8>()).cast::<*mut u8>();
                                let l33 =
                                    *base.add(16 + 3 * ::core::mem::size_of::<*const u8>()).cast::<usize>();
                                let base36 = l32;
                                let len36 = l33;
                                for i in 0..len36 {
                                    let base = base36.add(i * (2 * ::core::mem::size_of::<*const u8>()));
                                    {
                                        let l34 = *base.add(0).cast::<*mut u8>();
                                        let l35 =
                                            *base.add(::core::mem::size_of::<*const u8>()).cast::<usize>();
                                        _rt::cabi_dealloc(l34, l35, 1);
                                    }
                                }
                                _rt::cabi_dealloc(
                                    base36,
                                    len36 * (2 * ::core::mem::size_of::<*const u8>()),
                                    ::core::mem::size_of::<*const u8>(),
                                );
                            }
                        }
                    }
                }
            }
        }
        _rt::cabi_dealloc(base37, len37 * (48 + 2 * ::core::mem::size_of::<*const u8>()), 8);
    }
}
pub trait Guest {
    /// Decides. Runs on the core that moves the data: 3 ms at most, 50 us are usual. Fresh memory for each call,
    /// unless the manifest says `instance = "reused"`.
    #[allow(async_fn_in_trait)]
    fn decide(req: Request) -> Decision;
}
#[doc(hidden)]
#[macro_export]
macro_rules! __export_policy_xferd_plugin_authorizer_0_1_0_cabi {
                    ($ty:ident with_types_in $($path_to_types:tt)*) => {
                        const _ : () = { #[unsafe (export_name =
                        "xferd:plugin/authorizer@0.1.0#decide")] unsafe extern "C" fn
                        export_decide(arg0 : i64, arg1 : i64, arg2 : i64, arg3 : i64,
                        arg4 : i32, arg5 : * mut u8, arg6 : usize, arg7 : * mut u8, arg8
                        : usize,) -> * mut u8 { unsafe { $($path_to_types)*::
                        _export_decide_cabi::<$ty > (arg0, arg1, arg2, arg3, arg4, arg5,
                        arg6, arg7, arg8) } } #[unsafe (export_name =
                        "cabi_post_xferd:plugin/authorizer@0.1.0#decide")] unsafe extern
                        "C" fn _post_return_decide(arg0 : * mut u8,) { unsafe {
                        $($path_to_types)*:: __post_return_decide::<$ty > (arg0) } } };
                    };
                }
#[doc(hidden)]
pub use __export_policy_xferd_plugin_authorizer_0_1_0_cabi;
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
struct _RetArea([::core::mem::MaybeUninit<u8>; 8 + 8 * ::core::mem::size_of::<*const u8>()]);
static mut _RET_AREA: _RetArea =
    _RetArea([::core::mem::MaybeUninit::uninit(); 8 + 8 * ::core::mem::size_of::<*const u8>()]);
