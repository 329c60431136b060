//! XML namespaces: finds the vocabulary of an element, even if the document misspells its namespace.
//!
//! Real feeds misspell the URIs (`https`, another case, a missing slash) and forget to declare them. So URIs are
//! compared without scheme, case and trailing punctuation, and an undeclared prefix has its usual meaning.

/// A vocabulary that newswire reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// RSS of every version, Atom of every version, CDF, and any unknown default namespace. They share one set of
    /// names.
    Core,
    /// `content:encoded`.
    Content,
    DublinCore,
    Terms,
    Rdf,
    Media,
    Itunes,
    Podcast,
    Syndication,
    Thread,
    Feedburner,
    WellFormedWeb,
    CreativeCommons,
    Xhtml,
    Unknown,
}

/// Returns the vocabulary of a namespace URI. Returns `None` if newswire does not read that vocabulary.
pub(super) fn by_uri(uri: &str) -> Option<Namespace> {
    let uri = uri.trim().to_ascii_lowercase();
    let uri = uri.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    Some(match uri.trim_end_matches(['/', '#']) {
        "w3.org/2005/atom" | "purl.org/atom/ns" | "purl.org/atom/ns#" => Namespace::Core,
        "purl.org/rss/1.0" | "purl.org/net/rss1.1" | "my.netscape.com/rdf/simple/0.9" => Namespace::Core,
        "my.netscape.com/publish/formats/rss-0.91.dtd" | "channel.netscape.com/rdf/simple/0.9" => Namespace::Core,
        "backend.userland.com/rss" | "backend.userland.com/rss2" | "blogs.law.harvard.edu/tech/rss" => Namespace::Core,
        "backend.userland.com/rss091" | "backend.userland.com/rss092" => Namespace::Core,
        "purl.org/rss/1.0/modules/content" => Namespace::Content,
        "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" | "purl.org/metadata/dublin_core" => {
            Namespace::DublinCore
        }
        "purl.org/rss/1.0/modules/dc" => Namespace::DublinCore,
        "purl.org/dc/terms" | "purl.org/rss/1.0/modules/dcterms" => Namespace::Terms,
        "w3.org/1999/02/22-rdf-syntax-ns" => Namespace::Rdf,
        "search.yahoo.com/mrss" | "tools.search.yahoo.com/mrss" | "video.search.yahoo.com/mrss" => Namespace::Media,
        "itunes.com/dtds/podcast-1.0.dtd" | "example.com/dtds/podcast-1.0.dtd" => Namespace::Itunes,
        "podcastindex.org/namespace/1.0" => Namespace::Podcast,
        "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md" => Namespace::Podcast,
        "purl.org/rss/1.0/modules/syndication" => Namespace::Syndication,
        "purl.org/syndication/thread/1.0" => Namespace::Thread,
        "rssnamespace.org/feedburner/ext/1.0" => Namespace::Feedburner,
        "wellformedweb.org/commentapi" => Namespace::WellFormedWeb,
        "web.resource.org/cc" | "backend.userland.com/creativecommonsrssmodule" => Namespace::CreativeCommons,
        "creativecommons.org/ns" | "cyber.law.harvard.edu/rss/creativecommonsrssmodule.html" => {
            Namespace::CreativeCommons
        }
        "w3.org/1999/xhtml" => Namespace::Xhtml,
        _ => return None,
    })
}

/// Returns the vocabulary that a prefix usually means, for documents that do not declare the prefix.
pub(super) fn by_usual_prefix(prefix: &str) -> Namespace {
    match prefix.to_ascii_lowercase().as_str() {
        "atom" | "atom10" | "atom03" | "a10" | "rss" => Namespace::Core,
        "content" => Namespace::Content,
        "dc" => Namespace::DublinCore,
        "dcterms" => Namespace::Terms,
        "rdf" => Namespace::Rdf,
        "media" => Namespace::Media,
        "itunes" => Namespace::Itunes,
        "podcast" => Namespace::Podcast,
        "sy" | "syn" => Namespace::Syndication,
        "thr" => Namespace::Thread,
        "feedburner" => Namespace::Feedburner,
        "wfw" => Namespace::WellFormedWeb,
        "cc" | "creativecommons" => Namespace::CreativeCommons,
        "xhtml" | "html" => Namespace::Xhtml,
        _ => Namespace::Unknown,
    }
}
