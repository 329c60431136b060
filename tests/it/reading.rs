//! How newswire reads what publishers write unusually or wrongly, in every format.

use newswire::entry::{Entry, Person};
use newswire::normalize;
use newswire::parse::{Hints, ParsedFeed, parse};
use serde_json::json;
use url::Url;

const ATOM: &str = "xmlns='http://www.w3.org/2005/Atom'";

fn read(document: impl AsRef<[u8]>) -> ParsedFeed {
    let base = Url::parse("https://feeds.example/dir/feed").unwrap();
    parse(document.as_ref(), &Hints { content_type: None, base: Some(&base) }).unwrap()
}

fn entries(document: impl AsRef<[u8]>) -> Vec<Entry> {
    let feed = read(document);
    feed.entries.iter().map(|entry| normalize::entry(entry, &feed)).collect()
}

fn titles(document: impl AsRef<[u8]>) -> Vec<String> {
    entries(document).into_iter().map(|entry| entry.title).collect()
}

fn rss(channel: &str, item: &str) -> String {
    format!("<rss version='2.0'><channel><title>t</title>{channel}<item>{item}</item></channel></rss>")
}

fn rss_entry(item: &str) -> Entry {
    entries(rss("", item)).remove(0)
}

fn atom_entry(inside: &str) -> Entry {
    entries(format!("<feed {ATOM}><entry><id>1</id>{inside}</entry></feed>")).remove(0)
}

fn json_feed(members: serde_json::Value) -> String {
    let mut feed = json!({"version": "https://jsonfeed.org/version/1.1", "title": "T"});
    feed.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    feed.to_string()
}

fn address(url: &Option<Url>) -> &str {
    url.as_ref().map_or("", Url::as_str)
}

#[track_caller]
fn assert_repair(document: impl AsRef<[u8]>, part: &str) {
    let repairs = read(document).repairs;
    assert!(repairs.iter().any(|repair| repair.to_string().contains(part)), "{part:?} is not in {repairs:?}");
}

#[test]
fn escaped_cdata_section_is_unwrapped() {
    let check =
        |written: &str, expected: &str| assert_eq!(rss_entry(&format!("<title>{written}</title>")).title, expected);
    check("&lt;![CDATA[Hello World]]&gt;", "Hello World");
    check("&lt;![CDATA[AT&amp;T]]&gt;", "AT&T");
    check("<![CDATA[<![CDATA[Hello]]>]]>", "Hello");
    check("<![CDATA[&lt;![CDATA[Hello &amp; more]]&gt;]]>", "Hello & more");
    check("&lt;![CDATA[a]]&gt;&lt;![CDATA[b]]&gt;", "ab");
    check("What &lt;![CDATA[ means", "What <![CDATA[ means");
    let item = "<link>&lt;![CDATA[https://a.example/1]]&gt;</link><guid>&lt;![CDATA[urn:1]]&gt;</guid><category>&lt;![CDATA[News]]&gt;</category>
        <description>&lt;![CDATA[&lt;p&gt;&lt;b&gt;Bold&lt;/b&gt; text&lt;/p&gt;]]&gt;</description>";
    let entry = rss_entry(item);
    assert_eq!((address(&entry.link), entry.guid.value.as_str()), ("https://a.example/1", "urn:1"));
    assert_eq!(entry.categories[0].term, "News");
    assert_eq!(entry.summary_html.as_deref(), Some("<p><b>Bold</b> text</p>"));
    assert_eq!(atom_entry("<title>&lt;![CDATA[Hello]]&gt;</title>").title, "Hello");
    assert_eq!(titles(json_feed(json!({"items": [{"id": 1, "title": "<![CDATA[Hello]]>"}]}))), ["Hello"]);
    assert_repair(rss("", item), "CDATA sections that were escaped");
}

#[test]
fn start_of_a_cdata_section_inside_another_is_text_and_no_repair() {
    let document =
        rss("", "<description><![CDATA[In XML, <code>&lt;![CDATA[</code> or <![CDATA[ begins it.]]></description>");
    assert!(read(document).repairs.is_empty());
}

