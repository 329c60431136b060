//! Decides when two URLs mean the same page (they then have the same key), and whose page it is.
//!
//! A key is only for comparing; it is never shown. The published link is the one from the feed, without well-known
//! tracking parameters. No other module has a table of tracking parameters.

use url::{Host, Url};

/// Prefixes of query parameters that say how a reader arrived, and not which page is meant.
const TRACKING_PREFIXES: &[&str] = &["utm_", "mtm_", "piwik_", "matomo_", "hsa_", "at_custom", "at_link_"];

/// Whole names of query parameters that say how a reader arrived.
#[rustfmt::skip]
const TRACKING_PARAMETERS: &[&str] = &[
    "ga_source", "ga_medium", "ga_campaign", "_ga", "_gl", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source",
    "gad_campaignid", "srsltid", "pk_campaign", "pk_cid", "pk_content", "pk_cpn", "pk_keyword", "pk_kwd", "pk_medium",
    "pk_source", "at_bbc_team", "at_campaign", "at_campaign_type", "at_format", "at_medium", "at_ptr_name",
    "fb_action_ids", "fb_action_types", "fb_ref", "fb_source", "fbclid", "igshid", "igsh", "msclkid", "yclid", "ysclid",
    "twclid", "ttclid", "li_fat_id", "rb_clickid", "s_kwcid", "_openstat", "__twitter_impression", "epik",
    "ck_subscriber_id", "_branch_match_id", "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber", "ml_subscriber_hash",
    "oly_anon_id", "oly_enc_id", "vero_conv", "vero_id", "wickedid", "_hsenc", "_hsmi", "__hsfp", "__hssc", "__hstc",
    "hsctatracking",
];

/// Parameters that only some sites use for tracking. Two links that differ only in these lead to one page. The
/// published link keeps them, because on other sites they may identify something.
#[rustfmt::skip]
const TRACKING_OF_SOME_SITES: &[&str] = &[
    "cid_source", "cmpid", "dicbo", "feedtype", "guccounter", "icid", "int_campaign", "int_medium", "int_source", "ito",
    "itm_campaign", "itm_content", "itm_medium", "itm_source", "mbid", "mibextid", "ncid", "ns_campaign", "ns_fee",
    "ns_linkname", "ns_mchannel", "ns_source", "oborigurl", "ocid", "ref_src", "ref_url", "s_cid", "sc_cid", "smid",
    "smtyp", "soc_src", "soc_trk", "spm", "sr_share", "tblci", "traffic_source", "wt.mc_id", "wt_mc", "wt_zmc", "wtmc",
    "xtor", "xtref",
];

/// Hosts that only redirect a reader. Their links do not say where to.
const PROXY_HOSTS: &[&str] = &["feedproxy.google.com", "feeds.feedburner.com", "rss.feedsportal.com"];

/// Hosts and paths of search engines that redirect a reader to the URL in their query.
const REDIRECTS: &[(&str, &str)] = &[("google.com", "/url"), ("bing.com", "/news/apiclick.aspx")];

/// The last names in the paths of pages that only redirect a reader to the URL in their query: `out.example/r?url=…`.
/// Pages that show something of their own, such as a translation or a login, have other names.
#[rustfmt::skip]
const REDIRECTING_PATHS: &[&str] = &[
    "away", "away.php", "click", "exit", "external", "go", "go.php", "goto", "jump", "l", "l.php", "leave", "link", "linkfilter",
    "out", "out.php", "r", "r.php", "redir", "redirect", "redirect.php", "track", "visit",
];

/// The parameters in which such pages have that URL.
const REDIRECTING_PARAMETERS: &[&str] =
    &["url", "u", "to", "q", "target", "dest", "destination", "goto", "link", "redirect", "uddg", "z"];

/// Query parameters that track the reader if they have one of [`TRACKING_VALUES`]. With other values they may mean
/// anything.
const TRACKING_BY_VALUE: &[&str] = &["ref", "source", "src", "from", "via", "partner", "cmp", "feed", "share"];

/// What the names of other such parameters end in.
const TRACKING_ENDINGS: &[&str] = &["_source", "_medium", "_channel", "_campaign", "_ref"];

#[rustfmt::skip]
const TRACKING_VALUES: &[&str] = &[
    "rss", "rss2", "rdf", "atom", "feed", "feeds", "twitter", "facebook", "whatsapp", "telegram", "linkedin", "reddit",
    "mastodon", "social", "newsletter", "email", "push",
];

/// Labels at the front of a host name that stand for a variant of one site.
const VARIANTS: &[&str] = &["www.", "m.", "mobile.", "touch.", "wap.", "amp."];

