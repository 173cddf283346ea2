//! A place in a JSON text that moves forward: blanks, strings, and values that are passed over.

use super::stop::{Read, Stop};
use crate::flaw::Flaw;
use crate::memory::reserve;

/// How deep arrays and objects may lie in each other.
const MOST_DEPTH: u32 = 128;

/// What ends too early.
const VALUE: &str = "a JSON value";

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte, if there is one.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes blanks; gives the byte behind them, if there is one.
    #[inline]
    pub(super) fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    /// The byte behind blanks.
    #[inline]
    pub(super) fn next(&mut self) -> Read<u8> {
        self.skip_blanks().ok_or_else(|| self.ends(VALUE))
    }

    /// Passes blanks and `byte`.
    #[inline]
    pub(super) fn take(&mut self, byte: u8, expected: &'static str) -> Read<()> {
        match self.next()? {
            found if found == byte => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// Behind a member or an element: whether another one comes (","), or the end (`close`).
    #[inline]
    pub(super) fn goes_on(&mut self, close: u8, expected: &'static str) -> Read<bool> {
        let next = self.next()?;
        if next != b',' && next != close {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(next == b',')
    }

    /// Passes "[" or "{". Whether it is empty; then its end is passed, too.
    pub(super) fn begin(&mut self, close: u8) -> Read<bool> {
        self.at += 1;
        let is_empty = self.next()? == close;
        self.at += usize::from(is_empty);
        Ok(is_empty)
    }

    /// Passes the key of a member and the colon. Its bytes are as they are written, or in `scratch`
    /// where they had to be decoded.
    pub(super) fn key<'b>(&mut self, scratch: &'b mut Vec<u8>) -> Read<&'b [u8]>
    where
        'a: 'b,
    {
        if self.next()? != b'"' {
            return Err(self.unexpected("a key in quotes"));
        }
        let begin = self.at + 1;
        self.skip_string()?;
        let written = &self.bytes[begin..self.at - 1];
        let key = match written.contains(&b'\\') {
            false => written,
            true => {
                Cursor { at: begin - 1, ..*self }.string(scratch)?;
                scratch.as_slice()
            }
        };
        self.take(b':', "a colon behind the key")?;
        Ok(key)
    }

    /// Passes a string, whose quote is next.
    pub(super) fn skip_string(&mut self) -> Read<()> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.ends("a string")),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Decodes a string, whose quote is next, into all of `to`.
    pub(super) fn string(&mut self, to: &mut Vec<u8>) -> Read<()> {
        to.clear();
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let plain = &rest[..plain.ok_or_else(|| self.ends("a string"))?];
            append(to, plain)?;
            self.at += plain.len();
            if rest[plain.len()] == b'"' {
                self.at += 1;
                return Ok(());
            }
            let escaped = self.escaped()?;
            append(to, escaped.encode_utf8(&mut [0; 4]).as_bytes())?;
        }
    }

    /// Passes a backslash and what belongs to it.
    fn escaped(&mut self) -> Read<char> {
        let code = self.bytes.get(self.at + 1).ok_or_else(|| self.ends("a string"))?;
        let plain = match code {
            b'"' | b'\\' | b'/' => char::from(*code),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.unexpected("a valid escape")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// Passes \uXXXX, or two of them that are one character.
    fn unicode(&mut self) -> Read<char> {
        let unit = |at: usize| {
            let hex = self.bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
            let hex = std::str::from_utf8(hex).ok().filter(|hex| !hex.starts_with('+'))?;
            u16::from_str_radix(hex, 16).ok()
        };
        let first = unit(self.at).ok_or_else(|| self.unexpected("a valid escape"))?;
        let is_high = (0xd800..0xdc00).contains(&first);
        let second = is_high.then(|| unit(self.at + 6)).flatten();
        let mut decoded = char::decode_utf16([first].into_iter().chain(second));
        match decoded.next() {
            Some(Ok(found)) => {
                self.at += if is_high { 12 } else { 6 };
                Ok(found)
            }
            _ => Err(self.unexpected("a valid escape")),
        }
    }

    /// Passes a value, of which only the end is looked for.
    pub(super) fn skip_value(&mut self) -> Read<()> {
        // A bit for each array or object that is open: 1 for an array.
        let (mut depth, mut arrays) = (0_u32, 0_u128);
        loop {
            match self.next()? {
                b'"' => self.skip_string()?,
                open @ (b'[' | b'{') => {
                    if depth == MOST_DEPTH {
                        return Err(self.flaw(Flaw::TooDeep { limit: MOST_DEPTH }));
                    }
                    arrays = arrays << 1 | u128::from(open == b'[');
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                close @ (b']' | b'}') => {
                    let is_array = arrays & 1 == 1;
                    if depth == 0 || is_array != (close == b']') {
                        return Err(self.unexpected("a JSON value"));
                    }
                    arrays >>= 1;
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => self.skip_word()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Passes a number, or true, false and null.
    fn skip_word(&mut self) -> Read<()> {
        let begin = self.at;
        let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        while self.peek().is_some_and(belongs) {
            self.at += 1;
        }
        match self.at > begin {
            true => Ok(()),
            false => Err(self.unexpected("a JSON value")),
        }
    }

    /// A flaw here.
    #[cold]
    pub(super) fn flaw(&self, flaw: Flaw) -> Stop {
        Stop::text(self.at, flaw)
    }

    /// The text ends within something.
    #[cold]
    pub(super) fn ends(&self, within: &'static str) -> Stop {
        Stop::text(self.bytes.len(), Flaw::Ends { within })
    }

    /// Something else is here than what is expected.
    #[cold]
    pub(super) fn unexpected(&self, expected: &'static str) -> Stop {
        match self.bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            Some(rest) => self.flaw(Flaw::Syntax { expected, found: shown(rest) }),
            None => self.ends(VALUE),
        }
    }
}

/// The first bytes of a text, as a message shows them.
pub(super) fn shown(bytes: &[u8]) -> String {
    let some = &bytes[..bytes.len().min(12)];
    let end = some.iter().position(|byte| b"\r\n".contains(byte)).filter(|&end| end > 0);
    format!("\"{}\"", some[..end.unwrap_or(some.len())].escape_ascii())
}

fn append(to: &mut Vec<u8>, bytes: &[u8]) -> Read<()> {
    if to.capacity() - to.len() < bytes.len() {
        reserve(to, bytes.len().max(to.len() / 2).max(64), "a string of the file")?;
    }
    to.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_decoded() {
        let mut to = Vec::new();
        let mut decode = |text: &str| {
            let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
            let read = cursor.string(&mut to).is_ok();
            (read && cursor.at == text.len()).then(|| String::from_utf8(to.clone()).unwrap())
        };
        assert_eq!(decode(r#""aé\n\u00e9\ud83d\ude00\/""#).unwrap(), "aé\né😀/");
        for bad in [r#""a"#, r#""\"#, r#""\x""#, r#""\u12"#, r#""\ud83d""#, r#""\ud83d\u0041""#] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(decode(r#""\ude00""#), None);
    }

    #[test]
    fn values_are_passed_over() {
        let end = |text: &str| {
            let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
            cursor.skip_value().map(|()| cursor.at).ok()
        };
        assert_eq!(end(r#" {"a":[1,{"b":"]}\""}],"c":null} ,"#), Some(32));
        assert_eq!(end("-1.5e3,"), Some(6));
        for bad in ["", "[", "[}", "]", "{\"a", ",", "\"\\", "[1"] {
            assert_eq!(end(bad), None, "{bad}");
        }
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(end(&deep(128)), Some(256));
        assert_eq!(end(&deep(129)), None);
    }
}
