//! Turns text that is nearly JSON into JSON. It repairs the mistakes of programs that build JSON by concatenating
//! strings, and removes the text that some servers add.
//!
//! These are repaired: raw line breaks and other control characters in strings, halves of surrogate pairs, unknown
//! escapes, extra and missing commas, comments, unquoted names, invalid values (`NaN`), and anything after the
//! document. A document that is cut off stays cut off. The text is read once.

/// Returns the text as JSON, and the number of repairs. Text that cannot become JSON stays invalid.
pub(super) fn repaired(text: &str) -> (String, usize) {
    let mut repairer = Repairer {
        rest: text,
        out: String::with_capacity(text.len()),
        open: Vec::new(),
        before: Before::Nothing,
        repair_count: 0,
    };
    while !repairer.is_done() {
        repairer.token();
    }
    if !repairer.rest.trim().is_empty() {
        repairer.repair_count += 1;
    }
    (repairer.out, repairer.repair_count)
}

/// What comes before the next token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: this is the start of the document, of an object or of a list.
    Nothing,
    Value,
    Comma,
    Colon,
}

struct Repairer<'a> {
    rest: &'a str,
    out: String,
    /// The closing brackets of the open objects and lists.
    open: Vec<char>,
    before: Before,
    repair_count: usize,
}

impl Repairer<'_> {
    /// Returns whether the document is complete or the text has ended.
    fn is_done(&self) -> bool {
        self.rest.is_empty() || self.open.is_empty() && self.before == Before::Value
    }

    fn token(&mut self) {
        let first = self.rest.chars().next().expect("something is left");
        match first {
            '{' | '[' => {
                self.begin_value();
                self.open.push(if first == '{' { '}' } else { ']' });
                self.take(1);
                self.before = Before::Nothing;
            }
            '}' | ']' => self.end(first),
            ',' => self.comma(),
            ':' if self.before == Before::Value && self.open.last() == Some(&'}') => {
                self.take(1);
                self.before = Before::Colon;
            }
            ':' => self.instead("", 1),
            '"' => {
                self.begin_value();
                self.string();
                self.before = Before::Value;
            }
            '/' if self.rest.starts_with("//") => self.skip_comment("\n"),
            '/' if self.rest.starts_with("/*") => self.skip_comment("*/"),
            _ if first.is_whitespace() => self.rest = self.rest.trim_start(),
            _ => self.word(),
        }
    }

    /// Copies the next `bytes` bytes of the text.
    fn take(&mut self, bytes: usize) {
        self.out.push_str(&self.rest[..bytes]);
        self.rest = &self.rest[bytes..];
    }

    /// Reads a comma. The comma is written only when a value or name follows.
    fn comma(&mut self) {
        self.rest = &self.rest[1..];
        self.repair_count += usize::from(self.before != Before::Value);
        if self.before == Before::Colon {
            self.out.push_str("null");
        }
        if matches!(self.before, Before::Value | Before::Colon) {
            self.before = Before::Comma;
        }
    }

    /// Writes a comma before a value or name that follows another value, even if the text lacks the comma.
    fn begin_value(&mut self) {
        if matches!(self.before, Before::Value | Before::Comma) {
            self.repair_count += usize::from(self.before == Before::Value);
            self.out.push(',');
        }
    }

    /// Ends the innermost object or list that `sign` closes, and any that are still open inside it.
    fn end(&mut self, sign: char) {
        self.rest = &self.rest[1..];
        let Some(position) = self.open.iter().rposition(|open| *open == sign) else {
            self.repair_count += 1;
            return;
        };
        if self.before == Before::Colon {
            self.out.push_str("null");
        }
        self.repair_count +=
            usize::from(matches!(self.before, Before::Comma | Before::Colon)) + self.open.len() - position - 1;
        self.out.extend(self.open.drain(position..).rev());
        self.before = Before::Value;
    }

    fn skip_comment(&mut self, end: &str) {
        self.repair_count += 1;
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    /// Copies a number, `true`, `false` or `null`, and repairs any other word.
    fn word(&mut self) {
        let end = self.rest.find(|c: char| c.is_whitespace() || "{}[],:\"/".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end.max(self.rest.chars().next().map_or(0, char::len_utf8)));
        self.begin_value();
        self.rest = rest;
        self.before = Before::Value;
        let is_name = self.open.last() == Some(&'}') && rest.trim_start().starts_with(':');
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        if serde_json::from_str::<serde_json::Value>(word).is_ok() && !is_name {
            self.out.push_str(word);
            return;
        }
        self.repair_count += 1;
        match word.to_ascii_lowercase().as_str() {
            literal @ ("true" | "false") if !is_name => self.out.push_str(literal),
            _ if is_name || is_number => self.out.push_str(&serde_json::Value::from(word).to_string()),
            _ => self.out.push_str("null"),
        }
    }

    /// Copies a string with its quotes. If the text ends inside the string, the last quote is missing.
    fn string(&mut self) {
        self.take(1);
        while let Some(at) = self.rest.find(|c: char| c == '"' || c == '\\' || c.is_ascii_control()) {
            self.take(at);
            match self.rest.as_bytes()[0] {
                b'"' => return self.take(1),
                b'\\' => self.escape(),
                control => {
                    self.repair_count += 1;
                    self.out.push_str(&format!("\\u{control:04x}"));
                    self.rest = &self.rest[1..];
                }
            }
        }
        self.take(self.rest.len());
    }

    fn escape(&mut self) {
        let Some(escaped) = self.rest[1..].chars().next() else { return self.take(1) };
        match (escaped, code_unit(self.rest)) {
            ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't', _) => self.take(2),
            ('u', Some(0xD800..=0xDBFF)) if matches!(code_unit(&self.rest[6..]), Some(0xDC00..=0xDFFF)) => {
                self.take(12)
            }
            ('u', Some(0xD800..=0xDFFF)) => self.instead("\\ufffd", 6),
            ('u', Some(_)) => self.take(6),
            // A backslash before a letter or digit is meant as a backslash, for example in a path.
            _ if escaped.is_ascii_alphanumeric() => self.instead("\\\\", 1),
            _ => self.instead("", 1),
        }
    }

    fn instead(&mut self, written: &str, bytes: usize) {
        self.repair_count += 1;
        self.out.push_str(written);
        self.rest = &self.rest[bytes..];
    }
}

