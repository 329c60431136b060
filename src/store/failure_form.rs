//! The stored form of the failure of a poll: the code of its kind in one column, its details as JSON in another.
//!
//! The struct here is used only for storing. Which of its fields are set depends on `what` and `fault`. Fields are
//! never removed or renamed, and new fields have a default, so that older data stays readable. The tests have a sample
//! of every failure.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::sql::optional_text;
use crate::feed::{
    AddressRange, DocumentFault, Failure, FailureKind, FeedKey, FileFault, HttpFault, OwnFault, PollPhase,
    RedirectFault, SettingFault, TlsFault, WireFault,
};
use crate::foreign::{Line, ShortLine};
use crate::time::Timestamp;

/// Defines the struct for the details of a failure. Fields that are `None` are left out of the JSON.
macro_rules! details {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Default, Serialize, Deserialize)]
        pub(super) struct $name<'a> {
            what: Cow<'a, str>,
            $(
                $(#[$of])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                $field: Option<$type>,
            )*
        }
    };
}

details! {
    /// The details of a failure, version 1 of the stored form.
    FailureV1 {
        fault: Cow<'a, str>,
        host: Cow<'a, str>,
        /// `Some(true)` or `None`; `None` is stored for `false`.
        proxied: bool,
        address: Cow<'a, str>,
        port: u16,
        range: Cow<'a, str>,
        scheme: Cow<'a, str>,
        phase: Cow<'a, str>,
        after_ms: u64,
        bytes_per_second: u64,
        limit_bytes: u64,
        status: u16,
        until: Timestamp,
        most: usize,
        wire: Cow<'a, str>,
        coding: Cow<'a, str>,
        path: Cow<'a, str>,
        key: Cow<'a, str>,
        name: Cow<'a, str>,
        offers: Vec<Cow<'a, str>>,
        more: usize,
        found: Cow<'a, str>,
        says: Cow<'a, str>,
        /// The message of another program.
        why: Cow<'a, str>,
        /// The code of the kind of a [`Failure::Old`], which a store with schema version 6 or older contains. The
        /// message is in `words`.
        kind: Cow<'a, str>,
        words: Cow<'a, str>,
    }
}

/// Returns the values of the two columns for a failure: its kind and its details.
pub(super) fn failure_columns(failure: Option<&Failure>) -> (Option<&'static str>, Option<String>) {
    let json = |failure| serde_json::to_string(&failure_form(failure)).expect("these are texts and numbers");
    (failure.map(|failure| failure.kind().code()), failure.map(json))
}

/// Reads a failure: its kind from the column with index `column`, its details from the next column.
pub(super) fn failure(row: &Row, column: usize) -> rusqlite::Result<Option<Failure>> {
    Ok(of_columns(optional_text(row, column)?, optional_text(row, column + 1)?))
}

/// Builds a failure from the values of its columns; `None` if both are null. If the details are unreadable, returns
/// them as [`Failure::Old`].
fn of_columns(code: Option<&str>, json: Option<&str>) -> Option<Failure> {
    let form = json.and_then(|json| serde_json::from_str(json).ok());
    form.and_then(read_failure).or_else(|| {
        let kind = FailureKind::from_code(code.or(json.and(Some("")))?);
        Some(Failure::Old { kind, words: json.unwrap_or(kind.words()).into() })
    })
}

