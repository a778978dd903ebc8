//! What all parts of the store share, and how a part is made of it.

use std::sync::atomic::AtomicU64;

use domain::token::TokenKey;

use crate::blob::Blobs;
use crate::database::soundness::{Reads, Soundness};
use crate::writer::Writer;

/// What all parts of the store share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) url: String,
    pub(crate) reads: Reads,
    pub(crate) writer: Writer,
    pub(crate) blobs: Blobs,
    pub(crate) soundness: Soundness,
    pub(crate) node: String,
    /// What claims carry: the node and this start of it.
    pub(crate) owner: String,
    pub(crate) key: TokenKey,
    /// Carriers that make a content an heirloom, at this site.
    pub(crate) heirloom: AtomicU64,
}

/// Makes a part of the store: a type whose methods are about one thing, cheap to clone. Only [`crate::Store`] has them
/// to give, so whoever was not given a part cannot read or write what it is about.
macro_rules! part {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            core: std::sync::Arc<$crate::core::Core>,
        }

        impl $name {
            pub(crate) fn new(core: &std::sync::Arc<$crate::core::Core>) -> Self {
                Self { core: core.clone() }
            }
        }

        impl From<&$crate::Store> for $name {
            fn from(store: &$crate::Store) -> Self {
                Self::new(&store.core)
            }
        }
    };
}

pub(crate) use part;

/// Declares the parts of the store that a room is given, once: the list of what it can read and write, and how they are
/// taken from [`crate::Store`] by whoever has all of it. The room does not name `Store`, and has no way to one.
#[macro_export]
macro_rules! parts {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$of_part:meta])* pub $field:ident: $part:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[$of_part])* pub $field: $part,)*
        }

        impl From<&$crate::Store> for $name {
            fn from(store: &$crate::Store) -> Self {
                Self { $($field: store.into(),)* }
            }
        }
    };
}

impl From<&crate::Store> for Blobs {
    fn from(store: &crate::Store) -> Self {
        store.core.blobs.clone()
    }
}

part! {
    /// Whether the store can be written and read.
    HealthStore
}

impl HealthStore {
    /// Whether the disk or the database's structure has failed, under a write or a read; nothing is accepted into
    /// custody then.
    pub fn is_broken(&self) -> bool {
        self.core.soundness.is_broken() || self.core.blobs.is_broken()
    }

    /// What broke the store, if it is.
    pub fn fault(&self) -> Option<String> {
        let on_blobs =
            || self.core.blobs.is_broken().then(|| "the folder of held mail could not be written".to_owned());
        self.core.soundness.fault().map(str::to_owned).or_else(on_blobs)
    }

    /// Whether the last thing that was to be written found no room.
    pub fn is_full(&self) -> bool {
        self.core.writer.is_full() || self.core.blobs.is_full()
    }
}