#[test]
fn utf8_with_cut_or_split_characters_stays_utf8() {
    let check = |xml: &str, http: Option<&str>, title: &[u8], expected: &str| {
        let mut document = format!(
            "<?xml version='1.0'{xml}?><rss><channel><item><title>Café at the pier</title></item><item><title>"
        )
        .into_bytes();
        document.extend(title);
        document.extend(b"</title></item></channel></rss>");
        let feed = parse(&document, &Hints { content_type: http, base: None }).unwrap();
        let titles: Vec<String> = feed.entries.iter().map(|entry| normalize::entry(entry, &feed).title).collect();
        assert_eq!(
            (feed.encoding.as_str(), titles),
            ("UTF-8", vec!["Café at the pier".to_owned(), expected.to_owned()]),
            "{title:x?}"
        );
        assert!(!feed.repairs.is_empty());
    };
    let declared = " encoding='UTF-8'";
    check(declared, None, b"Party \xF0\x9F\x98...", "Party \u{FFFD}...");
    check("", None, b"Party \xE2\x80...", "Party \u{FFFD}...");
    check(declared, None, b"Cut \xC3", "Cut \u{FFFD}");
    check(declared, Some("text/xml; charset=iso-8859-1"), b"Cut \xC3", "Cut \u{FFFD}");
    check(" encoding='windows-1252'", None, b"\xC3\xA9t\xC3\xA9 \xF0\x9F\x98", "été \u{FFFD}");
    check(declared, None, b"Half \xED\xA0\xBD\xED\xB8\x80 of it", "Half 😀 of it");
    check("", None, b"\xED\xA0\xBDx", "\u{FFFD}x");
}

#[test]
fn other_encodings_are_still_distinguished_from_utf8() {
    let check = |label: &str, declared: &str, text: &str| {
        let document =
            format!("<?xml version='1.0'{declared}?><rss><channel><item><title>{text}</title></item></channel></rss>");
        let bytes = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(&document).0.into_owned();
        assert_eq!(titles(bytes), [text], "{label} {declared}");
    };
    for declared in ["", " encoding='utf-8'", " encoding='windows-1251'"] {
        check("windows-1251", declared, "Её поездка в США» началась вчера утром, сообщает агентство РФ» сегодня");
    }
    check("windows-1252", " encoding='utf-8'", "Un été à la plage");
    check("gbk", " encoding='gb2312'", "新华社北京十二月二十日电");
    check("shift_jis", " encoding='shift_jis'", "東京の天気は晴れ");
}

#[test]
fn surrogate_pair_of_character_references_is_one_character() {
    let check =
        |written: &str, expected: &str| assert_eq!(rss_entry(&format!("<title>{written}</title>")).title, expected);
    check("&#55357;&#56832; x", "😀 x");
    check("&#xD83D;&#xDE00;", "😀");
    check("&amp;#55357;&amp;#56832;", "😀");
    check("&#55357; x", "\u{FFFD} x");
    check("x&#56832;", "x\u{FFFD}");
    check("&#55357;&#65;", "\u{FFFD}A");
    assert_repair(rss("", "<title>&#55357;&#56832;</title>"), "character references");
}

#[test]
fn content_of_an_rss_entry_is_relative_to_its_own_page() {
    let check = |channel: &str, item: &str, expected: &str| {
        let entry = entries(rss(channel, item)).remove(0);
        assert_eq!(entry.summary_html.as_deref(), Some(expected), "{channel} {item}");
    };
    let site = "<link>https://site.example/</link>";
    let text = "<description><![CDATA[<a href=\"#fn1\">1</a> <img src=\"shot.png\">]]></description>";
    let link = "<link>https://site.example/blog/1/</link>";
    let here = "<a href=\"https://site.example/blog/1/#fn1\">1</a> <img src=\"https://site.example/blog/1/shot.png\">";
    check(site, &format!("{link}{text}"), here);
    check(site, &format!("{text}{link}"), here);
    check("", &format!("{link}{text}"), here);
    check(site, text, "<a href=\"https://site.example/#fn1\">1</a> <img src=\"https://site.example/shot.png\">");
    let based = text.replace("<description>", "<description xml:base='https://base.example/a/'>");
    let images_at_base =
        "<a href=\"https://site.example/blog/1/#fn1\">1</a> <img src=\"https://base.example/a/shot.png\">";
    check(site, &format!("{link}{based}"), images_at_base);
    check(
        site,
        &format!("{link}<description><![CDATA[<a href=\"\">this</a>]]></description>"),
        "<a href=\"https://site.example/blog/1/\">this</a>",
    );
}

