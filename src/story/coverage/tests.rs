//! Tests which pairs of texts are one story, and which are not.

use super::super::Wording;
use crate::entry::Entry;
use crate::text::PlainText;

fn check(title: [&str; 2], html: [&str; 2], expected: bool) {
    let [one, other] = [0, 1].map(|at| {
        let json = serde_json::json!({ "guid": { "value": "1", "kind": "guid" }, "title": title[at],
            "content_html": html[at] });
        let entry: Entry = serde_json::from_value(json).unwrap();
        Wording::of(&entry.title, &PlainText::of(&entry))
    });
    assert_eq!(one.same_text(&other, 0.6).is_some(), expected, "{title:?} {html:?}");
    assert_eq!(other.same_text(&one, 0.6).is_some(), expected, "{title:?} {html:?}");
}

const TITLE: &str = "Storm jolts Ashport quay";
const OPENING: &str = "A storm jolted the old quay in Ashport on Friday and tore 14 boats from their moorings.";
const ROOFS: &str =
    "Roofs along Tanner Street were stripped, said fire chief Ellen Marsh, and 230 people slept in a school.";
const CRANES: &str =
    "The cranes of the coal pier stood still until noon because their operators could not see the water.";
const COST: &str = "Harbour master Owen Reed put the damage at 3 million pounds.";
const BRIDGE: &str = "The bridge to the island was shut for the first time since 1987.";

#[test]
fn article_with_a_new_first_sentence_is_recognised_and_comments_and_follow_ups_are_not() {
    let rest = "<p>The harbour master, Ruth Penhale, said the ropes had been checked the day before. Divers from \
        Holmby will look for the anchors next week. The fish market stays closed until its floor is dry.</p>";
    let with = |opening: &str| format!("<p>{opening}</p>{rest}");
    let first =
        with("A storm tore 14 boats from the quay at Ashport on Friday and pushed two of them into the market.");
    let check = |opening: &str, expected: bool| {
        check([TITLE; 2], [&first, &with(opening)], expected);
    };
    check("At Ashport, 14 boats broke loose from the quay in a storm on Friday, and two landed in the market.", true);
    check("On 9 January, boats broke loose at Ashport: a storm pushed two of 14 from the quay into the market.", true);
    check("We have said for years that nobody looks after these moorings, and now everybody can see it.", false);
    check("Insurers refused on Monday to pay 900 owners, because warnings had come 6 hours before.", false);
    let arabic = |opening: &str| {
        format!(
            "<p>{opening}</p><p>وقالت مديرة الميناء رؤى حداد إن الحبال فحصت قبل يوم. وسيبحث غواصون من الحي القديم \
             عن المراسي في الأسبوع المقبل. ويبقى سوق السمك مغلقا ٣ أيام حتى تجف أرضه.</p>"
        )
    };
    let same = "انفصل ١٤ قاربا عن رصيف الميناء في عاصفة يوم الجمعة ودخل قاربان سوق السمك.";
    let title = "عاصفة تهز رصيف الميناء";
    super::tests::check([title; 2], [&arabic(same), &arabic(&same.replace("١٤", "14")).replace('٣', "3")], true);
    super::tests::check([title; 2], [&arabic(same), &arabic(&same.replace("١٤", "19")).replace('٣', "5")], false);
}

#[test]
fn opening_that_says_the_same_is_recognised_under_another_headline_and_a_follow_up_is_not() {
    let rest = [ROOFS, CRANES, COST].map(|sentence| format!("<p>{sentence}</p>")).concat();
    let title = [TITLE, "Moorings break: what happened to the boats?"];
    let check = |opening: &str, rest: &str, expected: bool| {
        let first = format!("<p>{OPENING}</p>{}", [ROOFS, CRANES, COST].map(|it| format!("<p>{it}</p>")).concat());
        check(title, [&first, &format!("<p>{opening}</p>{rest}")], expected);
    };
    let retold = "On Friday, 14 boats broke from their moorings at the old quay in Ashport when a storm hit it.";
    check(retold, &rest, true);
    check(retold, "", false);
    // An opening with a few names of the first report that says something else.
    let news = "Divers from Holmby began to raise the boats in Ashport, and the insurers, who had refused to pay, agreed to \
        bear the costs of the moorings after long talks with their owners and the minister.";
    check(news, &rest, false);
    let other = |text: &str| text.replace("14 boats", "19 boats");
    super::tests::check(title, [&format!("{OPENING} {COST}"), &format!("{} {COST}", other(retold))], false);
}

