//! A row of a site.

/// The item a row belongs to, the others in order, and for `List::Similar` their similarities.
#[derive(Debug, Clone, Copy)]
pub(super) struct SiteRow<'a> {
    pub(super) number: u32,
    pub(super) item: u32,
    pub(super) others: &'a [u32],
    pub(super) similarities: &'a [f32],
}

impl SiteRow<'_> {
    /// The row with its first `top` entries; 0: all of them.
    pub(super) fn first(self, top: u32) -> Self {
        if top == 0 {
            return self;
        }
        let top = self.others.len().min(top as usize);
        // Rows of `List::Picks` have no similarities.
        let similarities = self.similarities.get(..top).unwrap_or_default();
        SiteRow { others: &self.others[..top], similarities, ..self }
    }
}
