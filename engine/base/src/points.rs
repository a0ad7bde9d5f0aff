//! Crash points: each names what has just been done. A build with feature `crash-points` can be told to
//! raise SIGKILL when one is passed; the simulator kills at them too.

macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A moment at which a test may kill the process.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Point { $($(#[$doc])* $variant,)* }

        impl Point {
            /// Every point.
            pub const ALL: &'static [Point] = &[$(Point::$variant,)*];

            /// Its name: what `XFERD_CRASH` takes.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

points! {
    /// The staged part exists.
    PartCreated = "part-created";
    /// Its space is reserved.
    PartReserved = "part-reserved";
    /// A chunk's last byte is written (not synced).
    ChunkWritten = "chunk-written";
    /// The journal names a received chunk (not synced).
    JournalReceived = "journal-received";
    /// The part's data is synced.
    DataSynced = "data-synced";
    /// The journal record that names it durable is written.
    JournalAppended = "journal-appended";
    /// That record is synced.
    JournalDurable = "journal-durable";
    /// The peer was told `durable`.
    AckDurableSent = "ack-durable-sent";
    /// A seal's signature and values hold.
    SealVerified = "seal-verified";
    /// Mode, owner and times are set on the part.
    MetadataSet = "metadata-set";
    /// The part is synced with its metadata.
    MetadataSynced = "metadata-synced";
    /// Every file of a tree batch is synced.
    BatchFilesSynced = "batch-files-synced";
    /// COMMITTING is written.
    CommittingWritten = "committing-written";
    /// COMMITTING is synced.
    CommittingSynced = "committing-synced";
    /// The first file of a batch has its final name.
    RenamedFirst = "renamed-first";
    /// Every file of a batch has its final name.
    RenamedAll = "renamed-all";
    /// The destination directories are synced.
    DirectorySynced = "directory-synced";
    /// Every new parent is synced.
    ParentsSynced = "parents-synced";
    /// DONE is written.
    DoneWritten = "done-written";
    /// The receipt is signed.
    ReceiptSigned = "receipt-signed";
    /// The receipt is synced.
    ReceiptSynced = "receipt-synced";
    /// The receipt was sent.
    ReceiptSent = "receipt-sent";
    /// The first extraneous name is deleted.
    DeleteFirst = "delete-first";
    /// Every extraneous name is deleted.
    DeleteAll = "delete-all";
    /// A file written in place is marked torn.
    TornMarked = "torn-marked";
    /// It is whole again.
    TornCleared = "torn-cleared";
    /// Recovery opened a journal.
    RecoverOpened = "recover-opened";
    /// Recovery cut a torn tail off.
    RecoverTruncated = "recover-truncated";
    /// Recovery re-hashed the ranges it keeps.
    RecoverRehashed = "recover-rehashed";
    /// Recovery rolled an open COMMITTING forward.
    RecoverRolled = "recover-rolled";
    /// Recovery swept what no journal needs.
    RecoverSwept = "recover-swept";
    /// A key file is written.
    KeyWritten = "key-written";
    /// The trust root is written.
    RootWritten = "root-written";
    /// A single-use token is spent.
    TokenUsed = "token-used";
    /// An issued certificate is stored.
    CertificateStored = "certificate-stored";
    /// It was sent.
    CertificateSent = "certificate-sent";
}

impl Point {
    /// The point with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|point| point.name() == name)
    }
}