/// Returns the stored form of a failure.
pub(super) fn failure_form(failure: &Failure) -> FailureV1<'_> {
    match failure {
        Failure::Dns { host, proxied, why } => FailureV1 { proxied: flag(*proxied), why: text(why), ..at("dns", host) },
        Failure::Address { host, address, port, range } => FailureV1 {
            address: Some(address.to_string().into()),
            port: Some(*port),
            range: Some(range.code().into()),
            ..at("address", host)
        },
        Failure::Port { host, port } => FailureV1 { port: Some(*port), ..at("port", host) },
        Failure::LocalName { host, port } => FailureV1 { port: Some(*port), ..at("local_name", host) },
        Failure::Scheme { scheme } => FailureV1 { scheme: text(scheme), ..bare("scheme") },
        Failure::Connect { host, proxied, why } => {
            FailureV1 { proxied: flag(*proxied), why: text(why), ..at("connect", host) }
        }
        Failure::Tls { host, fault } => tls_form(fault, at("tls", host)),
        Failure::Timeout { host, proxied, phase, after } => FailureV1 {
            proxied: flag(*proxied),
            phase: Some(phase.code().into()),
            after_ms: Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            ..at("timeout", host)
        },
        Failure::TooSlow { host, bytes_per_second } => {
            FailureV1 { bytes_per_second: Some(*bytes_per_second), ..at("too_slow", host) }
        }
        Failure::TooLarge { limit_bytes } => FailureV1 { limit_bytes: Some(*limit_bytes), ..bare("too_large") },
        Failure::Status { status } => FailureV1 { status: Some(*status), ..bare("status") },
        Failure::Gone => bare("gone"),
        Failure::Redirect { host, fault } => redirect_form(fault, at("redirect", host)),
        Failure::BotWall { host } => at("bot_wall", host),
        Failure::Http { host, fault } => http_form(fault, at("http", host)),
        Failure::Held { host, until } => FailureV1 { until: *until, ..at("held", host) },
        Failure::File { path, fault } => file_form(fault, FailureV1 { path: text(path), ..bare("file") }),
        Failure::Setting { key, fault } => {
            setting_form(fault, FailureV1 { key: Some(key.code().into()), ..bare("setting") })
        }
        Failure::Document { fault } => document_form(fault, bare("document")),
        Failure::Own { fault } => own_form(fault, bare("own")),
        Failure::Old { kind, words } => FailureV1 { kind: Some(kind.code().into()), words: text(words), ..bare("old") },
    }
}

/// Builds a failure from its stored form; `None` if this version of newswire does not know the failure, or a detail is
/// missing.
pub(super) fn read_failure(form: FailureV1) -> Option<Failure> {
    let host = || line(form.host.as_ref());
    let why = || line(form.why.as_ref());
    let (port, proxied) = (form.port.unwrap_or_default(), form.proxied.unwrap_or_default());
    Some(match &*form.what {
        "dns" => Failure::Dns { host: host(), proxied, why: why() },
        "address" => Failure::Address {
            host: host(),
            address: form.address.as_ref()?.parse().ok()?,
            port,
            range: AddressRange::from_code(form.range.as_ref()?),
        },
        "port" => Failure::Port { host: host(), port },
        "local_name" => Failure::LocalName { host: host(), port },
        "scheme" => Failure::Scheme { scheme: line(form.scheme.as_ref()) },
        "connect" => Failure::Connect { host: host(), proxied, why: why() },
        "tls" => Failure::Tls { host: host(), fault: read_tls(&form)? },
        "timeout" => Failure::Timeout {
            host: host(),
            proxied,
            phase: PollPhase::from_code(form.phase.as_ref()?),
            after: Duration::from_millis(form.after_ms?),
        },
        "too_slow" => Failure::TooSlow { host: host(), bytes_per_second: form.bytes_per_second? },
        "too_large" => Failure::TooLarge { limit_bytes: form.limit_bytes? },
        "status" => Failure::Status { status: form.status? },
        "gone" => Failure::Gone,
        "redirect" => Failure::Redirect { host: host(), fault: read_redirect(&form)? },
        "bot_wall" => Failure::BotWall { host: host() },
        "http" => Failure::Http { host: host(), fault: read_http(&form)? },
        "held" => Failure::Held { host: host(), until: form.until },
        "file" => Failure::File { path: line(form.path.as_ref()), fault: read_file(&form)? },
        "setting" => Failure::Setting { key: FeedKey::from_code(form.key.as_ref()?), fault: read_setting(&form)? },
        "document" => Failure::Document { fault: read_document(&form)? },
        "own" => Failure::Own { fault: read_own(&form)? },
        "old" => Failure::Old { kind: FailureKind::from_code(form.kind.as_ref()?), words: line(form.words.as_ref()) },
        _ => return None,
    })
}

fn bare(what: &str) -> FailureV1<'_> {
    FailureV1 { what: what.into(), ..FailureV1::default() }
}

