//! Every bound of the engine, in one place.
//!
//! A bound has a default, a TINY value under which tests meet wrap-around and full queues within
//! milliseconds, and a ceiling that configuration may raise it to. Full means back-pressure or refusal,
//! never growth. Sizes in bytes, times in milliseconds unless the name says otherwise.
//!
//! What they come to: a sync of a million files takes less than 256 MiB at either end with two cores (workload W2m of the
//! benches), most of it arenas of `arena_bytes_per_core`, of which only touched pages count.

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr, $tiny:expr, $ceiling:expr;)*) => {
        /// The bounds of one process.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Limits { $($(#[$doc])* pub $name: $type,)* }

        impl Limits {
            /// What ships.
            pub const DEFAULT: Self = Self { $($name: $default,)* };
            /// What the simulator runs under.
            pub const TINY: Self = Self { $($name: $tiny,)* };
            /// What configuration may raise a bound to; equal to the default where it may not.
            pub const CEILING: Self = Self { $($name: $ceiling,)* };
            /// Names of the bounds, as configuration spells them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// Every bound: its name, its value here, its ceiling.
            pub fn rows(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
                [$((stringify!($name), self.$name as u64, Self::CEILING.$name as u64),)*].into_iter()
            }

            /// Sets one bound by name, between 1 and its ceiling.
            ///
            /// # Errors
            /// No such bound, or the allowed range.
            pub fn set(&mut self, name: &str, value: u64) -> Result<(), LimitError> {
                match name {
                    $(stringify!($name) => {
                        let most = Self::CEILING.$name as u64;
                        if value == 0 || value > most {
                            return Err(LimitError::Range { most });
                        }
                        self.$name = value as $type;
                        Ok(())
                    })*
                    _ => Err(LimitError::Unknown),
                }
            }
        }
    };
}

/// Why a bound could not be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitError {
    /// No bound of this name.
    Unknown,
    /// Not between 1 and `most`.
    Range {
        /// The ceiling.
        most: u64,
    },
}

/// 2^10.
pub const KIB: u32 = 1 << 10;
/// 2^20.
pub const MIB: u32 = 1 << 20;
const GIB: u64 = 1 << 30;
const HOUR_MS: u64 = 3_600_000;

/// Bytes of a frame header.
pub const HEADER_BYTES: u32 = 12;
/// Where a frame header begins in an arena slot, so that data begins on a page boundary.
pub const HEADER_AT: u32 = 4084;
/// Where data begins in an arena slot.
pub const DATA_AT: u32 = 4096;
/// Most bytes of trailer and tag after the data of a record.
pub const TAIL_BYTES_MAX: u32 = 128 - HEADER_BYTES;
/// Memory of a core that compresses: its contexts of both directions and a record beside them. A test asserts it.
pub const COMPRESS_BYTES_PER_CORE: u32 = 2 * MIB;
/// Members of all groups together: 128 MiB of memory at 8 bytes each.
pub const GROUPED_MAX: u64 = 1 << 24;

