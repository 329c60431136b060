//! Tests that a document from an attacker causes no abort and no panic, and takes bounded time, memory and stack.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by a panic, and may say what it measured")]
#![allow(unsafe_code, reason = "it counts allocations with an allocator of its own")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write;
use std::time::Duration;

use newswire::newsroom::Cleaned;
use newswire::normalize;
use newswire::parse::{Hints, ParseError, parse};
use url::Url;

/// The stack size of a thread of the blocking pool.
const STACK_BYTES: usize = 2 << 20;
/// The most processor time that a document may take. newswire promises one second, but a test build without
/// optimisation is slower.
const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
/// The most memory that a document may take, as a multiple of its size. `MEMORY_OF_PARSERS` is added, for the tables of
/// the parsers and 5,000 empty entries.
const MOST_MEMORY: usize = 10;
const MEMORY_OF_PARSERS: usize = 8 << 20;

/// Counts the allocations of each thread, so that other tests do not affect the peak of this one.
struct Counting;

thread_local! {
    /// The count is signed, because a thread may free what another one allocated.
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let in_use = IN_USE.get() + bytes;
    IN_USE.set(in_use);
    PEAK.set(PEAK.get().max(in_use));
}

// SAFETY: every call is passed on unchanged to the system's allocator; the counters are plain cells, which never
// allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Returns the processor time of this thread, so that tests that run at the same time do not count.
fn time_of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds of a second"))
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The cost of reading and cleaning a whole document.
struct Cost {
    time: Duration,
    memory: usize,
    entries: Result<usize, ParseError>,
}

fn read_and_clean(document: Vec<u8>) -> Cost {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let before = IN_USE.get();
        PEAK.set(before);
        let start = time_of_thread();
        let base = Url::parse("https://example.org/feed").unwrap();
        let parsed = parse(&document, &Hints { content_type: None, base: Some(&base) });
        let entries = parsed.map(|feed| {
            normalize::info(&feed);
            feed.entries
                .iter()
                .map(|entry| normalize::entry(entry, &feed))
                .filter(|entry| !entry.guid.value.is_empty())
                .count()
        });
        let memory = (PEAK.get() - before).unsigned_abs();
        Cost { time: time_of_thread() - start, memory, entries }
    });
    thread.unwrap().join().expect("reading never panics")
}

#[track_caller]
fn check(name: &str, document: impl Into<Vec<u8>>) -> Result<usize, ParseError> {
    let document = document.into();
    let size = document.len();
    let cost = read_and_clean(document);
    println!("{name}: {size} bytes, {:?}, {} bytes of memory, {:?}", cost.time, cost.memory, cost.entries);
    assert!(cost.time < MOST_TIME, "{name} took {:?}", cost.time);
    assert!(cost.memory < size * MOST_MEMORY + MEMORY_OF_PARSERS, "{name} of {size} bytes took {} bytes", cost.memory);
    cost.entries
}

fn item(inside: &str) -> String {
    format!(
        r#"<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>t</title><item><title>kept</title><link>http://example.org/1</link>{inside}</item></channel></rss>"#
    )
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + "x" + &close.repeat(depth)
}

#[test]
fn deep_nesting_of_any_element_is_flattened() {
    for (open, close) in [
        ("<media:group>", "</media:group>"),
        ("<media:content>", "</media:content>"),
        ("<itunes:category text=\"a\">", "</itunes:category>"),
        ("<source>", "</source>"),
        ("<author>", "</author>"),
        ("<description>", "</description>"),
        ("<unknown>", "</unknown>"),
        ("<x:y xmlns:x=\"urn:x\">", "</x:y>"),
        ("<div>", "</div>"),
        ("<image>", ""),
        ("<channel>", "</channel>"),
    ] {
        assert_eq!(check(open, item(&nested(open, close, 100_000))), Ok(1));
    }
    for container in ["channel", "rss", "feed", "items", "item", "entry"] {
        let document = nested(&format!("<{container}>"), &format!("</{container}>"), 100_000);
        let _ = check(container, document);
    }
}