fn at<'a>(what: &'a str, host: &'a Line) -> FailureV1<'a> {
    FailureV1 { host: text(host), ..bare(what) }
}

fn with<'a>(fault: &'a str, form: FailureV1<'a>) -> FailureV1<'a> {
    FailureV1 { fault: Some(fault.into()), ..form }
}

fn text(line: &Line) -> Option<Cow<'_, str>> {
    Some(line.as_str().into())
}

fn short(line: &ShortLine) -> Option<Cow<'_, str>> {
    Some(line.as_str().into())
}

fn flag(flag: bool) -> Option<bool> {
    flag.then_some(true)
}

fn line(text: Option<&Cow<str>>) -> Line {
    Line::new(text.map_or("", |text| text))
}

fn short_line(text: Option<&Cow<str>>) -> ShortLine {
    ShortLine::new(text.map_or("", |text| text))
}

fn tls_form<'a>(fault: &'a TlsFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        TlsFault::UnknownIssuer => with("unknown_issuer", form),
        TlsFault::Expired => with("expired", form),
        TlsFault::NotYetValid => with("not_yet_valid", form),
        TlsFault::OtherName => with("other_name", form),
        TlsFault::NoRoots { why } => FailureV1 { why: text(why), ..with("no_roots", form) },
        TlsFault::Other { why } => FailureV1 { why: text(why), ..with("other", form) },
    }
}

fn read_tls(form: &FailureV1) -> Option<TlsFault> {
    Some(match &**form.fault.as_ref()? {
        "unknown_issuer" => TlsFault::UnknownIssuer,
        "expired" => TlsFault::Expired,
        "not_yet_valid" => TlsFault::NotYetValid,
        "other_name" => TlsFault::OtherName,
        "no_roots" => TlsFault::NoRoots { why: line(form.why.as_ref()) },
        "other" => TlsFault::Other { why: line(form.why.as_ref()) },
        _ => return None,
    })
}

fn redirect_form<'a>(fault: &'a RedirectFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        RedirectFault::NoTarget => with("no_target", form),
        RedirectFault::NoAddress => with("no_address", form),
        RedirectFault::Downgrade => with("downgrade", form),
        RedirectFault::Scheme { scheme } => FailureV1 { scheme: text(scheme), ..with("scheme", form) },
        RedirectFault::Circle => with("circle", form),
        RedirectFault::TooMany { most } => FailureV1 { most: Some(*most), ..with("too_many", form) },
    }
}

fn read_redirect(form: &FailureV1) -> Option<RedirectFault> {
    Some(match &**form.fault.as_ref()? {
        "no_target" => RedirectFault::NoTarget,
        "no_address" => RedirectFault::NoAddress,
        "downgrade" => RedirectFault::Downgrade,
        "scheme" => RedirectFault::Scheme { scheme: line(form.scheme.as_ref()) },
        "circle" => RedirectFault::Circle,
        "too_many" => RedirectFault::TooMany { most: form.most? },
        _ => return None,
    })
}

fn http_form<'a>(fault: &'a HttpFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        HttpFault::Wire { wire } => FailureV1 { wire: Some(wire.code().into()), ..with("wire", form) },
        HttpFault::UnknownCoding { coding } => FailureV1 { coding: text(coding), ..with("unknown_coding", form) },
        HttpFault::TooManyChunks { most } => FailureV1 { most: Some(*most), ..with("too_many_chunks", form) },
        HttpFault::BrokeOff { why } => FailureV1 { why: text(why), ..with("broke_off", form) },
        HttpFault::BrokenCoding { why } => FailureV1 { why: text(why), ..with("broken_coding", form) },
        HttpFault::DecoderPanic => with("decoder_panic", form),
        HttpFault::Other { why } => FailureV1 { why: text(why), ..with("other", form) },
    }
}

