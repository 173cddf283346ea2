//! The JSON around the rows of both formats of text. `store/family.rs` knows files by it.
//!
//! Rankings have the bytes of the older library's. Diversity caches were written by scripts, each
//! in an order of its own: readers take them by their members.

use crate::rule::Rule;
use crate::texts::push_quoted;

/// What both formats end with.
pub(crate) const TAIL: &[u8] = b"  }\n}\n";

/// What rankings say of themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RankingsMeta {
    pub(crate) num_items: usize,
    pub(crate) sort_threads: usize,
    /// Entries of a row; 0: all other items.
    pub(crate) top: u32,
}

/// What a file of rankings begins with.
pub(crate) fn rankings_head(meta: RankingsMeta) -> Vec<u8> {
    let RankingsMeta { num_items, sort_threads, top } = meta;
    format!(
        "{{\n  \"metadata\": {{\n    \"total_poems\": {num_items},\n    \
         \"algorithm\": \"gpu_vulkan_parallel_c\",\n    \
         \"format\": \"pre_sorted_rankings\",\n    \"sort_threads\": {sort_threads},\n    \
         \"top_k\": {top},\n    \"description\": \"Pre-sorted similarity rankings, top-K \
         neighbours per poem (top_k=0 means all)\"\n  }},\n  \"rankings\": {{\n"
    )
    .into_bytes()
}

/// What a diversity cache says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheMeta<'a> {
    /// What made the embeddings, if the caller says.
    pub(super) model: Option<&'a str>,
    pub(super) num_items: u32,
    pub(super) num_rows: u32,
    pub(super) rule: Rule,
    /// Numbers of a row, the start included.
    pub(super) top: u32,
}

/// What a diversity cache begins with.
pub(super) fn cache_head(meta: CacheMeta) -> Vec<u8> {
    let CacheMeta { model, num_items, num_rows, rule, top } = meta;
    let mut head = b"{\n  \"metadata\": {\n".to_vec();
    if let Some(model) = model {
        head.extend(b"    \"model\": ");
        push_quoted(model, &mut head);
        head.extend(b",\n");
    }
    let rest = format!(
        "    \"num_poems\": {num_items},\n    \"num_sequences\": {num_rows},\n    \
         \"algorithm\": \"{}\",\n    \"top_k\": {top}\n  }},\n  \"sequences\": {{\n",
        rule.name()
    );
    head.extend(rest.bytes());
    head
}
