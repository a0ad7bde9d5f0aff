//! Rust's side of `wit/xferd.wit`: one world that imports everything any world imports.
//!
//! A plugin gets a linker with its own world's imports only; of the exports each interface is looked up by itself,
//! because no component has them all.
#![allow(missing_docs, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "../../wit/xferd.wit",
    inline: "
        package xferd:host;
        world everything {
            include xferd:plugin/batch-policy@0.1.0;
            include xferd:plugin/stateful-handler@0.1.0;
            include xferd:plugin/discovery@0.1.0;
            include xferd:plugin/observer@0.1.0;
        }
    ",
    world: "xferd:host/everything",
    imports: { default: trappable },
});
