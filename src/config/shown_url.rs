//! The form of an address for display: never with userinfo or the values of secret query parameters.

use url::Url;

/// Names of query parameters, in lower case, whose values are never shown.
pub(super) const SECRET_PARAMETERS: [&str; 10] =
    ["token", "key", "api_key", "apikey", "auth", "access_token", "password", "secret", "sig", "signature"];

/// The replacement for a secret value.
pub(super) const MASK: &str = "***";

/// Returns a configured or redirected URL for display: without userinfo and fragment, and with the values of secret
/// query parameters masked.
pub fn shown(url: &Url) -> Url {
    let mut shown = url.clone();
    // These calls fail only for a URL that cannot have a user name; then there is nothing to remove.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if let Some(query) = url.query() {
        let masked: Vec<String> = query.split('&').map(masked_parameter).collect();
        shown.set_query(Some(&masked.join("&")));
    }
    shown
}

/// Returns a key that is equal for all spellings of an address: without scheme, `www.`, default port, trailing slash and
/// fragment.
pub fn spelling(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let port = url.port().filter(|port| !matches!(port, 80 | 443)).map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{host}{port}{}{query}", url.path().trim_end_matches('/'))
}

/// Returns the address that a `feed:` address wraps: `feed:http://a.example/` is `http://a.example/`, and `feed://a.example/`
/// is `//a.example/`, which may be https or http. Any other address stays as it is.
pub fn without_feed_scheme(address: &str) -> &str {
    let address = address.trim();
    match address.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => rest,
        _ => address,
    }
}

fn masked_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if is_secret_parameter(name) => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    }
}

/// Returns the name of the first query parameter whose value is secret.
pub(super) fn secret_parameter(url: &Url) -> Option<String> {
    let names = url.query()?.split('&').filter_map(|parameter| Some(parameter.split_once('=')?.0));
    names.into_iter().find(|name| is_secret_parameter(name)).map(str::to_owned)
}

pub(super) fn is_secret_parameter(name: &str) -> bool {
    let decoded = url::form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.to_lowercase());
    decoded.is_some_and(|name| SECRET_PARAMETERS.contains(&name.as_str()))
}