#[test]
fn content_of_an_atom_entry_is_relative_to_its_base_except_bare_fragments() {
    let check = |feed: &str, content: &str, expected: &str| {
        let entry = format!("<entry><id>1</id><link href='https://site.example/1/'/>{content}</entry>");
        let entry = entries(format!("<feed {ATOM} {feed}>{entry}</feed>")).remove(0);
        assert_eq!(entry.content_html.as_deref(), Some(expected), "{feed} {content}");
    };
    let html = "<content type='html'>&lt;a href=\"#n\"&gt;1&lt;/a&gt;&lt;a href=\"x\"&gt;2&lt;/a&gt;&lt;a href=\"\"&gt;3&lt;/a&gt;</content>";
    let links = |x: &str, empty: &str| {
        format!("<a href=\"https://site.example/1/#n\">1</a><a href=\"{x}\">2</a><a href=\"{empty}\">3</a>")
    };
    check("", html, &links("https://feeds.example/dir/x", "https://site.example/1/"));
    check("xml:base='https://base.example/b/'", html, &links("https://base.example/b/x", "https://base.example/b/"));
    let xhtml = "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml' xml:base='/c/'><p xml:base='d/'><a href='#n'>1</a><a href='x'>2</a></p></div></content>";
    check(
        "xml:base='https://base.example/b/'",
        xhtml,
        "<p><a href=\"https://site.example/1/#n\">1</a><a href=\"https://base.example/c/d/x\">2</a></p>",
    );
}

#[test]
fn relative_urls_in_rss_are_relative_to_the_page_of_the_feed() {
    let items = "<item><link>2024/1.html</link><enclosure url='1.mp3'/><comments>2024/1.html#c</comments></item>";
    let check = |document: &str, expected: &str| {
        let entry = entries(document).remove(0);
        assert_eq!(address(&entry.link), format!("{expected}2024/1.html"), "{document}");
        assert_eq!(entry.enclosures[0].url.as_str(), format!("{expected}1.mp3"));
        assert_eq!(address(&entry.comments), format!("{expected}2024/1.html#c"));
    };
    check(
        &format!("<rss><channel><link>https://site.example/news/</link>{items}</channel></rss>"),
        "https://site.example/news/",
    );
    check(&format!("<rss><channel><link>/news/</link>{items}</channel></rss>"), "https://feeds.example/news/");
    check(
        &format!("<rss><channel>{items}<link>https://site.example/news/</link></channel></rss>"),
        "https://site.example/news/",
    );
    check(&format!("<rss><channel>{items}<link>../news/</link></channel></rss>"), "https://feeds.example/news/");
    check(&format!("<rss><channel>{items}</channel></rss>"), "https://feeds.example/dir/");
    check(
        &format!(
            "<rss><channel xml:base='https://base.example/'><link>https://site.example/news/</link>{items}</channel></rss>"
        ),
        "https://base.example/",
    );
    check(
        &format!(
            "<rdf:RDF xmlns='http://purl.org/rss/1.0/' xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><channel><link>https://site.example/news/</link></channel>{items}</rdf:RDF>"
        ),
        "https://site.example/news/",
    );
    let image = "<rss><channel><link>https://site.example/</link><image><url>logo.png</url></image></channel></rss>";
    assert_eq!(address(&normalize::info(&read(image)).image), "https://site.example/logo.png");
    let json = json_feed(
        json!({"home_page_url": "https://site.example/news/", "items": [{"id": 1, "url": "1.html", "content_html": "<img src=\"a.png\">"}]}),
    );
    let entry = entries(json).remove(0);
    assert_eq!(address(&entry.link), "https://site.example/news/1.html");
    assert_eq!(entry.content_html.as_deref(), Some("<img src=\"https://site.example/news/a.png\">"));
}

#[test]
fn atom_links_are_relative_to_the_document() {
    let document = format!(
        "<feed {ATOM}><link href='https://site.example/'/><entry><id>1</id><link href='1.html'/></entry></feed>"
    );
    assert_eq!(address(&entries(document)[0].link), "https://feeds.example/dir/1.html");
    let empty = "<link xml:base='https://site.example/1' href=''/>";
    assert_eq!(address(&atom_entry(empty).link), "https://site.example/1");
    assert_eq!(atom_entry("<link href=''/>").link, None, "the document is not the page of its entries");
}