/// Returns the UTF-16 code unit of the escape at the start of the text, such as `\ud83d`. Returns `None` if there is no
/// such escape.
fn code_unit(text: &str) -> Option<u32> {
    let digits =
        text.strip_prefix("\\u")?.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (json, repair_count) = repaired(text);
        assert_eq!(json, expected);
        assert!(repair_count > 0 || text == expected, "an uncounted repair");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        assert_eq!(repaired(&json), (json, 0), "repairing again changes nothing");
    }

    #[test]
    fn nearly_json_is_json() {
        check(
            r#"{"a":[1,-2.5e3,true,null,"\ud83d\ude00\u00e9\n"]}"#,
            r#"{"a":[1,-2.5e3,true,null,"\ud83d\ude00\u00e9\n"]}"#,
        );
        check("\"a\nb\tc\"", r#""a\u000ab\u0009c""#);
        check(r#"["\ud83d","\ude00 x","\ud83d\u0041","\ud83"]"#, r#"["\ufffd","\ufffd x","\ufffd\u0041","\\ud83"]"#);
        check(r#"["it\'s C:\dir"]"#, r#"["it's C:\\dir"]"#);
        check("[1,,2,]", "[1,2]");
        check("[,1]", "[1]");
        check(r#"{"a":1 "b":2}"#, r#"{"a":1,"b":2}"#);
        check(r#"{"a":,"b":}"#, r#"{"a":null,"b":null}"#);
        check(r#"{a:1,true:2}"#, r#"{"a":1,"true":2}"#);
        check("[NaN,True,.5,007,undefined]", r#"[null,true,".5","007",null]"#);
        check("[1 /* one */,2 // two\n,3]", "[1,2,3]");
        check("{\"a\":[1]} <!-- cached -->", r#"{"a":[1]}"#);
        check(r#"{"a":[{"b":1]}"#, r#"{"a":[{"b":1}]}"#);
        check("[1]]", "[1]");
        check(r#"{"a"::[1:2]}"#, r#"{"a":[1,2]}"#);
    }

    #[test]
    fn truncated_json_stays_truncated() {
        assert_eq!(repaired(r#"{"a":["b"#), (r#"{"a":["b"#.to_owned(), 0));
        assert_eq!(repaired(r#"{"a":"b\"#), (r#"{"a":"b\"#.to_owned(), 0));
    }
}
