//! The SDK's sources, carried within the program.

/// (path below `src`, text), sorted by path.
pub const SDK: &[(&str, &str)] = &[
    ("bindings/batch_policy.rs", include_str!("../../../sdk/src/bindings/batch_policy.rs")),
    (
        "bindings/batch_policy/exports/xferd/plugin/authorizer.rs",
        include_str!("../../../sdk/src/bindings/batch_policy/exports/xferd/plugin/authorizer.rs"),
    ),
    (
        "bindings/batch_policy/exports/xferd/plugin/batch_authorizer.rs",
        include_str!("../../../sdk/src/bindings/batch_policy/exports/xferd/plugin/batch_authorizer.rs"),
    ),
    (
        "bindings/batch_policy/exports/xferd/plugin/setup.rs",
        include_str!("../../../sdk/src/bindings/batch_policy/exports/xferd/plugin/setup.rs"),
    ),
    ("bindings/discovery.rs", include_str!("../../../sdk/src/bindings/discovery.rs")),
    (
        "bindings/discovery/exports/xferd/plugin/discoverer.rs",
        include_str!("../../../sdk/src/bindings/discovery/exports/xferd/plugin/discoverer.rs"),
    ),
    (
        "bindings/discovery/exports/xferd/plugin/setup.rs",
        include_str!("../../../sdk/src/bindings/discovery/exports/xferd/plugin/setup.rs"),
    ),
    ("bindings/handler.rs", include_str!("../../../sdk/src/bindings/handler.rs")),
    (
        "bindings/handler/exports/xferd/plugin/command.rs",
        include_str!("../../../sdk/src/bindings/handler/exports/xferd/plugin/command.rs"),
    ),
    (
        "bindings/handler/exports/xferd/plugin/setup.rs",
        include_str!("../../../sdk/src/bindings/handler/exports/xferd/plugin/setup.rs"),
    ),
    ("bindings/imports.rs", include_str!("../../../sdk/src/bindings/imports.rs")),
    (
        "bindings/imports/xferd/plugin/blobs.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/blobs.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/candidates.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/candidates.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/clock.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/clock.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/context.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/context.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/datagrams.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/datagrams.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/dns_sd.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/dns_sd.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/files.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/files.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/identity.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/identity.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/kv_read.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/kv_read.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/kv_write.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/kv_write.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/log.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/log.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/membership.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/membership.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/messages.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/messages.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/metrics.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/metrics.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/peers.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/peers.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/quota.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/quota.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/random.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/random.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/shares.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/shares.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/timers.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/timers.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/transfers.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/transfers.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/types.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/types.rs"),
    ),
    (
        "bindings/imports/xferd/plugin/versions.rs",
        include_str!("../../../sdk/src/bindings/imports/xferd/plugin/versions.rs"),
    ),
    ("bindings/mod.rs", include_str!("../../../sdk/src/bindings/mod.rs")),
    ("bindings/observer.rs", include_str!("../../../sdk/src/bindings/observer.rs")),
    (
        "bindings/observer/exports/xferd/plugin/observer_events.rs",
        include_str!("../../../sdk/src/bindings/observer/exports/xferd/plugin/observer_events.rs"),
    ),
    (
        "bindings/observer/exports/xferd/plugin/setup.rs",
        include_str!("../../../sdk/src/bindings/observer/exports/xferd/plugin/setup.rs"),
    ),
    ("bindings/policy.rs", include_str!("../../../sdk/src/bindings/policy.rs")),
    (
        "bindings/policy/exports/xferd/plugin/authorizer.rs",
        include_str!("../../../sdk/src/bindings/policy/exports/xferd/plugin/authorizer.rs"),
    ),
    (
        "bindings/policy/exports/xferd/plugin/setup.rs",
        include_str!("../../../sdk/src/bindings/policy/exports/xferd/plugin/setup.rs"),
    ),
    ("clock.rs", include_str!("../../../sdk/src/clock.rs")),
    ("context.rs", include_str!("../../../sdk/src/context.rs")),
    ("discovery.rs", include_str!("../../../sdk/src/discovery.rs")),
    ("double/imports.rs", include_str!("../../../sdk/src/double/imports.rs")),
    ("double/mod.rs", include_str!("../../../sdk/src/double/mod.rs")),
    ("guest/allocator.rs", include_str!("../../../sdk/src/guest/allocator.rs")),
    ("guest/mod.rs", include_str!("../../../sdk/src/guest/mod.rs")),
    ("guest/panic.rs", include_str!("../../../sdk/src/guest/panic.rs")),
    ("guest/rt.rs", include_str!("../../../sdk/src/guest/rt.rs")),
    ("guest/slot.rs", include_str!("../../../sdk/src/guest/slot.rs")),
    ("handler.rs", include_str!("../../../sdk/src/handler.rs")),
    ("host.rs", include_str!("../../../sdk/src/host.rs")),
    ("identity.rs", include_str!("../../../sdk/src/identity.rs")),
    ("kv.rs", include_str!("../../../sdk/src/kv.rs")),
    ("lib.rs", include_str!("../../../sdk/src/lib.rs")),
    ("log.rs", include_str!("../../../sdk/src/log.rs")),
    ("metrics.rs", include_str!("../../../sdk/src/metrics.rs")),
    ("observer.rs", include_str!("../../../sdk/src/observer.rs")),
    ("policy.rs", include_str!("../../../sdk/src/policy.rs")),
    ("quota.rs", include_str!("../../../sdk/src/quota.rs")),
    ("settings.rs", include_str!("../../../sdk/src/settings.rs")),
    ("task.rs", include_str!("../../../sdk/src/task.rs")),
    ("value.rs", include_str!("../../../sdk/src/value.rs")),
];