#[test]
fn raw_hash_changes_with_the_page_that_a_link_is_relative_to() {
    let hash = |site: &str, item: &str| read(rss(&format!("<link>{site}</link>"), item)).entries[0].raw_hash;
    let (one, two) = ("https://one.example/", "https://two.example/");
    assert_ne!(hash(one, "<link>1</link>"), hash(two, "<link>1</link>"));
    assert_eq!(hash(one, "<link>https://a.example/1</link>"), hash(two, "<link>https://a.example/1</link>"));
}

#[test]
fn link_relation_may_be_written_as_its_registered_iri() {
    let link = |rel: &str| atom_entry(&format!("<link rel='{rel}' href='https://a.example/1'/>"));
    for registry in ["http://www.iana.org/assignments/relation/", "https://www.iana.org/assignments/link-relations/"] {
        assert_eq!(address(&link(&format!("{registry}alternate")).link), "https://a.example/1");
        assert_eq!(link(&format!("{registry}enclosure")).enclosures.len(), 1);
    }
    assert_eq!(link("https://other.example/relation/alternate").link, None);
    let feed = read(format!(
        "<feed {ATOM}><link rel='http://www.iana.org/assignments/relation/self' href='https://a.example/feed'/></feed>"
    ));
    assert_eq!(address(&normalize::info(&feed).self_link), "https://a.example/feed");
}

#[test]
fn entities_that_a_document_declares_are_expanded() {
    let document = "<!DOCTYPE rss [<!ENTITY site 'https://a.example'><!ENTITY me \"Chris &amp; Co\"><!ENTITY page '&site;/1'>]>
        <rss><channel><item><link>&page;</link><title>By &me;</title><enclosure url='&site;/1.mp3'/></item></channel></rss>";
    let entry = entries(document).remove(0);
    assert_eq!((entry.title.as_str(), address(&entry.link)), ("By Chris & Co", "https://a.example/1"));
    assert_eq!(entry.enclosures[0].url.as_str(), "https://a.example/1.mp3");
    assert!(read(document).repairs.is_empty(), "{:?}", read(document).repairs);
    let external = "<!DOCTYPE rss [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><rss><channel><item><title>&e;</title></item></channel></rss>";
    assert_eq!(titles(external), ["&e;"]);
    assert_repair(external, "left as text");
}

#[test]
fn entry_inside_an_entry_is_its_content() {
    let inner = "<item><title>inner</title><description>inner</description></item>";
    for held in [
        inner.to_owned(),
        format!("<x:copies xmlns:x='urn:x'>{inner}{inner}</x:copies>"),
        format!("<copies xmlns='urn:x'>{inner}</copies>"),
        format!("<description><![CDATA[text]]>{inner}</description>"),
        format!("<x:a><x:b>{inner}</x:b></x:a>"),
    ] {
        let item = format!("<guid>1</guid>{held}<title>outer</title><content:encoded>text</content:encoded>");
        let document = rss("<description>feed</description>", &item)
            .replace("</channel>", "<item><title>second</title></item></channel>");
        assert_eq!(titles(&document), ["outer", "second"], "{held}");
        assert_eq!(entries(&document)[0].content_html.as_deref(), Some("text"), "{held}");
    }
    let inner = format!("<feed {ATOM}><title>inner feed</title><entry><id>2</id><title>inner</title></entry></feed>");
    let outer =
        format!("<entry><id>1</id><title>outer</title><content type='application/atom+xml'>{inner}</content></entry>");
    assert_eq!(
        titles(format!("<feed {ATOM}>{outer}<entry><id>3</id><title>second</title></entry></feed>")),
        ["outer", "second"]
    );
}

#[test]
fn entries_inside_an_extension_belong_to_the_extension() {
    let extension = "<x:old xmlns:x='urn:x'><item><title>old</title></item></x:old>";
    let document = rss(extension, "<title>new</title>");
    assert_eq!(titles(document), ["new"]);
    let only = format!("<rss><channel><title>t</title>{extension}</channel></rss>");
    assert_eq!(titles(only), ["old"], "items inside an extension are read if the feed has no others");
    assert_eq!(titles("<rss><channel><list><item><title>a</title></item></list></channel></rss>"), ["a"]);
}

#[test]
fn entries_without_end_tags_are_still_entries() {
    let items = "<item><title>a</title><item><title>b</title><description>x<item><title>c</title></item>";
    for end in ["</channel></rss>", "</rss>"] {
        let document = format!("<rss><channel><title>t</title>{items}{end}");
        assert_eq!(titles(&document), ["a", "b", "c"], "{end}");
        assert_repair(&document, "unclosed elements");
    }
    let cut = format!("<rss><channel>{items}<item><title>d");
    assert_eq!(titles(&cut), ["a", "b", "c"]);
    let cut_content = format!(
        "<feed {ATOM}><entry><id>1</id><title>whole</title></entry><entry><id>2</id><content type='text/xml'><feed><entry><title>inner</title></entry>"
    );
    assert_eq!(titles(cut_content), ["whole"], "a fragment inside content is not an entry");
}

