//! How untrusted HTML, text and URLs are cleaned.

use newswire::normalize::{Byline, clean_url, cut_summary, plain_text, sanitize, split_byline, word_count};
use proptest::prelude::*;
use url::Url;

fn base() -> Url {
    Url::parse("https://base.example/dir/page?q").unwrap()
}

#[track_caller]
fn check(html: &str, expected: &str) {
    let clean = sanitize(html, Some(&base()));
    assert_eq!(clean, expected, "{html}");
    assert_eq!(sanitize(&clean, None), clean, "sanitizing again changes nothing: {html}");
}

#[test]
fn sound_html_stays_unchanged() {
    for html in [
        "",
        "words",
        "<p>One <b>two</b> <em>three</em>.</p>",
        "<ul><li>a</li><li>b</li></ul>",
        "<blockquote cite=\"https://a.example/\">q</blockquote>",
        "<h4>Head</h4><hr><pre>a\n  b</pre>",
        "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>",
        "<figure><img src=\"https://a.example/i.png\" alt=\"&quot;x&quot;\" width=\"640\" height=\"480\"><figcaption>c</figcaption></figure>",
        "<video src=\"https://a.example/v.mp4\" controls=\"\"></video>",
        "a &lt; b &amp; c&nbsp;d",
        "<a href=\"mailto:a@b.example\">mail</a>",
    ] {
        check(html, html);
    }
}

