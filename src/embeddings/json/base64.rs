//! Base64 of little-endian 32-bit floats.

/// The six bits of a character.
fn bits_of(character: u8) -> Option<u32> {
    let bits = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(bits.into())
}

/// The floats in `text`; `None` in the place of the first thing that is none.
pub(super) fn floats(text: &[u8]) -> impl Iterator<Item = Option<f32>> + '_ {
    let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let text = &text[..text.len() - padding];
    // 16 characters are 12 bytes, three floats; fewer at the end are one or two.
    text.chunks(16).flat_map(|characters| {
        let mut bytes = [0_u8; 12];
        let mut is_good = true;
        for (four, to) in characters.chunks(4).zip(bytes.chunks_exact_mut(3)) {
            let mut bits = 0;
            for place in 0..4 {
                let six = four.get(place).map_or(Some(0), |&character| bits_of(character));
                is_good &= six.is_some();
                bits = bits << 6 | six.unwrap_or(0);
            }
            to.copy_from_slice(&bits.to_be_bytes()[1..]);
        }
        let (count, is_whole) = match characters.len() {
            16 => (3, true),
            11 => (2, true),
            6 => (1, true),
            _ => (1, false),
        };
        let float = move |place: usize| {
            let four = bytes[place * 4..].first_chunk::<4>()?;
            (is_good && is_whole).then(|| f32::from_le_bytes(*four))
        };
        (0..count).map(float)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_decoded_and_all_else_is_refused() {
        let all = |text: &str| floats(text.as_bytes()).collect::<Option<Vec<f32>>>();
        assert_eq!(all("AACAPw=="), Some(vec![1.0]));
        assert_eq!(all("AACAPw"), Some(vec![1.0]));
        assert_eq!(all("AACAPwAAAMA="), Some(vec![1.0, -2.0]));
        assert_eq!(all("AACAPwAAAMAAAAA/"), Some(vec![1.0, -2.0, 0.5]));
        assert_eq!(all("AACAPwAAAMAAAAA/AACAPw=="), Some(vec![1.0, -2.0, 0.5, 1.0]));
        for bad in ["A", "AACA", "AACAPwA", "AAC!Pw==", "AACAPwAAAMAAAA", "=ACAPw=="] {
            assert_eq!(all(bad), None, "{bad}");
        }
    }
}