#[test]
fn format_is_determined_by_the_namespace_of_the_root_element() {
    let check = |document: &str, expected: &str| assert_eq!(read(document).format.to_string(), expected, "{document}");
    check(&format!("<feed {ATOM} xmlns:at='http://purl.org/atompub/tombstones/1.0'></feed>"), "Atom 1.0");
    check(&format!("<feed {ATOM} xmlns:old='http://purl.org/atom/ns#' version='0.3'></feed>"), "Atom 1.0");
    check("<a:feed xmlns:a='http://purl.org/atom/ns#' xmlns='http://www.w3.org/2005/Atom'></a:feed>", "Atom 0.3");
    check("<feed version='0.3'></feed>", "Atom 0.3");
    check("<r:rss version='2.0' xmlns:r='urn:r'><channel><item/></channel></r:rss>", "RSS 2.0");
    check("<r:rss version='2.0' xmlns:r='urn:r'><r:channel><r:item/></r:channel></r:rss>", "RSS 2.0");
    check("<channel><title>t</title><item/></channel>", "RSS");
    check("<channel href='https://a.example/'><item href='1'/></channel>", "CDF");
    let rdf = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'";
    check(
        &format!(
            "<rdf:RDF {rdf} xmlns='http://purl.org/rss/1.0/' xmlns:old='http://my.netscape.com/rdf/simple/0.9/'/>"
        ),
        "RSS 1.0",
    );
    check(&format!("<rdf:RDF {rdf} xmlns='http://my.netscape.com/rdf/simple/0.9/'/>"), "RSS 0.90");
    assert_eq!(
        titles("<r:rss xmlns:r='urn:r'><r:channel><r:item><r:title>a</r:title></r:item></r:channel></r:rss>"),
        ["a"]
    );
}