#[test]
fn lines_before_a_text_are_bylines_and_several_sentences_are_a_follow_up() {
    let report = [OPENING, ROOFS, CRANES, COST].map(|sentence| format!("<p>{sentence}</p>")).concat();
    let title = [TITLE, "Harbour master of Ashport resigns"];
    let check = |heads: &str, expected: bool| check(title, [&report, &format!("{heads}{report}")], expected);
    check("<p>Ellen Hart, staff reporter</p><p>First in the Ashport Lantern</p>", true);
    check(
        "<p>The harbour master has left his office for good.</p><p>A deputy takes over until the board meets.</p>",
        false,
    );
}

#[test]
fn not_in_other_words_is_an_editors_and_not_added_is_a_denial() {
    let text = [OPENING, ROOFS, CRANES, COST, BRIDGE].join(" ");
    let check = |from: &str, to: &str, expected: bool| check([TITLE; 2], [&text, &text.replace(from, to)], expected);
    check("stood still until", "did not move until", true);
    check("were stripped", "were not stripped", false);
    check("put the damage", "did not put the damage", false);
}

#[test]
fn noun_for_a_noun_is_an_editors_in_german_and_another_name_is_another_event() {
    let title = ["Sturm reißt in Aschhafen Boote vom Kai"; 2];
    let text = "Ein Sturm hat am Samstag in Aschhafen 14 Boote vom alten Kai gerissen. Auf den Dächern der Gerberstraße fehlen \
        Ziegel, 230 Menschen schliefen in der Schule. Die Kräne am Kohlepier standen bis zum Mittag still. Der Hafenmeister \
        Jonas Ried schätzt den Schaden auf 3 Millionen Euro. Die Brücke zur Insel war zum ersten Mal seit 1987 gesperrt.";
    // A form that is filled again is as long as before, and this copy is cut.
    let cut = &text[..text.find(" Die Brücke").unwrap()];
    let check = |from: &str, to: &str, expected: bool| check(title, [text, &cut.replace(from, to)], expected);
    check("Ziegel", "Schindeln", true);
    check("Samstag", "Sonnabend", true);
    check("Jonas Ried", "Jonas Lauer", false);
    check("14 Boote", "16 Boote", false);
}

#[test]
fn day_of_the_month_stands_for_a_chinese_weekday_whose_characters_recur() {
    let title = ["老码头的渔船被风暴吹走"; 2];
    let text = "风暴周一在灰港一处老码头吹走14条渔船，无人受伤。港务长林远说，损失约300万元。通往岛上的桥自1987年以来第一次封闭。";
    let check = |day: &str, expected: bool| check(title, [text, &text.replace("周一", day)], expected);
    check("9日", true);
    check("3月9日", true);
    check("周三", false);
}

#[test]
fn parts_of_a_series_and_corrections_are_not_the_article() {
    let text = |sentences: [&str; 3]| sentences.map(|sentence| format!("<p>{sentence}</p>")).concat();
    let (one, other) = (text([OPENING, ROOFS, CRANES]), text([OPENING, ROOFS, COST]));
    let check = |title: [&str; 2], expected: bool| check(title, [&one, &other], expected);
    let title = "Storm jolts the old quay in Ashport";
    check([title; 2], true);
    for parts in [["(1/2)", "(2/2)"], ["(part 1)", "(part 2)"], ["– page 1", "– page 2"]] {
        check([&format!("{title} {}", parts[0]), &format!("{title} {}", parts[1])], false);
    }
    let notice = format!("<p>We gave a wrong name in this report. It is right online.</p><p>{OPENING}</p>");
    super::tests::check([title, &format!("Correction: {title}")], [&one, &notice], false);
    super::tests::check([title, &format!("Correction: {title}")], [&one, &one], true);
}

