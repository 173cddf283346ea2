//! What a key of an object means.

use crate::embeddings::options::OpenOptions;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Id,
    /// The number of a poem, which is its id where it has no other.
    PoemIndex,
    /// The item's place in the order.
    Index,
    Embedding,
    List,
    Other,
}

/// The keys that a caller names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    options: &'a OpenOptions,
}

impl<'a> Keys<'a> {
    pub(super) fn new(options: &'a OpenOptions) -> Keys<'a> {
        Keys { options }
    }

    /// What `key` means.
    pub(super) fn meaning(&self, key: &[u8]) -> Key {
        let is = |named: &Option<String>, usual: &[&str]| match named {
            Some(named) => key == named.as_bytes(),
            None => usual.iter().any(|usual| key == usual.as_bytes()),
        };
        let OpenOptions { id_key, embedding_key, list_key, .. } = self.options;
        if is(embedding_key, &["embedding", "vector"]) {
            Key::Embedding
        } else if is(id_key, &["id"]) {
            Key::Id
        } else if is(list_key, &["embeddings", "data"]) {
            Key::List
        } else if id_key.is_none() && key == b"poem_index" {
            Key::PoemIndex
        } else if key == b"index" {
            Key::Index
        } else {
            Key::Other
        }
    }

    /// Whether every item must have an id.
    pub(super) fn wants_ids(&self) -> bool {
        self.options.id_key.is_some()
    }

    /// The key of an id, for messages.
    pub(super) fn id(&self) -> String {
        quoted(&self.options.id_key, "\"id\"")
    }

    /// The key of an embedding, for messages.
    pub(super) fn embedding(&self) -> String {
        quoted(&self.options.embedding_key, "\"embedding\" or \"vector\"")
    }

    /// The key of a list, for messages.
    pub(super) fn list(&self) -> String {
        quoted(&self.options.list_key, "\"embeddings\", \"data\", \"embedding\" or \"vector\"")
    }
}

fn quoted(named: &Option<String>, usual: &str) -> String {
    named.as_ref().map_or_else(|| usual.into(), |named| format!("\"{named}\""))
}
