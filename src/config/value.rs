//! Reads values as people write them: durations, sizes, addresses, languages, secrets.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::keys;
use super::model::{AiRefusal, Allow, BasicAuth, Dedup, Edits, Front, Listen, Republish};
use super::reader::{Fault, Node, Table};
use super::{SecretRef, shown_url};
use crate::entry::SourcePlace;
use crate::rows::DigestKind;
use crate::{duration, size};

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;
/// The longest path of a socket. Systems accept 104 or 108 bytes, including the final zero byte.
const MAX_SOCKET_PATH: usize = 100;

/// The shortest secret of a section. A shorter one can be guessed by trying.
const LEAST_ACCESS_CHARS: usize = 6;

/// The shortest secret without a warning. A random secret of this length cannot be guessed by trying.
const GOOD_ACCESS_CHARS: usize = 16;

/// Parses a size such as `10 MiB`, `500 kB` or `2000 bytes`. Returns bytes.
fn parse_size(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let bytes = size::parse(text).ok_or("expected a size such as \"500 KiB\" or \"10 MiB\"")?;
    if (least..=most).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("expected a size from {} KiB to {} GiB", least / KIB, most / GIB))
    }
}

pub(super) fn duration(node: Node) -> Result<Duration, Fault> {
    let text = node.text().map_err(|fault| Fault {
        hint: fault.hint.map(|_| "write the unit too, such as \"30 seconds\" or \"7 days\"".to_owned()),
        ..fault
    })?;
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let hint = is_number.then(|| format!("write the unit too, such as \"{text} seconds\"")).or_else(|| unit_hint(text));
    duration::parse(text).map_err(|message| Fault { message, hint })
}

/// If a unit in the text is misspelt, returns a hint with the unit that was probably meant.
pub(super) fn unit_hint(text: &str) -> Option<String> {
    let units = ["seconds", "minutes", "hours", "days", "weeks", "months", "years"];
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let mut misspelt = words.filter(|word| duration::parse(&format!("1 {word}")).is_err());
    keys::nearest(misspelt.next()?, units.into_iter()).map(|unit| format!("did you mean \"{unit}\"?"))
}

/// Reads a duration of at least `least`.
pub(super) fn duration_from(least: Duration) -> impl Fn(Node) -> Result<Duration, Fault> {
    move |node| {
        let duration = duration(node)?;
        if duration < least {
            return Err(format!("expected at least {}", duration::words(least)).into());
        }
        Ok(duration)
    }
}

/// Reads how old the stories of a ranking may be. The limits are those of what a reader calls news.
pub(super) fn top(node: Node) -> Result<Duration, Fault> {
    const HOUR: Duration = Duration::from_secs(3600);
    let span = duration(node)?;
    if (HOUR..=HOUR * 24 * 31).contains(&span) {
        return Ok(span);
    }
    Err(Fault::new("expected a time from 1 hour to 31 days", "write top = \"24 hours\""))
}

pub(super) fn size(node: Node) -> Result<u64, Fault> {
    size_between(KIB, GIB)(node)
}

/// Reads the size limit of a store, in bytes.
pub(super) fn store_size(node: Node) -> Result<u64, Fault> {
    size_between(16 * 1024 * KIB, 16 * 1024 * GIB)(node)
}

/// Reads how much memory a program may use, in bytes. Below 16 MiB, few programs start.
pub(super) fn memory(node: Node) -> Result<u64, Fault> {
    size_between(16 * 1024 * KIB, 1024 * GIB)(node)
}

fn size_between(least: u64, most: u64) -> impl Fn(Node) -> Result<u64, Fault> {
    move |node| {
        let text = node.text().map_err(|fault| Fault {
            hint: fault.hint.map(|_| "write the unit too, such as \"10 MiB\"".to_owned()),
            ..fault
        })?;
        Ok(parse_size(text, least, most)?)
    }
}

/// Reads a text that is not empty, and trims white space around it.
pub(super) fn words(node: Node) -> Result<String, Fault> {
    match node.text()?.trim() {
        "" => Err("expected a string that is not empty".to_owned().into()),
        text => Ok(text.to_owned()),
    }
}

/// Checks that a text can be the value of an HTTP header: not empty, on one line, without control characters.
pub(super) fn header_value(text: &str) -> Result<(), Fault> {
    let good = !text.is_empty() && text.chars().all(|c| c == '\t' || !c.is_control());
    if good { Ok(()) } else { Err("expected one line of text without control characters".to_owned().into()) }
}

pub(super) fn header_words(node: Node) -> Result<String, Fault> {
    let text = words(node)?;
    header_value(&text)?;
    Ok(text)
}