#[test]
fn copy_moves_cuts_and_rewords_sentences() {
    let text = [OPENING, ROOFS, CRANES, COST, BRIDGE].join(" ");
    let moved = format!("<p>By Jane Hill</p><p>{OPENING} {BRIDGE}</p><p>{COST} {ROOFS}</p><p>More on this storm</p>");
    check([TITLE; 2], [&text, &moved], true);
    let edited = text.replace("jolted", "shook").replace("stood still", "were idle").replace("was shut", "closed");
    check([TITLE; 2], [&text, &edited], true);
    check([TITLE, "Ashport: 230 sleep in a school after the storm on the quay"], [&text, &edited], true);
    // One other word in a text of so many facts is an editor's, whatever the headlines are.
    let telling = "Storm jolts old quay in Ashport and tears 14 boats from their moorings";
    let shaken = text.replace("jolted", "shook");
    check([telling; 2], [&text, &shaken], true);
    check([TITLE, "Ashport: 230 sleep in a school after the storm on the quay"], [&text, &shaken], true);
    // Not if both headlines have the word: then it is the blank of a form.
    let [one, other] = ["Storm jolts: quay in Ashport jolted", "Ashport shook: 230 sleep in a school on the quay"];
    check([one, other], [&text, &shaken], false);
    // A headline over the same text that says nothing of it may be that of a column.
    check(["Views from here", "All you need to know"], [&text, &edited], false);
}

#[test]
fn dates_and_lists_of_other_articles_are_the_houses() {
    let text = |date: &str, list: &str| {
        format!("<p>{}</p><p>{ROOFS} {CRANES}</p>{list}", OPENING.replace("on Friday", &format!("on {date}")))
    };
    let list = "<p>Read also</p><p>19 cases of measles in Millbay, says the board of health</p><p>Strike on 7 May</p>";
    check([TITLE; 2], [&text("9 October", ""), &text("09/10", "")], true);
    check([TITLE; 2], [&text("9 October", ""), &text("10/10", "")], false);
    check([TITLE; 2], [&text("9 October", &format!("<p>{COST}</p>")), &text("9 October", list)], true);
}

#[test]
fn another_event_in_the_same_words_has_other_facts() {
    let text = [OPENING, ROOFS, CRANES, COST].join(" ");
    let check = |from: &str, to: &str, expected: bool| check([TITLE; 2], [&text, &text.replace(from, to)], expected);
    // With so many facts in common, another word is an editor's.
    check("jolted", "hit", true);
    // But not if it is replaced everywhere, as in a form.
    let [one, other] = ["jolted", "missed"].map(|verb| {
        let again = format!("The storm {verb} the quay twice in one night, the harbour board said.");
        format!("{} {again}", text.replace("jolted", verb))
    });
    super::tests::check([TITLE; 2], [&one, &other], false);
    check("14 boats", "16 boats", false);
    check("Friday", "Monday", false);
    check("in Ashport on", "in Millbay on", false);
    check("could not see", "could see", false);
    // A number may be left out.
    check("14 boats", "boats", true);
}

#[test]
fn follow_up_begins_with_what_is_new() {
    let first = [OPENING, ROOFS, CRANES, COST].join(" ");
    let news = "Divers have begun to raise the boats that sank in Ashport, the harbour board said.";
    let follow_up = [news, OPENING, ROOFS, CRANES].join(" ");
    check([TITLE, "Ashport quay: divers raise boats after storm"], [&first, &follow_up], false);
    check([TITLE; 2], [&first, &[OPENING, ROOFS, CRANES].join(" ")], true);
}

#[test]
fn two_short_sentences_before_the_first_report_are_a_follow_up() {
    let check = |heads: &str, expected: bool| {
        let text = format!("<p>{heads} {OPENING} {ROOFS}</p>");
        check([TITLE, "Ashport: harbour master arrested"], [&[OPENING, ROOFS, CRANES].join(" "), &text], expected);
    };
    check("", true);
    check("Owen Reed has been arrested. Police suspect that he forged a report.", false);
    check("Festgenommen wurde der Hafenmeister. Er soll ein Gutachten gefälscht haben.", false);
    check("By Jane Hill.", true);
}

