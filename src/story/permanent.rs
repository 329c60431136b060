//! Which texts are permanent ids that Atom may carry (RFC 4287 §4.2.6), by the rules of the W3C's feed validator.
//!
//! An id is an address, a `tag:` or a `urn:`, in its only normal form (RFC 3986 §6): readers compare ids character by
//! character. For any other guid, newswire mints an id.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use url::Url;

use super::media;

/// The most bytes of an id.
const MAX_BYTES: usize = 1024;

/// Returns whether the text is a permanent id, without an error or a warning of the validator.
pub fn is_id(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once(':') else { return false };
    let has_shape = match scheme {
        "http" | "https" => is_address(rest, scheme),
        "tag" => is_tag(rest),
        "urn" => is_urn(rest),
        _ => false,
    };
    has_shape
        && value.len() <= MAX_BYTES
        && value.bytes().all(is_legal)
        && value.matches('#').count() <= 1
        && has_only_needed_escapes(value)
        && Url::parse(value).is_ok()
}

/// A hexadecimal number with fewer digits does not count as random.
const LEAST_RANDOM: usize = 10;

/// A hexadecimal number with fewer different digits does not count as random.
const LEAST_DIFFERENT: usize = 5;

/// Returns whether two entries cannot have a guid by chance: a UUID or a long hexadecimal number, a `tag:`, or the
/// address of a recording. A decimal number counts the entries of one feed, and an address may be that of a page.
pub fn is_unique(guid: &str) -> bool {
    let rest = guid.strip_prefix("urn:uuid:").unwrap_or(guid);
    let digits: Vec<u8> = rest.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase()).collect();
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit) && digits.iter().any(u8::is_ascii_alphabetic);
    let different = digits.iter().collect::<HashSet<_>>().len();
    let is_random = is_hex && digits.len() >= LEAST_RANDOM && different >= LEAST_DIFFERENT;
    let is_file = || Url::parse(guid).is_ok_and(|url| media::is_file(&url));
    is_random || guid.strip_prefix("tag:").is_some_and(is_tag) || is_file()
}

/// Returns whether a byte is allowed in a URI (RFC 2396 §2), without the brackets of IPv6.
fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b";/?:@&=+$.-_!~*'()%,#".contains(&byte)
}

/// Returns whether `rest`, the part of a URL after the scheme and its colon, is in normal form: the host in lower case,
/// no default port, and no `.` or `..` segment in the path.
fn is_address(rest: &str, scheme: &str) -> bool {
    let Some(rest) = rest.strip_prefix("//") else { return false };
    let Some((authority, rest)) = rest.find('/').map(|at| rest.split_at(at)) else { return false };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    is_authority(authority, scheme) && path.split('/').all(|segment| !matches!(segment, "." | ".."))
}

fn is_authority(authority: &str, scheme: &str) -> bool {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let default_port = if scheme == "http" { "80" } else { "443" };
    let is_port = |port: &str| {
        !port.is_empty() && port != default_port && !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit())
    };
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    !name.is_empty()
        && name.bytes().all(is_name)
        && !(name.ends_with('.') && name.matches('.').count() > 1)
        && port.is_none_or(is_port)
        && user.is_none_or(|user| !matches!(user, "" | ":"))
}

/// Returns whether `rest` is the rest of a tag (RFC 4151 §2.1): an authority, a day on which it owned the name, and a
/// name.
fn is_tag(rest: &str) -> bool {
    let Some((entity, _)) = rest.split_once(':') else { return false };
    let Some((authority, date)) = entity.split_once(',') else { return false };
    let (user, host) = authority.split_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let is_name = |name: &str, marks: &[u8]| {
        let is_mark = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || marks.contains(&byte);
        !name.is_empty() && name.bytes().all(is_mark)
    };
    let is_digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    is_name(host, b".-")
        && user.is_none_or(|user| is_name(user, b".-_"))
        && parts.next().is_some_and(|year| is_digits(year, 4))
        && parts.all(|part| is_digits(part, 2))
        && date.len() <= "2017-12-20".len()
}

/// Returns whether `rest` is the rest of a URN (RFC 2141): a namespace and a name in it; for `uuid`, a UUID.
fn is_urn(rest: &str) -> bool {
    let Some((namespace, specific)) = rest.split_once(':') else { return false };
    let is_namespace = (2..=32).contains(&namespace.len())
        && !namespace.starts_with('-')
        && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_specific = |byte: u8| byte.is_ascii_alphanumeric() || b"()+,.:=@;$_!*'-%".contains(&byte);
    is_namespace
        && !specific.is_empty()
        && specific.bytes().all(is_specific)
        && (!namespace.eq_ignore_ascii_case("uuid") || is_uuid(specific))
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Returns whether every `%` escapes, in capitals, a character that needs it, and the escaped text is in its normal
/// form.
fn has_only_needed_escapes(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 1..at + 3) else { return false };
        let (Some(high), Some(low)) = (capital_hex(high), capital_hex(low)) else { return false };
        let byte = high << 4 | low;
        at += 3;
        let stands_for_itself = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // For text that is escaped twice, the validator decodes it once more.
        let is_escape =
            byte == b'%' && bytes.get(at..at + 2).is_some_and(|next| next.iter().all(u8::is_ascii_hexdigit));
        if stands_for_itself || is_escape {
            return false;
        }
        decoded.push(byte);
    }
    std::str::from_utf8(&decoded).is_ok_and(|text| !text.contains(may_be_composed))
}