/// Reads an absolute `http` or `https` URL that may be published.
pub(super) fn web_url(node: Node) -> Result<Url, Fault> {
    let url = parse_web(node.text()?)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected a URL without user and password".to_owned().into());
    }
    match shown_url::secret_parameter(&url) {
        Some(name) => {
            let hint = format!("readers can see this URL; write it without `{name}`");
            Err(Fault::new(format!("expected a URL without a secret such as `{name}`"), hint))
        }
        None => Ok(url),
    }
}

/// Parses an absolute `http` or `https` URL.
pub(super) fn parse_web(text: &str) -> Result<Url, Fault> {
    let text = text.trim();
    let wanted = "expected a URL that begins with http:// or https://";
    let hint = with_scheme(shown_url::without_feed_scheme(text))
        // The hint must not repeat a secret.
        .filter(|repaired| repaired != text && repaired.contains('.') && !repaired.contains(['@', '?']))
        .map(|repaired| format!("write \"{repaired}\""));
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Fault { message: wanted.to_owned(), hint })
}

/// Repairs the scheme of an address: `htps:`, `http//` and `feed:`; adds `https` if there is none.
fn with_scheme(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(end);
    if !rest.starts_with(':') && !rest.starts_with("//") {
        return (!text.contains(':')).then(|| format!("https://{text}"));
    }
    let scheme = match keys::nearest(scheme, ["https", "http", "feed"].into_iter()) {
        _ if scheme.is_empty() => "https",
        Some("feed") => "https",
        found => found?,
    };
    Some(format!("{scheme}://{}", rest.trim_start_matches([':', '/'])))
}

/// Reads a path; joins a relative one to the folder of the TOML file.
pub(super) fn path(node: Node) -> Result<PathBuf, Fault> {
    let text = words(node)?;
    if text.contains('\0') {
        return Err("expected a path".to_owned().into());
    }
    Ok(node.folder().join(text))
}

pub(super) fn language(node: Node) -> Result<String, Fault> {
    let text = words(node)?;
    let good_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let primary = text.split('-').next().unwrap_or_default();
    let good = text.split('-').all(good_part) && primary.len() > 1 && primary.bytes().all(|b| b.is_ascii_alphabetic());
    if good { Ok(text) } else { Err("expected a language tag such as \"en\" or \"pt-BR\"".to_owned().into()) }
}

pub(super) fn timezone(node: Node) -> Result<Tz, Fault> {
    let name = node.text()?;
    name.parse().map_err(|_| Fault {
        message: "expected a time zone such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
        hint: node.reading.suggest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())),
    })
}

/// Reads an IP address with a port, or a Unix socket.
pub(super) fn listen(node: Node) -> Result<Listen, Fault> {
    let Some(path) = node.text()?.strip_prefix("unix:") else { return socket_addr(node).map(Listen::Address) };
    let path = node.folder().join(path);
    if path.file_name().is_none() || path.as_os_str().len() > MAX_SOCKET_PATH {
        return Err(Fault::new("expected a path of at most 100 bytes", "such as \"unix:/run/newswire/site.sock\""));
    }
    Ok(Listen::Unix(path))
}

/// Reads a host name without a port; returns it in lower case.
pub(super) fn host_name(node: Node) -> Result<String, Fault> {
    let name = node.text()?.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_good =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if name.split('.').all(is_good) {
        Ok(name)
    } else {
        Err(Fault::new("expected a host name without a port", "such as \"status.example.org\""))
    }
}

fn socket_addr(node: Node) -> Result<SocketAddr, Fault> {
    let text = node.text()?;
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok()).unwrap_or("8080");
        let host = if text.starts_with(':') { "0.0.0.0" } else { "127.0.0.1" };
        Fault::new("expected an IP address and a port", format!("write \"{host}:{port}\""))
    })
}

/// Reads a private address that may be fetched: a network, an address or a host name, with or without a port.
pub(super) fn allow(node: Node) -> Result<Allow, Fault> {
    let text = node.text()?.trim();
    let as_host = || {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let host = host.to_ascii_lowercase();
        let named = host.contains(|c: char| c.is_ascii_alphabetic());
        let good = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        (named && good).then_some(Allow::Host(host, port))
    };
    let as_network = || text.parse().map(Allow::Network).ok();
    let as_address = || text.parse::<IpAddr>().map(|address| Allow::Network(IpNet::from(address))).ok();
    let as_socket = || text.parse().map(Allow::Address).ok();
    as_network().or_else(as_address).or_else(as_socket).or_else(as_host).ok_or_else(|| {
        let expected = "expected a network, an address or a host";
        Fault::new(expected, "such as \"192.168.1.0/24\", \"127.0.0.1:8081\" or \"intranet.example\"")
    })
}

