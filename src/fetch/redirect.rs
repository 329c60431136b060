//! Decides where a redirect leads, and whether it is permanent.
//!
//! A poll follows at most five redirects. It requests no URL twice. It never goes from `https:` to `http:`, and never
//! to any other scheme. Userinfo and fragment of a `Location` are removed, because newswire takes no credentials from a
//! publisher. If all redirects are 301 or 308 (RFC 9110 §15.4.2, §15.4.9), the feed has moved permanently. A single
//! 302, 303 or 307 makes the whole chain temporary.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, percent_encode};
use reqwest::StatusCode;
use url::Url;

use crate::feed::{Failure, RedirectFault};

/// The most redirects that a poll follows. Browsers allow 20; a feed that needs more than two is misconfigured.
const MOST_HOPS: usize = 5;

/// The URLs that one poll requests.
pub(super) struct Trail {
    /// The URLs in order. The last one is current.
    urls: Vec<Url>,
    permanent: bool,
}

impl Trail {
    pub(super) fn start(url: &Url) -> Trail {
        Trail { urls: vec![without_extras(url.clone())], permanent: true }
    }

    /// Returns the current URL, without userinfo and fragment.
    pub(super) fn here(&self) -> &Url {
        self.urls.last().expect("a trail has a start, and hops are only added")
    }

    /// Returns all URLs so far, in order.
    pub(super) fn hops(&self) -> &[Url] {
        &self.urls
    }

    /// Returns whether every hop so far was at the origin of `url`.
    pub(super) fn never_left(&self, url: &Url) -> bool {
        self.urls.iter().all(|hop| hop.origin() == url.origin())
    }

    /// Returns whether every hop so far was at the server of `url`. A hop is at that server if it has the same origin.
    /// It is also there if it has the same host and both URLs use their default ports, as when `http:` leads to
    /// `https:`.
    pub(super) fn stays_at(&self, url: &Url) -> bool {
        self.urls.iter().all(|hop| {
            let have_usual_ports = hop.port().is_none() && url.port().is_none();
            hop.origin() == url.origin() || (have_usual_ports && hop.host() == url.host())
        })
    }

    /// Returns whether all redirects so far, if any, were permanent.
    pub(super) fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// Returns where a chain of permanent redirects led. Returns `None` if there was no redirect, or a temporary one.
    pub(super) fn moved_to(&self) -> Option<&Url> {
        (self.permanent && self.urls.len() > 1).then(|| self.here())
    }

    /// Checks the target of a redirect, and makes it the current URL.
    ///
    /// # Errors
    ///
    /// Fails if the redirect has no target, leads in a circle, or leads to a forbidden URL, or if there were too many
    /// redirects.
    pub(super) fn follow(&mut self, status: StatusCode, location: Option<&[u8]>) -> Result<(), Failure> {
        let host = self.here().host_str().unwrap_or_default();
        let next = self.target(location).map_err(|fault| Failure::Redirect { host: host.into(), fault })?;
        self.permanent &= matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
        self.urls.push(next);
        Ok(())
    }

    fn target(&self, location: Option<&[u8]>) -> Result<Url, RedirectFault> {
        let here = self.here();
        let next = here.join(&as_text(location.ok_or(RedirectFault::NoTarget)?));
        let next = without_extras(next.map_err(|_| RedirectFault::NoAddress)?);
        match (here.scheme(), next.scheme()) {
            (_, "https") | ("http", "http") => {}
            (_, "http") => return Err(RedirectFault::Downgrade),
            (_, scheme) => return Err(RedirectFault::Scheme { scheme: scheme.into() }),
        }
        if self.urls.contains(&next) {
            return Err(RedirectFault::Circle);
        }
        if self.urls.len() > MOST_HOPS {
            return Err(RedirectFault::TooMany { most: MOST_HOPS });
        }
        Ok(next)
    }
}

/// Returns an address from a header as text. Bytes that are not UTF-8 are percent-encoded, because only the server
/// knows what they mean (RFC 3986 §2.5).
pub(super) fn as_text(address: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(address) {
        Ok(text) => text.into(),
        Err(_) => percent_encode(address, &AsciiSet::EMPTY).into(),
    }
}

/// Returns whether an answer with this status redirects to its `Location`.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn without_extras(mut url: Url) -> Url {
    url.set_fragment(None);
    // Both calls fail only on URLs without a host, which the guard refuses.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}