#[test]
fn deep_html_is_flattened_before_it_is_parsed() {
    let escaped = |html: &str| item(&format!("<description><![CDATA[{html}]]></description>"));
    for (open, close) in [
        ("<div>", "</div>"),
        ("<div>", ""),
        ("<table><b>", ""),
        ("<table><tr><td>", ""),
        ("<b><p>", ""),
        ("<a href=x>", ""),
        ("<b title=1><i title=2><p>", "</p>"),
        ("<font color=red><p>", "</p>"),
        ("<ul><li>", ""),
        ("<ruby><rt>", ""),
        ("<svg><math>", ""),
        ("<select><option>", ""),
        ("<template>", "</template>"),
        ("<a \"><div>", ""),
        ("<b a='", ""),
    ] {
        let depth = 1_000_000 / (open.len() + close.len());
        assert_eq!(check(open, escaped(&nested(open, close, depth))), Ok(1));
    }
    let xhtml = format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><content type="xhtml">{}</content></entry></feed>"#,
        nested("<div>", "</div>", 90_000)
    );
    assert_eq!(check("xhtml", xhtml), Ok(1));
}

#[test]
fn deep_and_odd_json_is_handled() {
    let feed = |items: &str| format!(r#"{{"version":"https://jsonfeed.org/version/1.1","title":"t","items":{items}}}"#);
    assert_eq!(check("deep arrays", feed(&("[".repeat(500_000) + &"]".repeat(500_000)))), Ok(0));
    assert_eq!(check("deep objects", feed(&(r#"{"a":"#.repeat(200_000) + "1" + &"}".repeat(200_000)))), Ok(1));
    assert_eq!(check("numbers for items", feed(&format!("[{}1]", "1,".repeat(1_000_000)))), Ok(0));
    let items: Vec<String> = (0..100_000).map(|n| format!(r#"{{"id":{n}}}"#)).collect();
    assert_eq!(check("many items", feed(&format!("[{}]", items.join(",")))), Ok(5_000));
    let tags = vec!["\"t\""; 1_000_000].join(",");
    assert_eq!(check("many tags", feed(&format!(r#"[{{"id":1,"tags":[{tags}]}}]"#))), Ok(1));
}

#[test]
fn tags_of_any_size_are_read_in_linear_time() {
    let mut attributes = String::new();
    let mut namespaces = String::new();
    for n in 0..200_000 {
        write!(attributes, " a{n}=\"v\"").unwrap();
        write!(namespaces, " xmlns:n{n}=\"urn:{n}\"").unwrap();
    }
    assert_eq!(check("attributes", item(&format!("<enclosure url='http://example.org/a'{attributes}/>"))), Ok(1));
    assert_eq!(check("namespaces", item(&format!("<enclosure url='http://example.org/a'{namespaces}/>"))), Ok(1));
    assert_eq!(
        check("attributes in HTML", item(&format!("<description><![CDATA[<p{attributes}>x]]></description>"))),
        Ok(1)
    );
    let long = "v".repeat(9 << 20);
    assert_eq!(check("a long attribute", item(&format!("<enclosure url='http://example.org/{long}'/>"))), Ok(1));
    assert_eq!(check("a long text", item(&format!("<description>{long}</description>"))), Ok(1));
    assert_eq!(check("a long name", item(&format!("<{long}/>"))), Ok(1));
    let declared: String = (0..4_000).map(|n| format!("<n{n} xmlns:a{n}=\"urn:{n}\">")).collect();
    assert_eq!(check("namespaces of each other", item(&declared)), Ok(1));
}

#[test]
fn many_small_things_are_bounded() {
    let items = "<item><title>x</title></item>".repeat(100_000);
    assert_eq!(check("items", format!("<rss><channel>{items}</channel></rss>")), Ok(5_000));
    let entries = "<entry/>".repeat(500_000);
    assert_eq!(check("entries", format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{entries}</feed>")), Ok(5_000));
    assert_eq!(check("categories", item(&"<category>c</category>".repeat(300_000))), Ok(1));
    assert_eq!(check("authors", item(&"<author>a</author>".repeat(300_000))), Ok(1));
    assert_eq!(check("enclosures", item(&"<enclosure url='http://example.org/1'/>".repeat(100_000))), Ok(1));
    let unclosed = "<item>".repeat(100_000) + &"</x>".repeat(100_000);
    assert_eq!(check("unclosed items and stray ends", format!("<rss><channel>{unclosed}</channel></rss>")), Ok(5_000));
    let different: String = (0..100_000).map(|n| format!("<enclosure url='http://example.org/{n}'/>")).collect();
    assert_eq!(check("different enclosures", item(&different)), Ok(1));
    assert_eq!(
        check("elements in a field", item(&format!("<description>{}</description>", "<b/>".repeat(1_000_000)))),
        Ok(1)
    );
    assert_eq!(
        check(
            "media in a group",
            item(&format!("<media:group>{}</media:group>", "<media:title>t</media:title>".repeat(100_000)))
        ),
        Ok(1)
    );
    let contents: String = (0..100_000).map(|n| format!("<media:content url='http://example.org/{n}'/>")).collect();
    assert_eq!(check("media files in a group", item(&format!("<media:group>{contents}</media:group>"))), Ok(1));
    let keywords: String = (0..300_000).map(|n| format!("{n},")).collect();
    assert_eq!(check("keywords", item(&format!("<itunes:keywords>{keywords}</itunes:keywords>"))), Ok(1));
    let hours = "<hour>1</hour>".repeat(500_000);
    assert_eq!(check("hours", format!("<rss><channel><skipHours>{hours}</skipHours></channel></rss>")), Ok(0));
}

#[test]
fn endless_constructs_end_soon() {
    for unclosed in [
        "<!--",
        "<![CDATA[",
        "<",
        "<?",
        "<!DOCTYPE",
        "<!",
        "</",
        "<a",
        "<a b='",
        "<a b=\"",
        "<a b=\"<c d='",
        "&",
        "&#",
        "&#x",
        "]]>",
        "<a b=>",
        "<p>",
    ] {
        let many = unclosed.repeat(200_000);
        let _ = check(unclosed, many.clone());
        let _ = check(unclosed, item(&many));
        let _ = check(unclosed, item(&format!("<description>{many}</description>")));
        let _ = check(unclosed, item(&format!("<title>{many}</title>")));
        if !many.contains("]]>") {
            assert_eq!(
                check(
                    unclosed,
                    item(&format!("<description><![CDATA[{many}]]></description><title><![CDATA[{many}]]></title>"))
                ),
                Ok(1)
            );
        }
    }
}

#[test]
fn entities_never_expand_exponentially_and_are_never_fetched() {
    let mut doctype = String::from("<!DOCTYPE rss [<!ENTITY a0 \"lol\">");
    for n in 1..40 {
        write!(doctype, "<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)).unwrap();
    }
    let bomb = format!("{doctype}]><rss><channel><item><title>&a39;</title></item></channel></rss>");
    assert_eq!(check("billion laughs", bomb), Ok(1));
    let external = r#"<!DOCTYPE rss [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&e;</title></item></channel></rss>"#;
    let feed = parse(external.as_bytes(), &Hints::default()).unwrap();
    assert_eq!(normalize::entry(&feed.entries[0], &feed).title, "&e;");
    let quadratic = format!(
        r#"<!DOCTYPE rss [<!ENTITY e "{}">]>{}"#,
        "e".repeat(100_000),
        item(&format!("<description>{}</description>", "&e;".repeat(100_000)))
    );
    assert_eq!(check("quadratic blow-up", quadratic), Ok(1));
    let most = format!(
        r#"<!DOCTYPE rss [<!ENTITY f "{}"><!ENTITY e "&f;&f;">]>{}"#,
        "e".repeat(500),
        item(&format!("<description>{}</description>", "&e;".repeat(100_000)))
    );
    assert_eq!(check("as much as is expanded", most), Ok(1));
}

#[test]
fn documents_that_make_feed_rs_panic_are_read() {
    for author in
        ["foo@example.com（山田太郎）", "名（foo@example.com）", "José «jose@example.com»", "é@é.é", "@", "a@b.c@d.e"]
    {
        let document = item(&format!("<author>{author}</author>"));
        assert_eq!(check(author, document), Ok(1));
    }
    assert_eq!(check("a duration", item(&format!("<itunes:duration>{}</itunes:duration>", "9".repeat(30)))), Ok(1));
    assert_eq!(
        check("a duration in a text", item(&format!("<media:text start=\"{}\">t</media:text>", "9".repeat(30)))),
        Ok(1)
    );
    let late = format!(
        "<!--{}--><?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{}",
        "x".repeat(600),
        item("<author>Jos\u{e9}</author>")
    );
    assert_eq!(check("a late declaration", late), Ok(1));
    let wide: Vec<u8> = item("").encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(check("UTF-16 without a mark", wide), Ok(1));
    assert_eq!(check("a date", item(&format!("<pubDate>{}</pubDate>", "(".repeat(100_000)))), Ok(1));
}

#[test]
fn cost_is_linear_in_the_size() {
    let story = "<item><title>A &amp; B</title><link>http://example.org/1</link><guid>http://example.org/1</guid><description>&lt;p&gt;One &lt;b&gt;two&lt;/b&gt; three.&lt;/p&gt;</description><pubDate>Wed, 20 Dec 2017 06:18:00 +0000</pubDate></item>";
    let cases = [
        ("stories", story),
        ("bare markup", "a < b & c "),
        ("references", "&eacute;&#233;&lt;"),
        ("unclosed tags", "<p><b>x"),
        ("comments", "<!-- x -->"),
        ("sections", "<![CDATA[x]]>"),
    ];
    for (name, unit) in cases {
        check_linear(name, 1 << 20, |bytes| {
            format!("<rss><channel><title>t</title>{}</channel></rss>", unit.repeat(bytes / unit.len()))
        });
    }
}

#[test]
fn cleaned_entries_of_a_large_document_take_a_few_times_its_size() {
    let words: String = (0..350).map(|at| format!("harbour{at} ")).collect();
    let items = (0..1_000).map(|at| {
        format!(
            "<item><title>{at}</title><guid>{at}</guid><description>&lt;p&gt;{words}&lt;/p&gt;</description></item>"
        )
    });
    let document = format!("<rss><channel><title>t</title>{}</channel></rss>", items.collect::<String>());
    let feed = parse(document.as_bytes(), &Hints::default()).unwrap();
    let before = IN_USE.get();
    PEAK.set(before);
    let cleaned = feed.entries.iter().map(|entry| {
        let mut cleaned = Cleaned::new(normalize::entry(entry, &feed), newswire::store::encode_entry);
        cleaned.pack();
        cleaned
    });
    let cleaned: Vec<Cleaned> = cleaned.collect();
    let memory = (PEAK.get() - before).unsigned_abs();
    assert!(memory < 4 * document.len(), "{memory} bytes for a document of {}", document.len());
    // `pack` dropped the wording of the entry. It is computed again, and is the same.
    let again = Cleaned::new(cleaned[7].entry.clone(), newswire::store::encode_entry);
    assert!(cleaned[7].wording().says_the_same(again.wording()));
}

#[test]
fn cost_is_linear_in_the_size_of_one_text() {
    for unit in [
        "words ",
        "&",
        "&amp;",
        "\u{ab}",
        "&nbsp;",
        "<b>x</b>",
        "<p title='&&&&'>",
        "<a href='http://example.org/?&&'>x",
        "<math><msup><mi>x",
        "<mfrac><mrow>",
        "<svg><title>x",
        "<svg>x</svg>",
        "<svg><foreignObject>x</foreignObject></svg><svg>",
        "<iframe src=http://www.youtube.com/embed/x>",
        "<img data-src=a><noscript>",
        "<img src=a><noscript><img src=b></noscript>",
        "<img srcset='a 1x,b 2x,'>",
        "<img src=data: alt=x>",
        "<picture><source srcset=a><img>",
        "<input type=checkbox checked>",
        "\u{92}",
    ] {
        check_linear(unit, 1 << 17, |bytes| {
            item(&format!("<description><![CDATA[<p>{}]]></description>", unit.repeat(bytes / unit.len())))
        });
    }
}

#[test]
fn cost_is_linear_in_the_size_of_one_title() {
    for unit in [
        "<b>",
        "<b>x</b>",
        "</b>",
        "<a b='",
        "<a b=\"",
        "<a b=\"<a b='",
        "<a b='x' c=\"<a b=' ",
        "<a b=\"x\" c=\"",
        "<script>",
        "<!--",
        "<a ",
        "\u{92}",
    ] {
        check_linear(unit, 1 << 17, |bytes| {
            item(&format!("<title><![CDATA[<p>{}]]></title>", unit.repeat(bytes / unit.len())))
        });
    }
}

/// Compares the cost per byte of a document with that of a document eight times as large.
#[track_caller]
fn check_linear(name: &str, bytes: usize, document: impl Fn(usize) -> String) {
    let cost = |bytes: usize| {
        let document = document(bytes).into_bytes();
        (0..3).map(|_| read_and_clean(document.clone()).time).min().unwrap().as_secs_f64() / bytes as f64
    };
    let (small, large) = (cost(bytes), cost(8 * bytes));
    println!("{name}: {:.1} and {:.1} ns a byte", small * 1e9, large * 1e9);
    // If the cost were quadratic, the large document would cost eight times as much per byte. Disturbances, such as a
    // full cache, may double the measured cost.
    assert!(large < small * 4.0, "{name}: {large} s a byte at {} bytes, {small} at {bytes}", 8 * bytes);
}
