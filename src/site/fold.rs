//! When two ids are one file name.
//!
//! Windows and macOS do not tell "A" from "a"; macOS, and file systems of Linux that fold case, not
//! "é" in one character from "e" and an accent either, nor do they see characters without a
//! width. Ids are compared by what is left when all that is taken away, so a site can be copied to
//! any of them. This is coarser than each system's own rule: "ß" is "ss" here.

use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::xxh3_128;

/// Texts to work in, for keys of many ids.
#[derive(Debug, Default)]
pub(super) struct Fold {
    folded: String,
    composed: String,
}

impl Fold {
    /// What is left of `id`.
    pub(super) fn fold(&mut self, id: &str) -> &str {
        self.folded.clear();
        if id.is_ascii() {
            self.folded.push_str(id);
            self.folded.make_ascii_lowercase();
            return &self.folded;
        }
        for character in id.nfd().filter(|&one| !is_ignored(one)) {
            fold_case(character, &mut self.folded);
        }
        // Folding can leave marks in another order, or letters that come apart.
        self.composed.clear();
        self.composed.extend(self.folded.nfd());
        &self.composed
    }

    /// A number that two ids share if they are one file name, and else with 128 bits' chance.
    pub(super) fn key(&mut self, id: &str) -> u128 {
        xxh3_128(self.fold(id).as_bytes())
    }
}

/// Lower, upper and lower case again: "ẞ" becomes "ß", "SS" and "ss". Not the "ı" of Turkish, whose
/// upper case is "I": no system takes "ısı" for "isi".
fn fold_case(character: char, to: &mut String) {
    if character == 'ı' {
        return to.push(character);
    }
    let upper = character.to_lowercase().flat_map(char::to_uppercase);
    to.extend(upper.flat_map(char::to_lowercase));
}

/// The characters that Unicode calls `Default_Ignorable_Code_Point`: joiners, marks of direction,
/// variation selectors, soft hyphens. File systems that fold case leave them out.
fn is_ignored(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfff8 | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let mut fold = Fold::default();
        fold.key(one) == fold.key(other)
    }

    #[test]
    fn names_that_some_system_takes_for_one() {
        for (one, other) in [
            ("Psalm", "pSALM"),
            ("Über", "über"),
            ("u\u{308}ber", "über"),
            ("U\u{308}BER", "über"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("σοφοσ", "σοφος"),
            ("\u{212b}", "å"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            // Two marks below and above the letter, in either order.
            ("a\u{323}\u{307}", "A\u{307}\u{323}"),
            ("İ", "i\u{307}"),
            ("a\u{200b}b", "ab"),
            ("ﬁn", "FIN"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in
            [("a", "b"), ("ısı", "isi"), ("é", "e"), ("が", "か"), ("a b", "ab"), ("х", "x")]
        {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