pub(super) fn republish(node: Node) -> Result<Republish, Fault> {
    choice(node, &[("full", Republish::Full), ("summary", Republish::Summary), ("link", Republish::Link)])
}

pub(super) fn dedup(node: Node) -> Result<Dedup, Fault> {
    choice(node, &[("text", Dedup::Text), ("links", Dedup::Links), ("off", Dedup::Off)])
}

pub(super) fn edits(node: Node) -> Result<Edits, Fault> {
    choice(node, &[("apply", Edits::Apply), ("ignore", Edits::Ignore), ("bump", Edits::Bump)])
}

/// Reads where a section's editions name the publication of a story; the inner value is `None` for "none".
pub(super) fn source_in(node: Node) -> Result<Option<SourcePlace>, Fault> {
    let [author, title, content] = SourcePlace::ALL.map(|(name, place)| (name, Some(place)));
    choice(node, &[author, title, content, ("none", None)])
}

pub(super) fn digest(node: Node) -> Result<DigestKind, Fault> {
    choice(node, &DigestKind::ALL.map(|kind| (kind.name(), kind)))
}

pub(super) fn front(node: Node) -> Result<Front, Fault> {
    choice(node, &[("bands", Front::Bands), ("river", Front::River)])
}

pub(super) fn ai(node: Node) -> Result<AiRefusal, Fault> {
    choice(node, &[("no-training", AiRefusal::Training), ("none", AiRefusal::Everything)])
}

/// Reads one of a few words.
pub(super) fn choice<T: Copy>(node: Node, choices: &[(&'static str, T)]) -> Result<T, Fault> {
    let text = node.text()?;
    let names = || choices.iter().map(|(name, _)| *name);
    choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let quoted: Vec<String> = names().map(|name| format!("\"{name}\"")).collect();
        let hint = keys::nearest(text, names()).map(|nearest| format!("did you mean \"{nearest}\"?"));
        Fault { message: format!("expected one of {}", quoted.join(", ")), hint }
    })
}

/// Reads a secret: `{ env = "…" }`, `{ file = "…" }`, or the text itself.
pub(super) fn secret(node: Node) -> Result<SecretString, Fault> {
    if !node.is_table() {
        return Ok(SecretString::from(node.secret_text()?));
    }
    let table = node.table(&keys::SECRET)?;
    let env = table.get("env", words).map(SecretRef::Env);
    let file = table.get("file", path).map(SecretRef::File);
    let wanted = || Fault::new("expected a secret", "write { env = \"NAME\" } or { file = \"/path\" }");
    match (env, file) {
        (Some(reference), None) | (None, Some(reference)) => (node.reading.secret)(&reference).map_err(Fault::from),
        _ => Err(wanted()),
    }
}

/// Reads a secret that is sent in a header.
pub(super) fn header_secret(node: Node) -> Result<SecretString, Fault> {
    let secret = secret(node)?;
    header_value(secret.expose_secret())?;
    Ok(secret)
}

/// Reads the secret of a private section, which must be too long to guess.
pub(super) fn access_secret(node: Node) -> Result<SecretString, Fault> {
    let secret = header_secret(node)?;
    let length = secret.expose_secret().chars().count();
    let hint = "make one with `openssl rand -hex 16`";
    if length < LEAST_ACCESS_CHARS {
        return Err(Fault::new(
            format!("a secret of fewer than {LEAST_ACCESS_CHARS} characters is easy to guess"),
            hint,
        ));
    }
    if length < GOOD_ACCESS_CHARS {
        node.reading.warn(
            &node.place(),
            Fault::new(format!("this secret has fewer than {GOOD_ACCESS_CHARS} characters"), hint),
        );
    }
    Ok(secret)
}

/// Reads `basic_auth`; `password` reads the password.
pub(super) fn basic_auth(
    table: &Table,
    password: impl FnOnce(Node) -> Result<SecretString, Fault>,
) -> Option<BasicAuth> {
    let table = table.table("basic_auth", &keys::BASIC_AUTH)?;
    let user = table.need("user", |node| {
        node.secret_text()?;
        let user = header_words(node)?;
        if user.contains(':') { Err("a user name cannot contain a colon".to_owned().into()) } else { Ok(user) }
    });
    let password = table.need("password", password);
    Some(BasicAuth { user: user?, password: password? })
}