#[test]
fn active_content_is_removed() {
    check("a<script>alert(1)</script>b", "ab");
    check("a<SCRIPT SRC=//x></SCRIPT >b<style>*{}</style>c", "abc");
    check("<p onclick=\"x\" style='y' id=z class=q>t</p>", "<p>t</p>");
    check("<img src=x onerror=alert(1)>", "<img src=\"https://base.example/dir/x\">");
    check("<a href=\"javascript:alert(1)\">t</a>", "<a>t</a>");
    check("<a href=\" java\nscript:alert(1)\">t</a>", "<a>t</a>");
    check("<a href=\"&#106;avascript&#58;alert(1)\">t</a>", "<a>t</a>");
    check("<a href=\"JaVaScRiPt://youtube.com/%0Aalert(1)\">t</a>", "<a>t</a>");
    check("<img src=\"data:image/png;base64,xx\">", "");
    check("<iframe src=\"https://x\" srcdoc=\"<script>x</script>\"></iframe>t", "<a href=\"https://x/\">x</a>t");
    check("<svg><script>x</script><a href=\"javascript:x\">t</a></svg>", "[🖼 t]");
    check("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "<table></table>");
    check("<form action=x><input name=a><button formaction=javascript:x>b</button></form>", "b");
    check("<object data=\"javascript:x\"><embed src=\"data:text/html,y\">t</object>", "t");
    check("<base href=\"https://evil.example/\"><meta http-equiv=refresh content=0><link rel=stylesheet href=x>t", "t");
    check(
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<p title=\"&lt;/noscript&gt;&lt;img src=x onerror=alert(1)&gt;\"></p>",
    );
    check("<textarea><script>alert(1)</script></textarea>t", "t");
    check("<!--[if IE]><script>x</script><![endif]-->t<!-- <p> -->", "t");
    check("<template><p>t</p></template><xmp><b>x</b></xmp>", "<p>t</p><b>x</b>");
    check(
        "<video poster=\"javascript:x\"><source src=\"ftp://x/y\" type=\"video/mp4\"></video>",
        "<video><source type=\"video/mp4\"></video>",
    );
}

#[test]
fn broken_html_becomes_well_formed() {
    check("<p>a<p>b", "<p>a</p><p>b</p>");
    check("<b>a<p>b</b>c", "<b>a<p>b</p></b>c");
    check("</p></b>a</div>", "a");
    check("<li>a<li>b", "<li>a</li><li>b</li>");
    check("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>");
    check(
        "<a href=1>a<a href=2>b",
        "<a href=\"https://base.example/dir/1\">a</a><a href=\"https://base.example/dir/2\">b</a>",
    );
    check("1 < 2 && 3 > 2 <3", "1 &lt; 2 &amp;&amp; 3 &gt; 2 &lt;3");
    check("<p title='a \"b\" <c>'>t", "<p title=\"a &quot;b&quot; &lt;c&gt;\">t</p>");
    check("<br/>a<br></br>b", "<br>a<br>b");
    check("<pre>\n\nx</pre>", "<pre>\n\nx</pre>");
    check("<table>\u{b}<tr><td>x</table>", "<table><tbody><tr><td>\u{b}</td></tr><tr><td>x</td></tr></tbody></table>");
    check("caf&eacute; &copy 2017 &#146;&unknown;", "café © 2017 ’&amp;unknown;");
    check("<p>cut <b", "<p>cut </p>");
}

#[test]
fn control_characters_are_read_as_windows_1252() {
    check("don\u{92}t \u{93}quote\u{94} \u{80}5 \u{85}", "don’t “quote” €5 …");
    check("<p title=\"it\u{92}s\">a\u{81}b</p>", "<p title=\"it’s\">ab</p>");
    check("<p>&#146;&#x93;</p>", "<p>’“</p>");
}

#[test]
fn urls_become_absolute() {
    check("<a href=\"/x?a=1&amp;b=2\">t</a>", "<a href=\"https://base.example/x?a=1&amp;b=2\">t</a>");
    check("<img src=\"//c.example/i.png\">", "<img src=\"https://c.example/i.png\">");
    check(
        "<img srcset=\"a.png 1x, /b,c.png 2x,\n https://d.example/e.png 300w, javascript:x 3x\">",
        "<img src=\"https://base.example/dir/a.png\" srcset=\"https://base.example/dir/a.png 1x, https://base.example/b,c.png 2x, https://d.example/e.png 300w\">",
    );
    assert_eq!(sanitize("<a href=\"/x\">t</a>", None), "<a>t</a>", "without a base a relative URL is dropped");
}

#[test]
fn a_frame_becomes_a_link_with_its_picture() {
    let video = |title: &str| {
        format!(
            "<figure><a href=\"https://www.youtube.com/watch?v=dQw4w9WgXcQ\"><img src=\"https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg\" alt=\"{title}\"></a></figure>"
        )
    };
    let frame = |attributes: &str| format!("<figure><iframe {attributes}></iframe></figure>");
    check(&frame("src=\"https://www.youtube.com/embed/dQw4w9WgXcQ\""), &video("www.youtube.com"));
    check(
        &frame("title='A &lt;b&gt;' src=\"//www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0\""),
        &video("A &lt;b&gt;"),
    );
    check(&frame("src=about:blank data-src=https://www.youtube.com/embed/dQw4w9WgXcQ"), &video("www.youtube.com"));
    check("<figure><lite-youtube videoid=dQw4w9WgXcQ title=t></lite-youtube></figure>", &video("t"));
    check(
        "<iframe src=https://player.vimeo.com/video/1?h=2></iframe>",
        "<a href=\"https://vimeo.com/1\">player.vimeo.com</a>",
    );
    check("<iframe src=/map title=Map></iframe>", "<a href=\"https://base.example/map\">Map</a>");
    check(
        "<object data=https://a.example/v.swf><embed src=https://a.example/v.swf></object>",
        "<a href=\"https://a.example/v.swf\">a.example</a>",
    );
    // A frame of size zero is invisible, so it is removed.
    check("a<iframe src=https://t.example/ns.html width=0 height=0></iframe>", "a");
    check("<iframe src='javascript:alert(1)' data-src='data:text/html,x'></iframe>", "");
    check(
        "<iframe src='https://www.youtube.com/embed/x\"onerror=y'></iframe>",
        "<a href=\"https://www.youtube.com/embed/x%22onerror=y\">www.youtube.com</a>",
    );
    check("<lite-youtube videoid='\"><script>alert(1)</script>'></lite-youtube>", "");
    check("<lite-youtube videoid='javascript:alert(1)'></lite-youtube>", "");
    check(
        "<iframe src=https://w.soundcloud.com/player/?url=javascript:x></iframe>",
        "<a href=\"https://w.soundcloud.com/player/?url=javascript:x\">w.soundcloud.com</a>",
    );
}

#[test]
fn a_picture_loaded_by_a_script_gets_its_address() {
    let real = "<img src=\"https://base.example/r.jpg\" alt=\"A\">";
    check("<img src=\"data:image/gif;base64,R0\" data-src=\"/r.jpg\" alt=\"A\">", real);
    check("<img data-lazy-src=\"/r.jpg\" alt=\"A\">", real);
    check("<img src=\"/blank.gif\" data-src=\"/r.jpg\" alt=\"A\">", real);
    check("<img src=\"/r.jpg\" data-url=\"/other\" alt=\"A\">", real);
    check(
        "<img src=\"data:x\" data-src=\"/r.jpg\" alt=\"A\"><noscript><img src=\"/r.jpg\" alt=\"A\"></noscript>",
        real,
    );
    check("<img src=\"/blank.gif\" alt=\"\">\n<noscript><img src=\"/r.jpg\" alt=\"A\"></noscript>", real);
    check("<noscript><img src=\"/r.jpg\" alt=\"A\"></noscript><img data-src=\"/r.jpg\" alt=\"A\">", real);
    check("<noscript>a<img src=\"/r.jpg\" alt=\"A\"></noscript>", &format!("a{real}"));
    check(
        "<img data-srcset=\"/r.jpg 1x, /s.jpg 2x\" alt=\"A\">",
        "<img src=\"https://base.example/r.jpg\" srcset=\"https://base.example/r.jpg 1x, https://base.example/s.jpg 2x\" alt=\"A\">",
    );
    check(
        "<picture><source data-srcset=\"/r.jpg\"><img alt=\"A\"></picture>",
        &format!("<picture><source srcset=\"https://base.example/r.jpg\">{real}</picture>"),
    );
    // A picture without a usable address is replaced by its description. Quotes in an address are encoded.
    check("<p><img src=\"data:x\" alt=\"A chart\"> b</p>", "<p>A chart b</p>");
    check("<img src=\"data:x\" data-src=\"javascript:alert(1)//.\" alt='<script>'>", "");
    check("<img data-src='{\"a\":\"/b.c\"}'>", "");
    check(
        "<img src=x data-src='/y\" onerror=\"alert(1)'>",
        "<img src=\"https://base.example/y%22%20onerror=%22alert(1)\">",
    );
}

#[test]
fn a_formula_keeps_its_meaning() {
    check(
        "<p>So <math><msup><mi>e</mi><mrow><mi>k</mi><mi>t</mi></mrow></msup></math> grows</p>",
        "<p>So e<sup>kt</sup> grows</p>",
    );
    check("<math><msub><mi>H</mi><mn>2</mn></msub><mi>O</mi></math>", "H<sub>2</sub>O");
    check("<math>\n <msubsup>\n <mi>x</mi> <mi>i</mi> <mn>2</mn>\n </msubsup>\n</math>", "x<sub>i</sub><sup>2</sup>");
    check("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac></math>", "(a+b)/c");
    check("<math><msqrt><mi>x</mi></msqrt><mroot><mi>y</mi><mn>3</mn></mroot></math>", "√(x)y<sup>1/3</sup>");
    check("<math><munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover></math>", "∑<sub>i</sub><sup>n</sup>");
    check("<math><msub><mrow/><mn>2</mn></msub><mi>x</mi></math>", "<sub>2</sub>x");
    check(
        "<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd></mtr></mtable></math>",
        "1, 2; 3",
    );
    check(
        "<span class=katex><span class=katex-mathml><math><semantics><mrow><msup><mi>e</mi><mi>x</mi></msup></mrow><annotation encoding=\"application/x-tex\">e^x</annotation></semantics></math></span><span class=katex-html aria-hidden=true><span>e</span><span>x</span></span></span> b",
        "<span><span>e<sup>x</sup></span></span> b",
    );
    check("<math><semantics><annotation encoding=\"application/x-tex\">e^x</annotation></semantics></math>", "e^x");
    check("<mml:math><mml:msup><mml:mi>e</mml:mi><mml:mi>x</mml:mi></mml:msup></mml:math>", "e<sup>x</sup>");
    // Browsers move HTML elements such as `<p>` out of a formula.
    check("<math><mi>a<p>b</p><msup>c", "a<p>b</p>c");
    check(
        "<math><mtext><script>alert(1)</script><img src=x onerror=alert(1)></mtext></math>",
        "<img src=\"https://base.example/dir/x\">",
    );
    check(
        "<math><annotation-xml encoding=\"text/html\"><style><img src=x onerror=alert(1)></style></annotation-xml></math>",
        "",
    );
    check(
        "<math href=\"javascript:alert(1)\"><maction actiontype=statusline xlink:href=\"javascript:alert(1)\">x</maction></math>",
        "x",
    );
}

#[test]
fn a_drawing_becomes_its_title() {
    check("a <svg viewBox=\"0 0 9 9\"><title>Rates &amp; <b></title><path d=\"M0\"/></svg> b", "a [🖼 Rates &amp;] b");
    check("<svg role=img aria-label=\"Rates\"><text>1</text></svg>", "[🖼 Rates]");
    check("<svg><text>Jan</text> <text>Feb</text><style>*{}</style></svg>", "[🖼 Jan Feb]");
    check("<svg width=640><path d=\"M0\"/></svg>", "[🖼]");
    check("<p>a<svg/>b<svg>c", "<p>abc</p>");
    check("<a href=/x><svg width=16><title>Share</title></svg></a>", "<a href=\"https://base.example/x\">Share</a>");
    check("<a href=/x><svg><path/></svg>t</a>", "<a href=\"https://base.example/x\">t</a>");
    check("<svg><svg><title>A</title></svg></svg>b", "[🖼 A]b");
    check("<svg><foreignObject><p>Step</p></foreignObject></svg>b", "[🖼 Step]b");
    check("<svg><path/><p>c</p></svg>", "[🖼]<p>c</p>");
    for attack in [
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<svg><animate onbegin=alert(1) attributeName=x></animate><set attributeName=href to=javascript:alert(1)></set></svg>",
        "<svg><use href=\"data:image/svg+xml,<svg id=x onload=alert(1)>#x\"/></svg>",
        "<svg><image href=https://t.example/p.gif /></svg>",
        "<svg><desc><![CDATA[</desc><script>alert(1)</script>]]></desc></svg>",
        "<svg></p><style><a title=\"</style><img src=x onerror=alert(1)>\"></style></svg>",
    ] {
        let clean = sanitize(attack, Some(&base()));
        for forbidden in ["<s", "<use", "<a", "onload", "onbegin", "onerror", "javascript:", "data:"] {
            assert!(!clean.contains(forbidden), "{attack}: {clean}");
        }
    }
}

#[test]
fn a_check_box_becomes_a_character() {
    check(
        "<ul><li><input type=\"checkbox\" disabled checked> done</li><li><input type=checkbox disabled> to do</li></ul>",
        "<ul><li>☑ done</li><li>☐ to do</li></ul>",
    );
    check("<input type=text value=x><input>", "");
}

#[test]
fn tracking_is_removed() {
    check("t<img src=\"https://t.example/p.gif\" width=1 height='1'>", "t");
    check("t<img height=0 width=0px src=https://t.example/p.gif>", "t");
    check(
        "<a href=\"https://a.example/x?utm_source=f&amp;id=1&amp;fbclid=2#top\">t</a>",
        "<a href=\"https://a.example/x?id=1#top\">t</a>",
    );
    let clean = |url: &str| clean_url(url, None).map(String::from);
    assert_eq!(clean("http://a.example/?utm_source=x").as_deref(), Some("http://a.example/"));
    assert_eq!(clean(" http://a.example/?b=1&amp;c=2 ").as_deref(), Some("http://a.example/?b=1&c=2"));
    for url in
        ["javascript:alert(1)", "data:text/html,x", "/relative", "", "http://", "ftp://a.example/x", "java\tscript:x"]
    {
        assert_eq!(clean(url), None, "{url}");
    }
}

#[test]
fn plain_text_has_the_words_and_line_breaks_of_the_page() {
    let check = |html: &str, expected: &str| assert_eq!(plain_text(html), expected, "{html}");
    check("<p>One <b>two</b>\n  three.</p><p>Four<br>five</p>", "One two three.\nFour\nfive");
    check("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc");
    check("<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>", "a b");
    check("AT&amp;T &lt;b&gt;&nbsp;x", "AT&T <b> x");
    check("un<em>believ</em>able", "unbelievable");
}

#[test]
fn words_are_counted_in_scripts_with_and_without_spaces() {
    let check = |text: &str, expected: usize| assert_eq!(word_count(text), expected, "{text}");
    check("", 0);
    check("One two, three – it's well-known.", 5);
    check("日本語の文章です", 4);
    check("한국어 문장 입니다", 3);
    check("Rust 言語", 2);
}

#[test]
fn summary_is_cut_at_a_sentence_else_at_a_word() {
    let check =
        |html: &str, max_chars: usize, expected: &str| assert_eq!(cut_summary(html, max_chars), expected, "{html}");
    check("<p>Short.</p>", 100, "Short.");
    check("<p>One two three. Four five six seven eight.</p>", 24, "One two three.");
    check("<p>One two three four five six.</p>", 16, "One two three…");
    check("<p>A. Bcdefghijk lmnopqrst uvw</p>", 20, "A. Bcdefghijk…");
    check("長い文章です。次の文章はもっと長いのです。", 10, "長い文章です。");
    check("Unbreakableword", 8, "Unbreak…");
}

#[test]
fn byline_is_split_into_author_via_and_source() {
    let check = |written: &str, author: &str, via: &str, source: &str| {
        let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let expected = Byline { author: part(author), via: part(via), source: part(source) };
        assert_eq!(split_byline(written), Some(expected), "{written}");
    };
    check("by Darius Shahtahmasebi via gail - Anti-Media", "Darius Shahtahmasebi", "gail", "Anti-Media");
    check("Ada via gail — The Source", "Ada", "gail", "The Source");
    check("Ada VIA gail", "Ada", "gail", "");
    check("via gail - S", "", "gail", "S");
    check("By Ada -- The Source", "Ada", "", "The Source");
    check("by Ada", "Ada", "", "");
    for name in ["Ada Lovelace", "Jean-Luc via", "Byron Viaduct", "Reuters - World desk", "Olivia", ""] {
        assert_eq!(split_byline(name), None, "{name}");
    }
}

#[test]
fn deeply_nested_html_is_unchanged_by_sanitizing_again() {
    for depth in 90..110 {
        for inside in ["<table>a<h3>b</h3>", "<table><td>a<td><p>b</table>c", "<table><tr></table>", "<table><col>a"] {
            let html = format!("{}{inside}", "<q>".repeat(depth));
            let once = sanitize(&html, None);
            assert_eq!(sanitize(&once, None), once, "{depth} {inside}");
        }
    }
}

/// Returns random sequences of pieces of markup that are dangerous in combination.
fn markup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<a href=x>",
        "</a>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<pre>\n",
        "</pre>",
        "<li>",
        "<ul>",
        "</ul>",
        "<svg>",
        "<math>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<img src=a ",
        "onerror=b",
        ">",
        "\"",
        "'",
        "=",
        "<",
        "/",
        "&",
        "&lt;",
        "&amp;",
        "&nbsp;",
        "\u{b}",
        "&#",
        ";",
        "text",
        "\u{feff}",
        "width=1",
        "height=",
        "<img width='1&#0;' height=1 src=a>",
        " ",
        "\n",
        "\u{a0}",
        "\0",
        "é",
        "日",
        "<h1>",
        "<dd>",
        "<dt>",
        "<ruby><rt>",
        "<textarea>",
        "<select>",
        "<template>",
        "<object>",
        "</object>",
        "<caption>",
        "<col>",
        "<br>",
        "</br>",
        "<details>",
        "<picture><source srcset='a 1x, b 2x'>",
        "<form>",
        "<noscript>",
        "<iframe>",
        "<title>",
        "<plaintext>",
        "<i title='",
        "<code>",
        "<small>",
        "<h2>",
        "</h1>",
        "<thead>",
        "<th>",
        "<blockquote>",
        "<math><msup>",
        "<mi>",
        "</mi>",
        "<mrow/>",
        "<mfrac>",
        "</math>",
        "<annotation>",
        "</svg>",
        "<foreignObject>",
        "<iframe src='//youtube.com/embed/x' title='",
        "<iframe src=x>",
        "<input type=checkbox checked>",
        "<img data-src=y>",
        "<img src='data:x' alt='<'>",
        "<img srcset='a,b 1x,c'>",
        "</noscript>",
        "<span class=katex-html>",
        "<picture>",
        "\u{92}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sanitizing_again_changes_nothing(html in markup()) {
        let once = sanitize(&html, Some(&base()));
        prop_assert_eq!(&sanitize(&once, None), &once);
        let lower = once.to_lowercase();
        for forbidden in ["<script", "<style", "<svg", "<math", "<iframe", "<msup", "<input", "<embed", "<form", "<object", "<select", "<template", "<noscript", " onerror="] {
            let in_tag = lower.match_indices(forbidden).any(|(at, _)| forbidden.starts_with('<') || lower[..at].rfind('<') > lower[..at].rfind('>'));
            let in_value = lower.contains('"');
            prop_assert!(!in_tag || in_value, "{}", once);
        }
    }

    #[test]
    fn any_input_gives_plain_text_and_a_summary_within_the_limit(html in "\\PC{0,200}", max_chars in 0usize..50) {
        let clean = sanitize(&html, None);
        let text = plain_text(&clean);
        prop_assert!(word_count(&text) <= text.chars().count());
        prop_assert!(cut_summary(&clean, max_chars).chars().count() <= max_chars.max(1));
        split_byline(&html);
        clean_url(&html, Some(&base()));
    }
}