limits! {
    /// Payload of a full record: the AEAD unit and one buffer. A constant of the protocol.
    record_bytes: u32 = 256 * KIB, KIB, 256 * KIB;
    /// One arena slot: 4 KiB head room, a record, 4 KiB for trailer and tag.
    buffer_bytes: u32 = 264 * KIB, 9 * KIB, 264 * KIB;
    /// Arena of one core.
    arena_bytes_per_core: u64 = 64 * MIB as u64, 72 * KIB as u64, GIB;
    /// Cores of one process; each is a thread, a ring and an arena.
    cores_max: u32 = 1024, 2, 1024;
    /// Buffers in flight per stream and direction.
    buffers_per_direction: u32 = 4, 2, 16;
    /// Sealed records of one link that wait for their send, including the one being sent: more would leave the
    /// core's cache before the kernel copies them.
    slots_queued_max: u32 = 2, 2, 16;
    /// One device's share of a core's buffers is one over this.
    device_share_divisor: u32 = 4, 2, 4;
    /// Smallest chunk.
    chunk_bytes_min: u32 = MIB, 4 * KIB, MIB;
    /// Largest chunk of files up to 8 TiB.
    chunk_bytes_max: u32 = 64 * MIB, 16 * KIB, 64 * MIB;
    /// Largest chunk of all.
    chunk_bytes_huge: u32 = 1024 * MIB, 32 * KIB, 1024 * MIB;
    /// Chunks of one file.
    chunk_values_max: u32 = 131_072, 16, 131_072;
    /// Bytes of a manifest.
    manifest_bytes_max: u32 = 4 * MIB + 4 * KIB, KIB, 4 * MIB + 4 * KIB;
    /// Files from this on are sent as a delta against an older one of the same name: a chunk. Below it the older
    /// one is read faster than its pieces are named and answered.
    delta_file_bytes_min: u64 = MIB as u64, 2 * KIB as u64, 1 << 40;
    /// Average piece of a delta at its finest; coarser for larger files.
    piece_bytes_min: u32 = 8 * KIB, 512, 64 * MIB;
    /// Average piece of a delta at its coarsest; a file that would need coarser ones goes whole.
    piece_bytes_max: u32 = 64 * MIB, 4 * KIB, 64 * MIB;
    /// The list of pieces of one file, 20 bytes each; its sender-side index takes five times as much memory.
    pieces_bytes_max: u32 = 4 * MIB, KIB, 4 * MIB;
    /// Lists of one transfer that a sender holds at once.
    deltas_open_max: u32 = 4, 2, 64;
    /// Bytes of both files, or a quarter of them if that is more, that are compared in vain before a delta is
    /// given up.
    delta_probe_bytes: u64 = 16 * MIB as u64, 4 * KIB as u64, 1 << 40;
    /// Files up to this travel in packs.
    pack_file_bytes_max: u32 = 128 * KIB, 512, 128 * KIB;
    /// Files above this have a journal: one window.
    journal_file_bytes_min: u64 = 16 * MIB as u64, 8 * KIB as u64, 16 * MIB as u64;
    /// Bytes of one stream sent and not yet acknowledged as received.
    window_bytes_per_stream: u64 = 16 * MIB as u64, 8 * KIB as u64, 256 * MIB as u64;
    /// One Control message, reassembled.
    control_bytes_max: u32 = MIB, 4 * KIB, 16 * MIB;
    /// Hello, reassembled.
    hello_bytes_max: u32 = 2 * KIB, 2 * KIB, 2 * KIB;
    /// All bytes of a peer before it is authenticated.
    before_auth_bytes_max: u32 = 8 * KIB, 8 * KIB, 8 * KIB;
    /// Nesting of BSON.
    bson_depth_max: u32 = 16, 4, 16;
    /// Keys of one BSON document.
    bson_keys_max: u32 = 1024, 64, 65_536;
    /// A UDP datagram.
    udp_bytes_max: u32 = 512, 512, 512;
    /// Files under one seal.
    seal_files_max: u32 = 4096, 4, 65_536;
    /// Bytes under one seal (a larger file is a batch of its own).
    seal_bytes_max: u64 = 64 * MIB as u64, 16 * KIB as u64, GIB;
    /// Age of a batch before it is sealed.
    seal_ms: u64 = 250, 5, 5000;
    /// From one word on the times of a transfer to the next; each is a frame of some 80 bytes.
    times_ms: u64 = 500, 5, 60_000;
    /// Files of one durability batch.
    tree_files_max: u32 = 4096, 8, 65_536;
    /// Bytes of one durability batch.
    tree_bytes_max: u64 = GIB, 64 * KIB as u64, 16 * GIB;
    /// Age of a durability batch.
    tree_ms: u64 = 5000, 20, 60_000;
    /// Entries of one Entries message.
    entries_batch_max: u32 = 1024, 4, 4096;
    /// Entries messages without a Want.
    entries_unanswered_max: u32 = 8, 2, 64;
    /// Seals without a verdict.
    seals_pending_max: u32 = 64, 2, 256;
    /// Names of one directory held in memory.
    directory_names_bytes_max: u64 = 64 * MIB as u64, 4 * KIB as u64, GIB;
    /// Directory descriptors one transfer holds open; twice as many as a batch of names may touch.
    directories_open_max: u32 = 256, 4, 65_536;
    /// Names that --delete holds until the end, in bytes; beyond it nothing further is deleted.
    doomed_bytes_max: u64 = 64 * MIB as u64, 4 * KIB as u64, GIB;
    /// Failures that the reply to a removal names; the rest are counted.
    removal_failures_max: u32 = 64, 4, 4096;
    /// Length of a path.
    path_bytes_max: u32 = 4096, 256, 4096;
    /// Length of a component.
    name_bytes_max: u32 = 255, 64, 255;
    /// Components of a path.
    path_depth_max: u32 = 256, 8, 256;
    /// Filter patterns of one transfer; each at most `path_bytes_max` long.
    filters_max: u32 = 1024, 8, 16_384;
    /// Data streams of one transfer.
    streams_max: u32 = 4, 2, 16;
    /// Bytes of content above which data streams are opened at all.
    streams_bytes_min: u64 = 64 * MIB as u64, 16 * KIB as u64, 1024 * GIB;
    /// From the end of a stream until what it carried and nobody acknowledged counts as lost: acknowledgements come on
    /// another connection.
    stream_lost_ms: u64 = 300, 30, 10_000;
    /// Transfers of one session at once.
    transfers_per_session_max: u32 = 8, 2, 64;
    /// Sessions of one core.
    sessions_per_core_max: u32 = 4096, 8, 65_536;
    /// Handshakes in progress per core.
    half_open_per_core_max: u32 = 256, 4, 4096;
    /// Handshakes in progress per address and core.
    half_open_per_address_max: u32 = 64, 2, 1024;
    /// From the first byte to Ready.
    handshake_ms: u64 = 30_000, 300, 120_000;
    /// From a record's announcement to its last byte.
    record_ms: u64 = 60_000, 600, 600_000;
    /// Largest difference between the clocks of two peers.
    clock_skew_ms: u64 = 300_000, 300_000, 300_000;
    /// Silence before a ping.
    ping_ms: u64 = 30_000, 300, HOUR_MS;
    /// From a ping to its pong.
    pong_ms: u64 = 30_000, 300, HOUR_MS;
    /// From SIGTERM to the end of what still runs.
    drain_ms: u64 = 30_000, 100, HOUR_MS;
    /// How long a closing connection waits until its last words are sent and the peer is done.
    close_ms: u64 = 2000, 100, 60_000;
    /// Bytes of the peer that a closing connection reads and drops: unread ones would reset it, and the peer would
    /// not read why it closes. Two windows.
    close_drain_bytes_max: u64 = 32 * MIB as u64, 16 * KIB as u64, GIB;
    /// Bytes of small frames that wait on one link to be sent; above it nothing more is read from that peer. More than
    /// entries, acknowledgements and replies of an honest one ever are: two ends that stop reading would wait for ever.
    queued_bytes_max: u32 = 8 * MIB, 32 * KIB, 64 * MIB;
    /// Control frames of one direction under one key.
    rekey_controls_max: u32 = 1000, 4, 1000;
    /// Records of one direction under one key.
    rekey_records_max: u64 = 1 << 20, 8, 1 << 20;
    /// Bytes of one direction under one key.
    rekey_bytes_max: u64 = 64 * GIB, 16 * KIB as u64, 64 * GIB;
    /// Age of a key.
    rekey_ms: u64 = HOUR_MS, 50, HOUR_MS;
    /// Operations in flight on one core.
    ops_in_flight_per_core: u32 = 8192, 12, 65_536;
    /// Completions taken in one turn.
    done_per_turn: u32 = 256, 4, 4096;
    /// Acts of one background batch.
    acts_per_batch_max: u32 = 256, 4, 1024;
    /// Acts of one inline batch.
    acts_inline_max: u32 = 64, 2, 256;
    /// Threads of one core that run background batches beside io_uring.
    helper_threads_per_core: u32 = 1, 1, 8;
    /// Threads of one core for files, where io_uring cannot be used.
    pool_threads_per_core: u32 = 8, 2, 64;
    /// Mails waiting for one core.
    mailbox_max: u32 = 1024, 64, 65_536;
    /// Requests waiting for the other threads.
    hook_queue_max: u32 = 1024, 2, 65_536;
    /// Requests of one session without a reply.
    requests_per_session_max: u32 = 32, 2, 1024;
    /// Life of a join token.
    token_ttl_ms_max: u64 = 24 * HOUR_MS, 1000, 720 * HOUR_MS;
    /// Life of a certificate.
    cert_months: u32 = 12, 12, 24;
    /// Age after which an idle journal and its part go.
    journal_idle_days: u32 = 7, 1, 365;
    /// Receipts kept.
    receipts_kept_max: u32 = 1000, 2, 1_000_000;
    /// Rows of the audit log; the oldest go.
    audit_rows_max: u32 = 1_000_000, 8, 100_000_000;
    /// Files that are counted as stored by an account, about 100 bytes and its path each in the state directory; one more
    /// is refused.
    stored_files_max: u64 = 100_000_000, 256, 10_000_000_000;
    /// Bans in force at once.
    bans_max: u32 = 65_536, 4, 1 << 20;
    /// Groups of accounts, about 200 bytes of memory each.
    groups_max: u32 = 1024, 4, 65_536;
    /// Accounts of one group: 8 bytes of memory each, and some 150 for an account that is in any; times `groups_max` at
    /// most `GROUPED_MAX`.
    group_members_max: u32 = 1024, 4, 65_536;
    /// Groups of one account. A decision that asks for their names is kept with all of them, some 90 bytes each; one that
    /// asks for their ids gets a page.
    account_groups_max: u32 = 64, 3, 256;
    /// Devices on one revocation list (40 bytes each).
    crl_devices_max: u32 = 65_536, 4, 1 << 20;
    /// Addresses of one hub, in a join token or a remote.
    addresses_max: u32 = 8, 2, 32;
    /// Length of one address, `host:port`.
    address_bytes_max: u32 = 255, 64, 255;
    /// A join token as text: 141 bytes and its addresses, in base32.
    token_text_bytes_max: u32 = 4 * KIB, 512, 16 * KIB;
    /// Trust roots of one state directory.
    trust_roots_max: u32 = 64, 2, 1024;
    /// Remotes of one state directory.
    remotes_max: u32 = 1024, 4, 65_536;
    /// Connections from one address to one process.
    connections_per_address_max: u32 = 1024, 8, 65_536;
    /// An allowed transfer whose answer has become too old is asked about again after so much content,
    decision_again_bytes: u64 = 64 << 20, 64 << 10, 64 * GIB;
    /// or after so long, whichever is first.
    decision_again_ms: u64 = 1000, 10, 60_000;
    /// Plugins loaded at once.
    plugins_max: u32 = 64, 4, 1024;
    /// Instances of plugins at once; each may reserve `plugin_memory_reserved_bytes` of addresses, not memory.
    plugin_instances_max: u32 = 256, 16, 4096;
    /// A component as its author ships it.
    plugin_wasm_bytes_max: u32 = 8 * MIB, MIB, 64 * MIB;
    /// Machine code of one component.
    plugin_code_bytes_max: u32 = 64 * MIB, 8 * MIB, 256 * MIB;
    /// Addresses reserved for one memory of a plugin; what a manifest may ask for at most.
    plugin_memory_reserved_bytes: u32 = 64 * MIB, 64 * MIB, 64 * MIB;
    /// Memory of a policy that asks for none.
    plugin_policy_memory_bytes: u32 = 4 * MIB, 4 * MIB, 64 * MIB;
    /// Memory of any other plugin that asks for none.
    plugin_lane_memory_bytes: u32 = 16 * MIB, 16 * MIB, 64 * MIB;
    /// Elements of one table of a plugin, 8 bytes each.
    plugin_table_elements_max: u32 = 16_384, 16_384, 65_536;
    /// Stack of a plugin's code, on the thread that calls it.
    plugin_stack_bytes: u32 = 256 * KIB, 256 * KIB, 512 * KIB;
    /// One decision of one policy, its `configure` included.
    plugin_policy_ms: u32 = 3, 3, 10;
    /// One call of any other plugin, in CPU time: on a machine that has some to spare it is over within 50 ms.
    plugin_lane_ms: u32 = 40, 40, 1000;
    /// Host calls of one decision.
    plugin_policy_calls_max: u32 = 1000, 1000, 10_000;
    /// Host calls of one call of any other plugin.
    plugin_lane_calls_max: u32 = 10_000, 10_000, 100_000;
    /// Bytes through the host calls and in the answer of one decision.
    plugin_policy_bytes_max: u32 = 256 * KIB, 256 * KIB, MIB;
    /// Bytes through the host calls and in the answer of one call of any other plugin.
    plugin_lane_bytes_max: u32 = 4 * MIB, 4 * MIB, 16 * MIB;
    /// Names that a plugin chooses: keys, buckets, counters, topics.
    plugin_name_bytes_max: u32 = 128, 128, 128;
    /// Answers of one call with many keys.
    plugin_keys_per_call_max: u32 = 64, 64, 64;
    /// Rows of one page.
    plugin_page_max: u32 = 256, 256, 256;
    /// Lines a plugin logs in a second; the rest are counted.
    plugin_log_lines_per_second: u32 = 64, 8, 1024;
    /// One line of a plugin, its fields included.
    plugin_log_line_bytes_max: u32 = 4 * KIB, KIB, 16 * KIB;
    /// Names of counters and histograms of one plugin; also denial codes that are counted by name.
    plugin_counters_max: u32 = 32, 4, 256;
    /// Facts read by one decision that are kept with it; one that reads more is not kept.
    plugin_reads_max: u32 = 128, 8, 1024;
    /// Decisions kept by one core, each about 1 KiB.
    plugin_decisions_max: u32 = 4096, 8, 65_536;
    /// Decisions kept for one subject, action and root; the oldest goes.
    plugin_decisions_alike_max: u32 = 16, 2, 256;
    /// How long a decision that read the clock is kept.
    plugin_clock_keep_ms: u32 = 1000, 1000, 1000;
    /// How long any decision of a plugin is kept.
    plugin_ttl_ms_max: u32 = 3_600_000, 1000, 86_400_000;
    /// Entries of one batch of decisions.
    plugin_batch_entries_max: u32 = 1024, 8, 1024;
    /// Obligations of one decision.
    plugin_obligations_max: u32 = 64, 8, 256;
    /// Path rules of one decision.
    plugin_path_rules_max: u32 = 1024, 8, 4096;
    /// A decision's code.
    plugin_code_name_bytes_max: u32 = 64, 64, 64;
    /// A decision's detail, and text of a fault.
    plugin_detail_bytes_max: u32 = KIB, KIB, 4 * KIB;
    /// Keys and values of one plugin, in memory and in the store.
    plugin_kv_bytes_max: u32 = MIB, 64 * KIB, 64 * MIB;
    /// One value.
    plugin_kv_value_bytes_max: u32 = 64 * KIB, 4 * KIB, 64 * KIB;
    /// Pages of the store, 4 KiB each, that the keys of one plugin take: many small ones take more than their bytes.
    plugin_kv_pages_max: u32 = 1024, 4, 65_536;
    /// Calls of one device that wait for their answer; one more is refused, so that no caller has all the queue.
    plugin_calls_per_device_max: u32 = 32, 2, 1024;
    /// Faults of one plugin in a minute after which it rests for one.
    plugin_faults_per_minute_max: u32 = 5, 2, 60;
    /// After its first fault a plugin is made anew after this time; after each further one twice as late.
    plugin_restart_ms: u32 = 100, 10, 60_000;
    /// How long a plugin rests after `plugin_faults_per_minute_max` faults.
    plugin_rest_ms: u32 = 60_000, 100, 3_600_000;
    /// Calls and events that wait for one plugin; one more is answered 503 or dropped.
    plugin_queue_max: u32 = 1024, 4, 65_536;
    /// Events of one batch.
    plugin_events_batch_max: u32 = 256, 4, 256;
    /// Timers of one plugin at once.
    plugin_timers_max: u32 = 256, 4, 4096;
    /// Longest time of a timer.
    plugin_timer_ms_max: u64 = 720 * HOUR_MS, 10_000, 720 * HOUR_MS;
    /// From a call to the answer of one that answers later.
    plugin_later_ms: u32 = 30_000, 100, 600_000;
    /// Body of a call, an event, an answer or a saved state.
    plugin_body_bytes_max: u32 = MIB, 64 * KIB, MIB;
    /// Random bytes of one call.
    plugin_random_bytes_max: u32 = 4 * KIB, 4 * KIB, 4 * KIB;
    /// Effects of one call.
    plugin_effects_max: u32 = 1024, 16, 16_384;
    /// Protocols that one plugin serves, and topics it wants.
    plugin_names_max: u32 = 64, 4, 1024;
    /// Token buckets that are not full, of all plugins and subjects, 16 bytes each.
    plugin_buckets_max: u32 = 65_536, 64, 1 << 20;
}