/// Removes the query parameters that only track the reader: the well-known ones, and those that `own` names. A name in
/// `own` may end in `*`. The other parameters keep their order and spelling.
pub fn strip_tracking(url: &mut Url, own: &[String]) {
    let is_tracking = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        is_tracking_parameter(name) || own.iter().any(|tracking| is_named(name, tracking))
    };
    let Some(query) = url.query().filter(|query| query.split('&').any(|parameter| is_tracking(&parameter))) else {
        return;
    };
    let kept = query.split('&').filter(|parameter| !is_tracking(parameter)).collect::<Vec<_>>().join("&");
    url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
}

fn is_tracking_parameter(name: &str) -> bool {
    TRACKING_PREFIXES.iter().any(|prefix| begins_with(name, prefix))
        || TRACKING_PARAMETERS.iter().any(|tracking| name.eq_ignore_ascii_case(tracking))
}

fn is_of_some_sites(name: &str) -> bool {
    TRACKING_OF_SOME_SITES.iter().any(|tracking| name.eq_ignore_ascii_case(tracking))
}

/// Returns whether the name of a parameter matches the configured name `tracking`, which may end in `*`.
fn is_named(name: &str, tracking: &str) -> bool {
    match tracking.strip_suffix('*') {
        Some(prefix) => begins_with(name, prefix),
        None => name.eq_ignore_ascii_case(tracking),
    }
}

fn begins_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// Returns the key of the page at `url`, such as `example.org/2017/war-on-isis?p=1`. It is equal for URLs that differ
/// only in scheme, `www.` or mobile host, port 80 or 443, fragment, trailing slash, AMP form, tracking parameters or
/// the order of parameters.
///
/// Returns `None` if the URL cannot be the page of a single entry: it has another scheme, is a home page, or belongs to
/// a feed proxy.
pub fn key(url: &Url) -> Option<String> {
    let unwrapped = page_behind(url);
    let url = unwrapped.as_ref().unwrap_or(url);
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?.trim_end_matches('.');
    if is_proxy(url) {
        return None;
    }
    let path = page_path(url.path());
    let query = page_query(url);
    if path.is_empty() && query.is_empty() {
        return None;
    }
    let mut key = String::with_capacity(url.as_str().len());
    key.push_str(&main_host(host).replacen(".m.", ".", 1));
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        key.push_str(&format!(":{port}"));
    }
    key.push_str(&path);
    if !query.is_empty() {
        key.push('?');
        key.push_str(&query);
    }
    Some(key)
}

/// The words with which sites mark the page of a live report in its URL.
const LIVE_WORDS: [&str; 10] =
    ["live", "liveblog", "liveticker", "ticker", "newsticker", "direct", "directo", "diretta", "vivo", "aovivo"];

/// Returns whether a key may be that of the page of a section, such as `example.org/live` or `example.org/news.html`,
/// and not of an entry. Such a key has no folder, no number and no headline of three words.
///
/// `example.org?p=1` counts too: blog software that is not set up yet writes this link for its sample post.
pub fn may_be_section(key: &str) -> bool {
    let Some((_, name)) = key.split_once('/') else { return key.ends_with("?p=1") };
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem.split(['-', '_']).count() <= 2 && stem.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '_'))
}