#[test]
fn json_is_read_as_leniently_as_xml() {
    let check = |document: &str, expected: &[&str], repair: Option<&str>| {
        assert_eq!(titles(document), expected, "{document}");
        repair.into_iter().for_each(|repair| assert_repair(document, repair));
    };
    let version = r#""version":"https://jsonfeed.org/version/1.1""#;
    let mended = Some("invalid JSON was mended");
    check(
        &format!(r#"{{{version},"items":[{{"id":"1","title":"Cut \ud83d"}},{{"id":"2","title":"Two"}}]}}"#),
        &["Cut \u{FFFD}", "Two"],
        mended,
    );
    check(&format!("{{{version},\"items\":[{{\"id\":\"1\",\"title\":\"a\n\tb\"}}]}}"), &["a b"], mended);
    check(&format!(r#"{{{version},"items":[{{"id":"1","title":"a",}},]}}"#), &["a"], mended);
    check(&format!(r#"{{{version},"items":[{{"id":"1","title":"a"}}]}} <!-- cached -->"#), &["a"], mended);
    check(&format!("{{{version}}}"), &[], None);
    check(&format!(r#"{{{version},"items":null}}"#), &[], None);
    check(
        &format!("<br><b>Warning</b>: x in y\n{{{version},\"items\":[{{\"id\":1,\"title\":\"a\"}}]}}"),
        &["a"],
        Some("before the feed"),
    );
    let cut = format!("{{{version},\"items\":[{{\"id\":\"1\",\"title\":\"a\nb\"}},{{\"id\":\"2");
    check(&cut, &["a b"], Some("mid-air"));
    for refused in [
        r#"{"title":"no feed"}"#,
        r#"{"version":"2","message":"quota"}"#,
        "<html><script>var a = {\"b\": 1}</script></html>",
    ] {
        assert!(parse(refused.as_bytes(), &Hints::default()).is_err(), "{refused}");
    }
}

#[test]
fn json_author_may_be_a_text_and_its_address_an_email() {
    let check = |author: serde_json::Value, name: Option<&str>, email: Option<&str>| {
        for item in [
            json!({"id": 1, "author": author}),
            json!({"id": 1, "authors": [author]}),
            json!({"id": 1, "authors": author}),
        ] {
            let authors = entries(json_feed(json!({"items": [item]}))).remove(0).authors;
            let expected = Person { name: name.map(str::to_owned), email: email.map(str::to_owned), url: None };
            assert_eq!(authors, [expected], "{item}");
        }
    };
    check(json!("Ada"), Some("Ada"), None);
    check(json!("Ada <ada@a.example>"), Some("Ada"), Some("ada@a.example"));
    check(json!({"name": "Ada", "url": "mailto:ada@a.example"}), Some("Ada"), Some("ada@a.example"));
    check(json!({"url": "MAILTO:ada@a.example?subject=x"}), None, Some("ada@a.example"));
    let attachment = json_feed(json!({"items": [{"id": 1, "attachments": ["https://a.example/1.mp3"]}]}));
    assert_eq!(entries(attachment)[0].enclosures.len(), 1);
}

#[test]
fn person_is_decoded_and_then_split_into_name_and_address() {
    let check = |element: &str| {
        let author = rss_entry(element).authors.remove(0);
        assert_eq!(
            (author.name.as_deref(), author.email.as_deref()),
            (Some("Don"), Some("don@x.example")),
            "{element}"
        );
    };
    check("<author>Don (mailto:&amp;#100;on@x.example)</author>");
    check("<author>don&amp;#64;x.example (Don)</author>");
    check("<dc:creator>Don &amp;lt;don@x.example&amp;gt;</dc:creator>");
    check("<atom:author><atom:name>Don</atom:name><atom:uri>mailto:don@x.example</atom:uri></atom:author>");
    check("<atom:author><atom:name>Don</atom:name><atom:email>mailto:don@x.example</atom:email></atom:author>");
}

#[test]
fn source_with_only_an_author_or_rights_is_kept() {
    let entry = atom_entry("<source><author><name>Ada</name></author></source>");
    assert_eq!(entry.source.as_ref().unwrap().authors[0].display(), "Ada");
    assert_eq!(entry.authors[0].display(), "Ada", "its author is the entry's");
    let entry = atom_entry("<source><rights>CC BY</rights></source>");
    assert_eq!(entry.source.unwrap().rights.as_deref(), Some("CC BY"));
    assert!(atom_entry("<source/>").source.is_none());
}

#[test]
fn text_that_is_not_an_address_is_not_read_as_one() {
    let comments = |written: &str| address(&rss_entry(&format!("<comments>{written}</comments>")).comments).to_owned();
    assert_eq!(comments("Comments are closed"), "");
    assert_eq!(comments("closed"), "");
    assert_eq!(comments("12"), "");
    assert_eq!(comments("N/A"), "");
    assert_eq!(comments("/1#comments"), "https://feeds.example/1#comments");
    assert_eq!(comments("https://a.example/1#comments"), "https://a.example/1#comments");
    assert_eq!(rss_entry("<link>No link available</link>").link, None);
    assert_eq!(address(&rss_entry("<link>https://a.example/a b</link>").link), "https://a.example/a%20b");
}

#[test]
fn tag_in_a_title_ends_after_its_quoted_values() {
    let check = |title: &str, expected: &str| {
        assert_eq!(atom_entry(&format!("<title type='html'><![CDATA[{title}]]></title>")).title, expected, "{title}");
    };
    check("<a title=\"a > b\" href='x'>Link</a> text", "Link text");
    check("News <img alt=\"one<br>two\" src='x'> today", "News today");
    check("<b title='it\"s > it'>x</b>", "x");
    check("<b title = \"a>b\">x</b>", "x");
    check("it's <b>5\" > 3\"</b>", "it's 5\" > 3\"");
    check("a <b c < d", "a <b c < d");
}

#[test]
fn category_is_the_text_of_its_whole_element() {
    let terms =
        |inside: &str| rss_entry(inside).categories.into_iter().map(|category| category.term).collect::<Vec<_>>();
    assert_eq!(terms("<category><b>Local</b> news</category>"), ["Local news"]);
    assert_eq!(
        terms("<dc:subject><rdf:Description><rdf:value>News</rdf:value></rdf:Description></dc:subject>"),
        ["News"]
    );
    assert_eq!(terms("<category>News<category>Sport</category></category>"), ["News", "Sport"]);
}

#[test]
fn podcast_channel_has_the_values_of_itunes_elements() {
    let check = |channel: &str, expected: Option<&str>| {
        assert_eq!(normalize::info(&read(rss(channel, ""))).description.as_deref(), expected, "{channel}");
    };
    check(
        "<itunes:subtitle>Short</itunes:subtitle><itunes:summary>Long &amp;amp; more</itunes:summary>",
        Some("Long & more"),
    );
    check("<itunes:summary>Long</itunes:summary><itunes:subtitle>Short</itunes:subtitle>", Some("Long"));
    check("<itunes:subtitle>Short</itunes:subtitle>", Some("Short"));
    check("<itunes:summary>Long</itunes:summary><description>Own</description>", Some("Own"));
    check("<itunes:summary>Long</itunes:summary><description/>", Some("Long"));
    let feed = read(rss("<itunes:image url='https://a.example/i.png'/>", ""));
    assert_eq!(address(&normalize::info(&feed).image), "https://a.example/i.png");
}

#[test]
fn original_file_replaces_the_one_that_counts_downloads() {
    let counted = "<enclosure url='https://count.example/r/1.mp3' type='audio/mpeg' length='7'/>";
    let original = "<feedburner:origEnclosureLink>https://a.example/1.mp3</feedburner:origEnclosureLink>";
    for item in
        [format!("{counted}{original}"), format!("{original}{counted}<enclosure url='https://count.example/r/2.ogg'/>")]
    {
        let enclosures = rss_entry(&item).enclosures;
        assert_eq!((enclosures[0].url.as_str(), enclosures[0].bytes), ("https://a.example/1.mp3", Some(7)), "{item}");
    }
}

#[test]
fn replies_link_is_a_page_of_comments_only_if_declared_as_html() {
    let comments = |attributes: &str| {
        atom_entry(&format!("<link rel='replies' href='https://a.example/r' {attributes}/>")).comments
    };
    assert_eq!(comments(""), None);
    assert_eq!(comments("type='application/atom+xml'"), None);
    assert_eq!(address(&comments("type='text/html'")), "https://a.example/r");
}

#[test]
fn language_of_a_summary_is_not_that_of_the_content() {
    let language = |inside: &str| atom_entry(inside).language;
    let summary = "<summary xml:lang='de'>s</summary>";
    assert_eq!(language(&format!("{summary}<content>c</content>")), None);
    assert_eq!(language(&format!("{summary}<content xml:lang='en'>c</content>")).as_deref(), Some("en"));
    assert_eq!(language(summary).as_deref(), Some("de"));
    assert_eq!(language(&format!("<content xml:lang='en'/>{summary}")).as_deref(), Some("de"));
}

#[test]
fn file_in_base64_is_not_shown_as_text() {
    let content = |media_type: &str, inside: &str| {
        atom_entry(&format!("<content type='{media_type}'>{inside}</content>")).content_html
    };
    assert_eq!(content("video/mp4", "AAAAIGZ0eXBpc29t"), None);
    assert_eq!(content("image/png", "aGVsbG8g\nd29ybGQh"), None);
    assert_eq!(content("text/plain2", "aGVsbG8gd29ybGQh").as_deref(), Some("aGVsbG8gd29ybGQh"));
    assert_eq!(content("video/mp4", "See the film here.").as_deref(), Some("See the film here."));
}

#[test]
fn base64_is_read_with_line_breaks_without_padding_and_cut_off() {
    let check = |base64: &str, expected: &str| {
        let content = atom_entry(&format!("<content type='text/html' mode='base64'>{base64}</content>")).content_html;
        assert_eq!(content.as_deref(), Some(expected), "{base64}");
    };
    check("PHA+SGVsbG8uPC9wPg==", "<p>Hello.</p>");
    check("\n  PHA+SGVs\n  bG8uPC9w\n  Pg==\n", "<p>Hello.</p>");
    check("PHA+SGVsbG8uPC9wPg", "<p>Hello.</p>");
    check("SGVsbG8uP", "Hello.");
    check("Hello, you.", "Hello, you.");
}

#[test]
fn line_breaks_of_a_plain_description_are_kept() {
    let summary = |element: &str| rss_entry(element).summary_html.unwrap();
    let lines = "One &amp; two\r\nthree\n  \n  Four";
    let expected = "<p>One &amp; two<br>three</p><p>Four</p>";
    for element in ["description", "itunes:summary", "dc:description", "media:description"] {
        assert_eq!(summary(&format!("<{element}>{lines}</{element}>")), expected, "{element}");
    }
    assert_eq!(
        summary("<description>AT&amp;amp;T\nis &amp;lt;here&amp;gt;</description>"),
        "AT&amp;T<br>is &lt;here&gt;"
    );
    assert_eq!(rss_entry("<content:encoded>a\nb</content:encoded>").content_html.unwrap(), "a<br>b");
    assert_eq!(
        summary("<description>&lt;b&gt;a&lt;/b&gt;\nb</description>"),
        "<b>a</b>\nb",
        "HTML says itself where lines end"
    );
    assert_eq!(summary("<description>\n  One line\n</description>"), "One line");
    assert_eq!(atom_entry("<content type='html'>a\nb</content>").content_html.unwrap(), "a b");
    assert_eq!(
        entries(json_feed(json!({"items": [{"id": 1, "content_text": "a\r\nb\n \nc"}]})))[0].content_html.as_deref(),
        Some("<p>a<br>b</p><p>c</p>")
    );
}

#[test]
fn picture_of_an_entry_is_its_largest_and_listed_once() {
    #[track_caller]
    fn check(item: &str, image: &str, files: &[&str]) {
        let entry = rss_entry(item);
        let enclosures: Vec<&str> = entry.files().map(|file| file.url.as_str()).collect();
        assert_eq!((address(&entry.image), enclosures.as_slice()), (image, files), "{item}");
    }
    let content = |attributes: &str| format!("<media:content {attributes}/>");
    let jpg = |path: &str, size: &str| content(&format!("medium='image' url='https://a.example/{path}' {size}"));
    check(&jpg("1.jpg", ""), "https://a.example/1.jpg", &[]);
    check(&content("type='IMAGE/webp' url='/1'"), "https://feeds.example/1", &[]);
    check(&content("url='https://a.example/1.PNG?w=3'"), "https://a.example/1.PNG?w=3", &[]);
    check(&content("type='video/mp4' url='https://a.example/1.jpg'"), "", &["https://a.example/1.jpg"]);

    // The next files are one picture in several sizes, because they are in one group or their addresses show it.
    let (small, large) = (jpg("s/a.jpg", "width='140'"), jpg("l/b.jpg", "width='460'"));
    check(&format!("<media:group>{small}{large}</media:group>"), "https://a.example/l/b.jpg", &[]);
    check(&format!("<media:group>{large}{small}</media:group>"), "https://a.example/l/b.jpg", &[]);
    let sizes = jpg("p/140.jpg?s=1", "width='140'") + &jpg("p/460.jpg?s=2", "width='460'");
    check(&sizes, "https://a.example/p/460.jpg?s=2", &[]);
    let sizes = jpg("p-140x79.jpg", "width='140' height='79'") + &jpg("p-460x259.jpg", "width='460' height='259'");
    check(&sizes, "https://a.example/p-460x259.jpg", &[]);

    // Other pictures are kept as files.
    let gallery = jpg("1.jpg", "width='640'") + &jpg("2.jpg", "width='640'") + &jpg("show?id=3", "");
    check(&gallery, "https://a.example/1.jpg", &["https://a.example/2.jpg", "https://a.example/show?id=3"]);

    check(&(jpg("1.gif", "width='1' height='1'") + &jpg("2.jpg", "")), "https://a.example/2.jpg", &[]);
    // A size that no camera makes is a mistake.
    for size in ["width='50000'", "width='640' height='50000'"] {
        check(&(jpg("1.jpg", size) + &jpg("2.jpg", "")), "https://a.example/2.jpg", &[]);
        let group = format!("<media:group>{}{small}</media:group>", jpg("1.jpg", size));
        check(&group, "https://a.example/s/a.jpg", &[]);
    }
    let thumbnail = "<media:thumbnail url='https://a.example/t.jpg'/>";
    check(thumbnail, "https://a.example/t.jpg", &[]);
    check(&format!("{thumbnail}{large}"), "https://a.example/l/b.jpg", &[]);
    let audio = "<enclosure url='https://a.example/1.mp3' type='audio/mpeg'/>";
    let enclosed = "<enclosure url='https://a.example/e.jpg' type='image/jpeg'/>";
    check(audio, "", &["https://a.example/1.mp3"]);
    let files = ["https://a.example/1.mp3", "https://a.example/e.jpg"];
    check(&format!("{audio}{enclosed}"), "https://a.example/e.jpg", &files);
    check(&format!("{audio}{enclosed}{thumbnail}"), "https://a.example/t.jpg", &files);
}