/// Relations between the bounds; asserted for DEFAULT and TINY when this compiles, and for a
/// configuration when it is read.
impl Limits {
    /// The first relation that does not hold.
    pub const fn broken_relation(&self) -> Option<&'static str> {
        if self.sessions_per_core_max >= self.ops_in_flight_per_core {
            return Some("sessions_per_core_max must be below ops_in_flight_per_core");
        }
        if !self.chunk_bytes_min.is_multiple_of(self.record_bytes) {
            return Some("record_bytes must divide chunk_bytes_min");
        }
        if self.pack_file_bytes_max * 2 > self.record_bytes {
            return Some("two files of pack_file_bytes_max must fit record_bytes");
        }
        if self.arena_bytes_per_core / (self.buffer_bytes as u64) < 8 {
            return Some("arena_bytes_per_core must hold 8 buffers");
        }
        if self.buffer_bytes < DATA_AT + self.record_bytes + TAIL_BYTES_MAX {
            return Some("buffer_bytes must hold head room, a record and its tail");
        }
        if self.window_bytes_per_stream < self.record_bytes as u64 * 2 {
            return Some("window_bytes_per_stream must hold two records");
        }
        if self.chunk_bytes_min > self.chunk_bytes_max || self.chunk_bytes_max > self.chunk_bytes_huge {
            return Some("chunk_bytes_min, chunk_bytes_max and chunk_bytes_huge must not decrease");
        }
        if self.piece_bytes_min < 512 || self.piece_bytes_min > self.piece_bytes_max {
            return Some("piece_bytes_min must be at least 512 and at most piece_bytes_max");
        }
        if self.pieces_bytes_max < 40 {
            return Some("pieces_bytes_max must hold two rows");
        }
        if self.plugin_policy_memory_bytes > self.plugin_memory_reserved_bytes
            || self.plugin_lane_memory_bytes > self.plugin_memory_reserved_bytes
        {
            return Some("a plugin's memory must fit plugin_memory_reserved_bytes");
        }
        if self.groups_max as u64 * self.group_members_max as u64 > GROUPED_MAX {
            return Some("groups_max times group_members_max must not exceed 16777216");
        }
        if self.account_groups_max > self.plugin_page_max {
            return Some("account_groups_max must fit plugin_page_max");
        }
        None
    }
}

const _: () = assert!(Limits::DEFAULT.broken_relation().is_none());
const _: () = assert!(Limits::TINY.broken_relation().is_none());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_set_by_name_within_their_ceilings() {
        let mut limits = Limits::DEFAULT;
        assert_eq!(limits.set("seal_files_max", 10), Ok(()));
        assert_eq!(limits.seal_files_max, 10);
        assert_eq!(limits.set("seal_files_max", 65_537), Err(LimitError::Range { most: 65_536 }));
        assert_eq!(limits.set("seal_files_max", 0), Err(LimitError::Range { most: 65_536 }));
        assert_eq!(limits.set("no_such_bound", 1), Err(LimitError::Unknown));
    }

    #[test]
    fn members_of_all_groups_together_are_bounded() {
        let limits = Limits { groups_max: 65_536, group_members_max: 256, ..Limits::DEFAULT };
        assert_eq!(limits.broken_relation(), None);
        let limits = Limits { group_members_max: 257, ..limits };
        assert!(limits.broken_relation().is_some_and(|relation| relation.contains("group_members_max")));
    }
}