fn read_http(form: &FailureV1) -> Option<HttpFault> {
    let why = || line(form.why.as_ref());
    Some(match &**form.fault.as_ref()? {
        "wire" => HttpFault::Wire { wire: WireFault::from_code(form.wire.as_ref()?) },
        "unknown_coding" => HttpFault::UnknownCoding { coding: line(form.coding.as_ref()) },
        "too_many_chunks" => HttpFault::TooManyChunks { most: form.most? },
        "broke_off" => HttpFault::BrokeOff { why: why() },
        "broken_coding" => HttpFault::BrokenCoding { why: why() },
        "decoder_panic" => HttpFault::DecoderPanic,
        "other" => HttpFault::Other { why: why() },
        _ => return None,
    })
}

fn file_form<'a>(fault: &'a FileFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        FileFault::NoPath => with("no_path", form),
        FileFault::NotRegular => with("not_regular", form),
        FileFault::Unreadable { why } => FailureV1 { why: text(why), ..with("unreadable", form) },
        FileFault::TooSlow => with("too_slow", form),
    }
}

fn read_file(form: &FailureV1) -> Option<FileFault> {
    Some(match &**form.fault.as_ref()? {
        "no_path" => FileFault::NoPath,
        "not_regular" => FileFault::NotRegular,
        "unreadable" => FileFault::Unreadable { why: line(form.why.as_ref()) },
        "too_slow" => FileFault::TooSlow,
        _ => return None,
    })
}

fn setting_form<'a>(fault: &'a SettingFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        SettingFault::NoUrl => with("no_url", form),
        SettingFault::NoHost => with("no_host", form),
        SettingFault::BadScheme => with("bad_scheme", form),
        SettingFault::NoProxy => with("no_proxy", form),
        SettingFault::Unreadable { path, why } => {
            FailureV1 { path: text(path), why: text(why), ..with("unreadable", form) }
        }
        SettingFault::NoCertificate { path } => FailureV1 { path: text(path), ..with("no_certificate", form) },
        SettingFault::HeaderName { name } => FailureV1 { name: text(name), ..with("header_name", form) },
        SettingFault::HeaderValue => with("header_value", form),
        SettingFault::Other { why } => FailureV1 { why: text(why), ..with("other", form) },
    }
}

fn read_setting(form: &FailureV1) -> Option<SettingFault> {
    let (path, why) = (|| line(form.path.as_ref()), || line(form.why.as_ref()));
    Some(match &**form.fault.as_ref()? {
        "no_url" => SettingFault::NoUrl,
        "no_host" => SettingFault::NoHost,
        "bad_scheme" => SettingFault::BadScheme,
        "no_proxy" => SettingFault::NoProxy,
        "unreadable" => SettingFault::Unreadable { path: path(), why: why() },
        "no_certificate" => SettingFault::NoCertificate { path: path() },
        "header_name" => SettingFault::HeaderName { name: line(form.name.as_ref()) },
        "header_value" => SettingFault::HeaderValue,
        "other" => SettingFault::Other { why: why() },
        _ => return None,
    })
}

fn document_form<'a>(fault: &'a DocumentFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        DocumentFault::Empty => with("empty", form),
        DocumentFault::Page { offers, more } => {
            let offers = offers.iter().map(|offer| offer.as_str().into()).collect();
            FailureV1 { offers: Some(offers), more: Some(*more), ..with("page", form) }
        }
        DocumentFault::NotAFeed { found } => FailureV1 { found: short(found), ..with("not_a_feed", form) },
        DocumentFault::Json { why } => FailureV1 { why: short(why), ..with("json", form) },
        DocumentFault::NoItems { says } => FailureV1 { says: says.as_ref().and_then(text), ..with("no_items", form) },
        DocumentFault::Reader { why } => FailureV1 { why: short(why), ..with("reader", form) },
        DocumentFault::ReaderPanic => with("reader_panic", form),
        DocumentFault::TooMuchWork => with("too_much_work", form),
    }
}