/// Returns whether the page of a link key may get other content from time to time, such as
/// `example.org/service/weather-for-today`. Such a key has no digit: most pages of single articles have a date, a number
/// or a hash in theirs.
pub fn may_recur(key: &str) -> bool {
    key.split_once('/').is_none_or(|(_, path)| !path.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Returns whether a link key leads to a live blog or news ticker, such as `example.org/sport/live/71` or
/// `example.org/live-storm`. Often, many entries of a feed link to the same live page.
pub fn is_live(key: &str) -> bool {
    let path = key.split_once('/').map_or("", |(_, path)| path).split('?').next().unwrap_or_default();
    let is_live_word = |word: &str| LIVE_WORDS.contains(&word.to_ascii_lowercase().as_str());
    path.split('/').any(|segment| {
        let stem = segment.split_once('.').map_or(segment, |(stem, _)| stem);
        let words = || stem.split(['-', '_']);
        words().next().is_some_and(is_live_word) || words().next_back().is_some_and(is_live_word)
    })
}

/// Returns whether a URL only redirects its reader, to a page that the URL does not name.
pub fn is_proxy(url: &Url) -> bool {
    url.host_str().is_some_and(|host| PROXY_HOSTS.contains(&host.trim_end_matches('.')))
}

/// Returns the host to which a URL leads, as far as the URL itself says so. If the URL is that of a search engine that
/// redirects, returns the host of the page to which it redirects.
pub fn host(url: &Url) -> Option<String> {
    let page = page_behind(url);
    page.as_ref().unwrap_or(url).host_str().map(str::to_owned)
}

/// Returns the page to which a URL redirects, if the URL itself names that page. URLs of AMP caches, of search engines
/// and of sites that count clicks do.
fn page_behind(url: &Url) -> Option<Url> {
    let (host, path) = (url.host_str()?, url.path());
    let cached = if host.ends_with(".cdn.ampproject.org") {
        path.strip_prefix("/c/").or_else(|| path.strip_prefix("/v/"))
    } else if main_host(host) == "google.com" {
        path.strip_prefix("/amp/")
    } else {
        None
    };
    if let Some(cached) = cached {
        let mut page = Url::parse(&format!("https://{}", cached.strip_prefix("s/").unwrap_or(cached))).ok()?;
        page.set_query(url.query());
        return Some(page).filter(has_domain);
    }
    if REDIRECTS.contains(&(main_host(host), path)) {
        let target = url.query_pairs().find(|(name, _)| name == "url" || name == "q")?;
        return Url::parse(&target.1).ok();
    }
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_redirect = REDIRECTING_PATHS.contains(&name.to_ascii_lowercase().as_str());
    let mut pages = url.query_pairs().filter(|(name, _)| is_redirect && REDIRECTING_PARAMETERS.contains(&&**name));
    pages.find_map(|(_, value)| Url::parse(&value).ok().filter(is_page))
}

/// Returns whether a URL that another contains is that of a page at some site.
fn is_page(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && has_domain(url)
}

fn has_domain(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.contains('.'))
}

/// Returns the host without the labels of [`VARIANTS`].
fn main_host(host: &str) -> &str {
    for variant in VARIANTS {
        if let Some(rest) = host.strip_prefix(variant)
            && rest.contains('.')
        {
            return rest;
        }
    }
    host
}

/// Returns the path without trailing slash, index document and AMP marks. Its percent-encoding is normalised.
fn page_path(path: &str) -> String {
    let path = path.split(";jsessionid=").next().unwrap_or(path).trim_end_matches('/');
    let path =
        ["/index.html", "/index.htm", "/index.php"].iter().find_map(|index| path.strip_suffix(index)).unwrap_or(path);
    let path = path.strip_suffix(".amp.html").or_else(|| path.strip_suffix("/amp")).unwrap_or(path);
    let path = path.strip_prefix("/amp").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let path = path.strip_suffix(".amp").unwrap_or(path);
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (plain, escape) = rest.split_at(at);
        decoded.push_str(plain);
        let byte = escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
                rest = &escape[3..];
            }
            Some(_) => {
                decoded.push_str(&escape[..3].to_ascii_uppercase());
                rest = &escape[3..];
            }
            None => {
                decoded.push('%');
                rest = &escape[1..];
            }
        }
    }
    decoded.push_str(rest);
    while decoded.contains("//") {
        decoded = decoded.replace("//", "/");
    }
    decoded
}

fn page_query(url: &Url) -> String {
    let mut pairs: Vec<_> = url
        .query_pairs()
        .filter(|(name, value)| {
            let names_the_form = matches!((&**name, &**value), ("amp", _) | (_, "amp") | ("m", "0" | "1"));
            let may_track = |name: &str| {
                TRACKING_BY_VALUE.contains(&name) || TRACKING_ENDINGS.iter().any(|ending| name.ends_with(ending))
            };
            let tracks = TRACKING_VALUES.contains(&&**value) && may_track(name);
            !is_tracking_parameter(name) && !is_of_some_sites(name) && !names_the_form && !tracks
        })
        .collect();
    pairs.sort();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    query.finish()
}