#[test]
fn cut_text_with_facts_is_recognised_under_a_headline_that_says_something_else() {
    let whole = [OPENING, ROOFS, CRANES, COST, BRIDGE].join(" ");
    let check = |cut: &str, expected: bool| check([TITLE, "A night to remember"], [&whole, cut], expected);
    check(&[OPENING, ROOFS].join(" "), true);
    // An advertisement or a recipe is whole under every headline, and has few numbers and names.
    let recipe = "Wash and chop the vegetables, fry the onions until they are golden, add everything else and let it \
                  simmer for an hour, then season with salt, and serve it with bread and a green salad.";
    super::tests::check(["Soup of the week", "For cold nights"], [recipe, &format!("{recipe} {COST}")], false);
    // The first report in other facts is another event.
    check(&[OPENING, ROOFS].join(" ").replace("14", "15"), false);
}

#[test]
fn numbers_count_twice_in_a_script_that_has_no_capitals_for_names() {
    let check = |title: [&str; 2], text: &str, rest: &str, expected: bool| {
        check(title, [text, &format!("{text}{rest}")], expected);
    };
    let (opening, rest) = (
        "أعلن مجلس الميناء يوم الثلاثاء أن الرصيف القديم سيفتح للمشاة في أبريل بعد إصلاحات كلفت 14 مليون دينار.",
        " ورحب الصيادون بالقرار في قاعة البلدية. وقالت الرئيسة إن العمال سيبدأون بالجدار الشمالي قبل الربيع.",
    );
    check(["الرصيف القديم يفتح للمشاة في أبريل", "عودة المشاة إلى الرصيف القديم في الميناء"], opening, rest, true);
    let without = opening.replace("يوم الثلاثاء ", "").replace(" في أبريل", "").replace(" 14 مليون", "");
    check(["الرصيف القديم يفتح للمشاة", "عودة المشاة إلى الرصيف القديم في الميناء"], &without, rest, false);
}

#[test]
fn summary_is_found_behind_its_marks_and_cut_within_a_word() {
    let text = [OPENING, ROOFS, CRANES, COST].join(" ");
    for summary in [
        "From the Ashport Lantern: A storm jolted the old quay in Ashport on Friday and tore 14 boats from their moo…",
        "ASHPORT (AP) – A storm jolted the old quay in Ashport on Friday and tore 14 boats from their moorings. Roofs along \
         Tanner Street were stripped, said fire chief Ellen Ma... Read more",
    ] {
        check([TITLE; 2], [&text, summary], true);
    }
    let other =
        "From the Ashport Lantern: A storm jolted the old quay in Ashport on Friday and tore 15 boats from their moo…";
    check([TITLE; 2], [&text, other], false);
}

#[test]
fn gallery_is_not_the_article_whose_first_sentence_it_repeats() {
    let article = [OPENING, ROOFS, CRANES, COST].join(" ");
    let gallery = format!("<p>{OPENING}</p><p>The quay at dawn.</p><p>Boats on Tanner Street.</p>");
    check([TITLE, &format!("In pictures: {TITLE}")], [&article, &gallery], false);
    check([TITLE; 2], [&article, &gallery], true);
    // The whole text with a film above it is the article.
    check([TITLE, &format!("{TITLE} (video)")], [&article, &article], true);
}

#[test]
fn sentences_are_compared_in_scripts_without_spaces() {
    let title = ["古い岸壁、四月から歩行者に開放"; 2];
    let opening = "港湾局は火曜日、古い岸壁を四月から歩行者に開放すると発表した。";
    let (cost, crowd) =
        ("修理費は3億円で、冬の間に工事を行う。", "市民ホールには漁業者ら240人が集まり、決定を歓迎した。");
    let text = [opening, cost, crowd].concat();
    check(title, [&text, &[opening, crowd, cost].concat()], true);
    check(title, [&text, &text.replace("火曜日", "木曜日")], false);
    check(title, [&text, &text.replace("240人", "250人")], false);
}

#[test]
fn headlines_with_different_numbers_are_of_one_story_only_if_the_texts_have_them() {
    let text = [OPENING, ROOFS, CRANES, COST].join(" ");
    check(["Storm in Ashport tears 14 boats from quay", "Ashport storm: 230 in school overnight"], [&text; 2], true);
    let less = text.replace("14 boats", "boats");
    check(["Storm in Ashport tears 14 boats from quay", "Ashport storm: 16 boats in distress"], [&text, &less], false);
}