fn read_document(form: &FailureV1) -> Option<DocumentFault> {
    Some(match &**form.fault.as_ref()? {
        "empty" => DocumentFault::Empty,
        "page" => {
            let offers = form.offers.iter().flatten().map(|offer| ShortLine::new(offer)).collect();
            DocumentFault::Page { offers, more: form.more.unwrap_or_default() }
        }
        "not_a_feed" => DocumentFault::NotAFeed { found: short_line(form.found.as_ref()) },
        "json" => DocumentFault::Json { why: short_line(form.why.as_ref()) },
        "no_items" => DocumentFault::NoItems { says: form.says.as_ref().map(|says| Line::new(says)) },
        "reader" => DocumentFault::Reader { why: short_line(form.why.as_ref()) },
        "reader_panic" => DocumentFault::ReaderPanic,
        "too_much_work" => DocumentFault::TooMuchWork,
        _ => return None,
    })
}

fn own_form<'a>(fault: &'a OwnFault, form: FailureV1<'a>) -> FailureV1<'a> {
    match fault {
        OwnFault::Panic => with("panic", form),
        OwnFault::ReadingPanic => with("reading_panic", form),
        OwnFault::Unwritten { why } => FailureV1 { why: text(why), ..with("unwritten", form) },
    }
}

fn read_own(form: &FailureV1) -> Option<OwnFault> {
    Some(match &**form.fault.as_ref()? {
        "panic" => OwnFault::Panic,
        "reading_panic" => OwnFault::ReadingPanic,
        "unwritten" => OwnFault::Unwritten { why: line(form.why.as_ref()) },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "a.example";

    /// Checks that a failure is stored in these columns and read back from them. The form is the same since schema
    /// version 7.
    #[track_caller]
    fn check(failure: Failure, code: &str, json: &str) {
        let columns = failure_columns(Some(&failure));
        assert_eq!((columns.0, columns.1.as_deref()), (Some(code), Some(json)));
        assert_eq!(of_columns(Some(code), Some(json)), Some(failure));
    }

    #[test]
    fn stored_form_of_request_failures_is_unchanged() {
        let (host, why) = (|| Line::from(HOST), || Line::from("\"no\""));
        let dns = |proxied| Failure::Dns { host: host(), proxied, why: why() };
        check(dns(false), "dns", r#"{"what":"dns","host":"a.example","why":"\"no\""}"#);
        check(dns(true), "dns", r#"{"what":"dns","host":"a.example","proxied":true,"why":"\"no\""}"#);
        check(
            Failure::Address { host: host(), address: [127, 0, 0, 1].into(), port: 81, range: AddressRange::Loopback },
            "refused_address",
            r#"{"what":"address","host":"a.example","address":"127.0.0.1","port":81,"range":"loopback"}"#,
        );
        let port = Failure::Port { host: host(), port: 25 };
        check(port, "refused_address", r#"{"what":"port","host":"a.example","port":25}"#);
        let local = Failure::LocalName { host: host(), port: 80 };
        check(local, "refused_address", r#"{"what":"local_name","host":"a.example","port":80}"#);
        let scheme = Failure::Scheme { scheme: "ftp".into() };
        check(scheme, "refused_address", r#"{"what":"scheme","scheme":"ftp"}"#);
        let connect = |proxied| Failure::Connect { host: host(), proxied, why: why() };
        check(connect(false), "connect", r#"{"what":"connect","host":"a.example","why":"\"no\""}"#);
        check(connect(true), "connect", r#"{"what":"connect","host":"a.example","proxied":true,"why":"\"no\""}"#);
        let timeout =
            |proxied, phase| Failure::Timeout { host: host(), proxied, phase, after: Duration::from_millis(1500) };
        check(
            timeout(false, PollPhase::Answer),
            "timeout",
            r#"{"what":"timeout","host":"a.example","phase":"answer","after_ms":1500}"#,
        );
        check(
            timeout(true, PollPhase::Connect),
            "timeout",
            r#"{"what":"timeout","host":"a.example","proxied":true,"phase":"connect","after_ms":1500}"#,
        );
        let slow = Failure::TooSlow { host: host(), bytes_per_second: 1024 };
        check(slow, "timeout", r#"{"what":"too_slow","host":"a.example","bytes_per_second":1024}"#);
        check(Failure::TooLarge { limit_bytes: 7 }, "too_large", r#"{"what":"too_large","limit_bytes":7}"#);
        check(Failure::Status { status: 503 }, "status", r#"{"what":"status","status":503}"#);
        check(Failure::Gone, "gone", r#"{"what":"gone"}"#);
        check(Failure::BotWall { host: host() }, "bot_wall", r#"{"what":"bot_wall","host":"a.example"}"#);
        let held = |until| Failure::Held { host: host(), until };
        check(held(None), "held", r#"{"what":"held","host":"a.example"}"#);
        check(
            held(Some(Timestamp::from_millis(0))),
            "held",
            r#"{"what":"held","host":"a.example","until":"1970-01-01T00:00:00Z"}"#,
        );
    }

    #[test]
    fn stored_form_of_response_faults_is_unchanged() {
        let why = || Line::from("no");
        let check_fault = |failure: Failure, fault: &str, more: &str| {
            let code = failure.kind().code();
            check(failure, code, &format!(r#"{{"what":"{code}","fault":"{fault}","host":"a.example"{more}}}"#));
        };
        let tls = |fault| Failure::Tls { host: HOST.into(), fault };
        check_fault(tls(TlsFault::UnknownIssuer), "unknown_issuer", "");
        check_fault(tls(TlsFault::Expired), "expired", "");
        check_fault(tls(TlsFault::NotYetValid), "not_yet_valid", "");
        check_fault(tls(TlsFault::OtherName), "other_name", "");
        check_fault(tls(TlsFault::NoRoots { why: why() }), "no_roots", r#","why":"no""#);
        check_fault(tls(TlsFault::Other { why: why() }), "other", r#","why":"no""#);
        let redirect = |fault| Failure::Redirect { host: HOST.into(), fault };
        check_fault(redirect(RedirectFault::NoTarget), "no_target", "");
        check_fault(redirect(RedirectFault::NoAddress), "no_address", "");
        check_fault(redirect(RedirectFault::Downgrade), "downgrade", "");
        check_fault(redirect(RedirectFault::Scheme { scheme: "ftp".into() }), "scheme", r#","scheme":"ftp""#);
        check_fault(redirect(RedirectFault::Circle), "circle", "");
        check_fault(redirect(RedirectFault::TooMany { most: 5 }), "too_many", r#","most":5"#);
        let http = |fault| Failure::Http { host: HOST.into(), fault };
        for wire in WireFault::ALL {
            check_fault(http(HttpFault::Wire { wire: *wire }), "wire", &format!(r#","wire":"{}""#, wire.code()));
        }
        check_fault(http(HttpFault::UnknownCoding { coding: "xz".into() }), "unknown_coding", r#","coding":"xz""#);
        check_fault(http(HttpFault::TooManyChunks { most: 9 }), "too_many_chunks", r#","most":9"#);
        check_fault(http(HttpFault::BrokeOff { why: why() }), "broke_off", r#","why":"no""#);
        check_fault(http(HttpFault::BrokenCoding { why: why() }), "broken_coding", r#","why":"no""#);
        check_fault(http(HttpFault::DecoderPanic), "decoder_panic", "");
        check_fault(http(HttpFault::Other { why: why() }), "other", r#","why":"no""#);
    }

    #[test]
    fn stored_form_of_file_and_setting_faults_is_unchanged() {
        let (path, why) = (|| Line::from("/a"), || Line::from("no"));
        let check_file = |fault: FileFault, json: &str| check(Failure::File { path: path(), fault }, "file", json);
        check_file(FileFault::NoPath, r#"{"what":"file","fault":"no_path","path":"/a"}"#);
        check_file(FileFault::NotRegular, r#"{"what":"file","fault":"not_regular","path":"/a"}"#);
        check_file(
            FileFault::Unreadable { why: why() },
            r#"{"what":"file","fault":"unreadable","path":"/a","why":"no"}"#,
        );
        check_file(FileFault::TooSlow, r#"{"what":"file","fault":"too_slow","path":"/a"}"#);
        let check_setting = |key: FeedKey, fault: SettingFault, name: &str, rest: &str| {
            let json = format!(r#"{{"what":"setting","fault":"{name}"{rest}}}"#);
            check(Failure::Setting { key, fault }, "setting", &json);
        };
        check_setting(FeedKey::Proxy, SettingFault::NoUrl, "no_url", r#","key":"proxy""#);
        check_setting(FeedKey::Proxy, SettingFault::NoHost, "no_host", r#","key":"proxy""#);
        check_setting(FeedKey::Proxy, SettingFault::BadScheme, "bad_scheme", r#","key":"proxy""#);
        check_setting(FeedKey::Proxy, SettingFault::NoProxy, "no_proxy", r#","key":"proxy""#);
        let unreadable = SettingFault::Unreadable { path: path(), why: why() };
        check_setting(FeedKey::CaFile, unreadable, "unreadable", r#","path":"/a","key":"ca_file","why":"no""#);
        let empty = SettingFault::NoCertificate { path: path() };
        check_setting(FeedKey::CaFile, empty, "no_certificate", r#","path":"/a","key":"ca_file""#);
        let name = SettingFault::HeaderName { name: "a b".into() };
        check_setting(FeedKey::Headers, name, "header_name", r#","key":"headers","name":"a b""#);
        check_setting(FeedKey::UserAgent, SettingFault::HeaderValue, "header_value", r#","key":"user_agent""#);
        let other = SettingFault::Other { why: why() };
        check_setting(FeedKey::AcceptLanguage, other, "other", r#","key":"accept_language","why":"no""#);
    }

    #[test]
    fn stored_form_of_document_and_own_faults_is_unchanged() {
        let check_document = |fault: DocumentFault, json: &str| {
            let json = format!(r#"{{"what":"document","fault":{json}}}"#);
            check(Failure::Document { fault: fault.clone() }, fault.kind().code(), &json);
        };
        check_document(DocumentFault::Empty, r#""empty""#);
        check_document(DocumentFault::page(&[]), r#""page","offers":[],"more":0"#);
        let feeds = ["/1", "/2", "/3", "/4", "/5"].map(str::to_owned);
        check_document(DocumentFault::page(&feeds), r#""page","offers":["/1","/2","/3"],"more":2"#);
        check_document(DocumentFault::NotAFeed { found: "opml".into() }, r#""not_a_feed","found":"opml""#);
        check_document(DocumentFault::Json { why: "no".into() }, r#""json","why":"no""#);
        check_document(DocumentFault::NoItems { says: None }, r#""no_items""#);
        check_document(DocumentFault::NoItems { says: Some("\"no\"".into()) }, r#""no_items","says":"\"no\"""#);
        check_document(DocumentFault::Reader { why: "no".into() }, r#""reader","why":"no""#);
        check_document(DocumentFault::ReaderPanic, r#""reader_panic""#);
        check_document(DocumentFault::TooMuchWork, r#""too_much_work""#);
        let own = |fault| Failure::Own { fault };
        check(own(OwnFault::Panic), "fault", r#"{"what":"own","fault":"panic"}"#);
        check(own(OwnFault::ReadingPanic), "fault", r#"{"what":"own","fault":"reading_panic"}"#);
        let unwritten = own(OwnFault::Unwritten { why: "no".into() });
        check(unwritten, "fault", r#"{"what":"own","fault":"unwritten","why":"no"}"#);
        let old = Failure::Old { kind: FailureKind::Tls, words: "as it was".into() };
        check(old, "tls", r#"{"what":"old","kind":"tls","words":"as it was"}"#);
    }

    #[test]
    fn unreadable_failure_is_shown_unchanged() {
        let read = |code, json| of_columns(code, json).map(|failure| (failure.kind(), failure.to_string()));
        assert_eq!(read(None, None), None);
        assert_eq!(read(Some("dns"), None), Some((FailureKind::Dns, "dns".to_owned())));
        assert_eq!(read(Some("dns"), Some("not JSON")), Some((FailureKind::Dns, "not JSON".to_owned())));
        assert_eq!(read(None, Some("not JSON")), Some((FailureKind::Other, "not JSON".to_owned())));
        let newer = r#"{"what":"of_a_newer_version"}"#;
        assert_eq!(read(Some("tls"), Some(newer)), Some((FailureKind::Tls, newer.to_owned())));
    }
}