fn capital_hex(byte: u8) -> Option<u8> {
    let is_capital = byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
    is_capital.then(|| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok()))?
}

/// Returns whether a character may change in Unicode's normal form C: marks that combine with the letter before them,
/// and letters that are replaced by others. Some of these ranges contain characters that never change: for a guid with
/// one, an id is minted, which does no harm.
fn may_be_composed(character: char) -> bool {
    const RANGES: [RangeInclusive<char>; 22] = [
        '\u{300}'..='\u{36F}',
        '\u{374}'..='\u{374}',
        '\u{37E}'..='\u{37E}',
        '\u{387}'..='\u{387}',
        '\u{653}'..='\u{655}',
        '\u{93C}'..='\u{93C}',
        '\u{958}'..='\u{95F}',
        '\u{9BE}'..='\u{9DF}',
        '\u{A33}'..='\u{A5E}',
        '\u{B3E}'..='\u{B5D}',
        '\u{BBE}'..='\u{BD7}',
        '\u{C56}'..='\u{DDF}',
        '\u{F43}'..='\u{FB9}',
        '\u{102E}'..='\u{102E}',
        '\u{1100}'..='\u{11FF}',
        '\u{1B06}'..='\u{1B43}',
        '\u{1F00}'..='\u{1FFF}',
        '\u{2000}'..='\u{2001}',
        '\u{2126}'..='\u{232A}',
        '\u{2ADC}'..='\u{2ADC}',
        '\u{3099}'..='\u{309A}',
        '\u{F900}'..='\u{FB4F}',
    ];
    character >= '\u{10000}' || RANGES.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: bool) {
        assert_eq!(is_id(value), expected, "{value}");
    }

    #[test]
    fn guid_that_no_other_entry_can_have_by_chance_is_unique() {
        for guid in [
            "1225c695-cfb8-4ebb-aaaa-80da344efa6a",
            "urn:uuid:1225C695-cfb8-4ebb-aaaa-80da344efa6a",
            "9f86d081884c7d659a2feaa0c55ad015",
            "7c3e91f0ab2",
            "tag:a.example,2017:/post/7",
            "https://media.a.example/7-c0ffee.mp3",
        ] {
            assert!(is_unique(guid), "{guid}");
        }
        for guid in [
            "",
            "7",
            "20170104123000",
            "00000000-0000-0000-0000-000000000000",
            "aaaaaaaaaa1",
            "post-1",
            "decade",
            "https://a.example/",
            "https://a.example/?p=7",
        ] {
            assert!(!is_unique(guid), "{guid}");
        }
    }

    #[test]
    fn what_names_one_thing_for_ever_is_an_id() {
        for id in [
            "http://a.example/?p=1",
            "http://a.example/",
            "http://a.example/A",
            "https://a.example:8080/a/b.html#c",
            "http://user@a.example/",
            "http://a.example/a%20b?c=%2Fd&e=(f)",
            "https://ja.example/%E6%97%A5",
            "http://localhost./x",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
            "urn:UUID:1225C695-cfb8-4ebb-aaaa-80da344efa6a",
            "urn:isbn:0451450523",
            "urn:ab:c",
            "tag:a.example,2017:7",
            "tag:a.example,2017-12:7",
            "tag:me@a.example,2017-12-20:/7?x#y",
            "tag:a.example,2017:",
        ] {
            check(id, true);
        }
    }

    #[test]
    fn what_the_validator_complains_of_is_none() {
        for id in [
            "",
            "7",
            "post 7",
            "yt:video:x",
            "http://a.example",
            "http://a.example?x",
            "http:///a",
            "http:a",
            "http://A.example/7",
            "HTTP://a.example/7",
            "http://a.example:80/",
            "https://a.example:443/",
            "http://a.example:/",
            "http://a.example:080/",
            "http://a.example./",
            "http://@a.example/",
            "http://a.example/a/../b",
            "http://a.example/./b",
            "http://a.example/?q=a[0]",
            "http://a.example/a b",
            "http://a.example/a|b",
            "http://a.example/%",
            "http://a.example/%7Ea",
            "http://a.example/%e6%97%a5",
            "http://a.example/%FF",
            "http://a.example/%2541",
            "http://a.example/e%CC%81",
            "http://a.example/#a#b",
            "http://a.example/日",
            "http://日.example/",
            "http://[::1]/",
            "urn:x",
            "urn:foo",
            "urn:a:b",
            "urn:ab:",
            "urn:-ab:c",
            "urn:ab:c/d",
            "urn:ab:c#d",
            "URN:ab:c",
            "urn:uuid:not-a-uuid",
            "urn:uuid:1225c695cfb84ebbaaaa80da344efa6a",
            "tag:a.example",
            "tag:a.example:7",
            "tag:a.example,17:7",
            "tag:a.example,2017-1:7",
            "tag:A.example,2017:7",
            "tag:EX.example,2004:x",
            "tag:,2017:7",
            "tag:a_b.example,2017:7",
            "Tag:a.example,2017:7",
            "tag:a.example,2017:a b",
        ] {
            check(id, false);
        }
        check(&format!("http://a.example/{}", "x".repeat(1024)), false);
    }
}