/// Returns the registered domain of a page, such as `example.co.uk`. Its owner is responsible for the page. If the host
/// is an IP address, returns the address.
pub fn registrable_domain(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(domain) => {
            let domain = domain.trim_end_matches('.');
            Some(psl::domain_str(domain).unwrap_or(domain).to_owned())
        }
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<&str>) {
        assert_eq!(key(&Url::parse(url).unwrap()).as_deref(), expected, "{url}");
    }

    #[test]
    fn addresses_of_one_page_have_one_key() {
        let page = Some("example.org/2017/war");
        for url in [
            "http://example.org/2017/war",
            "https://www.example.org/2017/war/",
            "https://EXAMPLE.org:443/2017/war#comments",
            "https://m.example.org/2017/war?utm_source=rss&fbclid=1",
            "https://example.org/2017/war/amp/",
            "https://example.org/amp/2017/war",
            "https://example.org/2017/w%61r?amp=1",
            "https://example.org/2017/war.amp.html",
            "https://touch.example.org//2017/war?output=amp",
            "https://example.org/2017/war?share=whatsapp&_ga=1",
            "https://example.org/2017/war?ref=rss&m=1",
            "https://example-org.cdn.ampproject.org/c/s/www.example.org/2017/war/amp/",
            "https://example-org.cdn.ampproject.org/c/s/www.example.org/2017/war?utm_source=rss",
            "https://www.google.com/amp/s/example.org/2017/war",
            "https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.org%2F2017%2Fwar",
            "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fexample.org%2f2017%2fwar&c=1",
            "https://out.links.example/r?url=https%3A%2F%2Fexample.org%2F2017%2Fwar%2F",
            "https://vk.example/away.php?to=http%3A%2F%2Fwww.example.org%2F2017%2Fwar&cc_key=",
        ] {
            check(url, page);
        }
    }

    #[test]
    fn item_has_a_number_a_folder_or_a_headline_in_its_address() {
        let sections = ["live", "read-more", "ticker.html", "Новости"].map(|name| format!("example.org/{name}"));
        for section in sections.iter().map(String::as_str).chain(["example.org?p=1"]) {
            assert!(may_be_section(section), "{section}");
        }
        for item in [
            "example.org?p=12",
            "example.org/1?p=1",
            "example.org/a/live",
            "example.org/live-17",
            "example.org/old-quay-opens",
        ] {
            assert!(!may_be_section(item), "{item}");
        }
    }

    #[test]
    fn page_whose_content_is_replaced_has_no_digit_in_its_address() {
        for page in ["a.example/service/weather-for-today", "a.example/lottery/", "a.example"] {
            assert!(may_recur(page), "{page}");
        }
        for article in
            ["a.example/2026/10/old-quay", "a.example/old-quay-a-d15ac7e1", "a.example/x?id=7", "1.example/7"]
        {
            assert!(!may_recur(article), "{article}");
        }
        assert!(may_recur("1.example/weather"), "the host may have a digit");
    }

    #[test]
    fn live_reports_are_known_by_their_address() {
        for live in [
            "a.example/live",
            "a.example/sport/live/71",
            "a.example/live-storm",
            "a.example/en-vivo",
            "a.example/x/Liveticker.html?p=2",
        ] {
            assert!(is_live(live), "{live}");
        }
        for other in
            ["a.example", "live.example/storm", "a.example/how-we-live-now", "a.example/delivery", "a.example/?s=live"]
        {
            assert!(!is_live(other), "{other}");
        }
    }

    #[test]
    fn identifying_parameters_stay_in_the_key() {
        check("http://example.org/?p=123", Some("example.org?p=123"));
        check("http://example.org/a?b=2&a=1", Some("example.org/a?a=1&b=2"));
        check("http://example.org:8080/a", Some("example.org:8080/a"));
        check("http://example.org/caf%c3%a9", Some("example.org/caf%C3%A9"));
        check("http://m.org/a", Some("m.org/a"));
        check("https://en.m.wiki.example/a", Some("en.wiki.example/a"));
        check("http://example.org/a?ref=42", Some("example.org/a?ref=42"));
        // The page of an AMP cache has its query, and only pages that redirect lead to the URL in theirs.
        check("https://a-org.cdn.ampproject.org/c/s/a.org/?p=7", Some("a.org?p=7"));
        let query = "https%3A%2F%2Fa.org%2Fb";
        for page in ["login?url=", "translate?u=", "r?next=", "reviews?link="] {
            check(&format!("https://b.org/{page}{query}"), Some(&format!("b.org/{page}{query}")));
        }
        check("https://b.org/r?url=7", Some("b.org/r?url=7"));
        check("https://out.b.org/r?url=https%3A%2F%2Fa.org%2F", None);
    }

    #[test]
    fn home_pages_proxies_and_other_schemes_have_no_key() {
        for url in ["http://example.org/", "https://www.example.org/index.html", "mailto:a@example.org"] {
            check(url, None);
        }
        check("http://feedproxy.google.com/~r/blog/~3/x/", None);
        check("https://example.org/?utm_source=rss", None);
    }

    #[test]
    fn tracking_parameters_of_the_table_and_of_the_editor_are_removed() {
        let check = |url: &str, expected: &str| {
            let mut url = Url::parse(url).unwrap();
            strip_tracking(&mut url, &["partner".to_owned(), "wire_*".to_owned()]);
            assert_eq!(url.as_str(), expected);
        };
        check("https://a.example/x?UTM_Source=f&b=2&a=%41&fbclid=1#top", "https://a.example/x?b=2&a=%41#top");
        check("https://a.example/x?utm_source=f", "https://a.example/x");
        check("https://a.example/x?Partner=9&wire_id=1&partners=2", "https://a.example/x?partners=2");
        check("https://a.example/x?pk_id=12&&b", "https://a.example/x?pk_id=12&&b");
    }

    #[test]
    fn registrable_domain_is_the_registered_part() {
        let domain = |url: &str| registrable_domain(&Url::parse(url).unwrap()).unwrap();
        assert_eq!(domain("https://news.blog.example.co.uk/a"), "example.co.uk");
        assert_eq!(domain("http://someone.github.io/"), "someone.github.io");
        assert_eq!(domain("http://127.0.0.1:80/"), "127.0.0.1");
    }
}
