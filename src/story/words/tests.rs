//! Tests of how texts are read as words.

use super::*;

fn check(text: &str, words: usize, extent: usize) {
    let read = Words::of(text);
    assert_eq!((read.words.len(), read.extent()), (words, extent), "{text}");
}

#[test]
fn number_is_the_same_with_any_sign_or_none_between_its_groups() {
    let words = |text: &str| Words::of(text).words.iter().map(|word| word.hash).collect::<Vec<_>>();
    for text in ["7.000", "7,000", "7 000", "7\u{202F}000", "7’000", "７，０００", "٧٬٠٠٠"] {
        assert_eq!(words(&format!("about {text} people")), words("about 7000 people"), "{text}");
        assert_eq!(words(&format!("约{text}人")), words("约7000人"), "{text}");
    }
    assert_eq!(words("3,650,000 and 3.650.000"), words("3650000 and 3 650 000"));
    for (text, other) in [
        ("on 5, 200 people", "on 5200 people"),
        ("in 2026 100 people", "in 2026100 people"),
        ("1,5 percent", "15 percent"),
        ("0.125 percent", "0125 percent"),
        ("at 7.30", "at 730"),
        ("7 0000", "70000"),
    ] {
        assert_ne!(words(text), words(other), "{text}");
    }
}

#[test]
fn words_are_counted_in_every_script() {
    check("", 0, 0);
    check("The quay, at night.", 4, 4);
    check("夜の港 2017年", 5, 3);
    check("二十二日、三pm", 4, 3);
    check("Version 3.2 of 2017. It is out.", 7, 7);
    check("co\u{AD}operation", 1, 1);
}

#[test]
fn phrase_is_taken_out_wherever_it_stands_whole() {
    let check = |text: &str, phrase: &str, expected: &str| {
        let hashes = |words: &Words| words.words.iter().map(|word| word.hash).collect::<Vec<_>>();
        let mut words = Words::of(text);
        assert_eq!(words.take_out(&Words::of(phrase)) != Stood::Nowhere, text != expected, "{text}");
        assert_eq!(hashes(&words), hashes(&Words::of(expected)), "{text}");
    };
    check("the quay at night", "the quay", "at night");
    check("at the quay the quay by the quay", "the quay", "at by");
    check("a a a a a", "a a", "a");
    check("a b a b a c d", "a b a c", "a b d");
    check("a a b a a b a a a", "a a b a a a", "a a b");
    check("night", "the quay at night", "night");
    check("night", "", "night");
}

#[test]
fn line_keeps_its_beginning_when_a_phrase_is_taken_out_of_it() {
    let check = |text: &str, expected: Stood, lines: usize| {
        let mut words = Words::of(text);
        assert_eq!(words.take_out(&Words::of("the old quay")), expected, "{text}");
        assert_eq!(words.lines().count(), lines, "{text}");
    };
    let line = "many walkers and fishermen cheered as the board in the harbour opened";
    check(&format!("{line} the old quay"), Stood::InText, 1);
    check(&format!("{line} today\nthe old quay first appeared in the Post"), Stood::InShortLine, 2);
    check(&format!("the old quay\n{line} a pier"), Stood::InShortLine, 1);
    check(&format!("{line}\nthe old quay\n{line}"), Stood::InShortLine, 2);
    check(line, Stood::Nowhere, 1);
}

#[test]
fn lines_around_a_text_are_told_from_it() {
    let long = "walkers cheered as the board in the harbour opened the quay again";
    let check = |text: &str, expected: (usize, usize)| {
        let words = Words::of(text);
        assert_eq!((words.start_behind_bylines(), words.end_before_footers()), expected, "{text}");
    };
    check(&format!("By Mary Hill\n{long}\nFull story\nFirst in the Post"), (3, 15));
    check(&format!("By Mary Hill, staff reporter of the Post\n{long}"), (0, 20));
    check(long, (0, 12));
    check("Leeds: rain\nYork: sun", (0, 4));
    check("", (0, 0));
}

#[test]
fn spelling_does_not_count_and_order_does() {
    let hashes = |text: &str| Words::of(text).shingles().collect::<Vec<_>>();
    assert_eq!(hashes("The QUAY — at night"), hashes("the quay at “night”"));
    assert_eq!(hashes("第１２期の話"), hashes("第12期の話"));
    assert_eq!(hashes("ESKİ TRAMVAY YILLAR SONRA"), hashes("eski tramvay yıllar sonra"));
    assert_eq!(hashes("ещё один мост"), hashes("еще один мост"));
    assert_ne!(hashes("man bites dog"), hashes("dog bites man"));
}

#[test]
fn two_spellings_in_unicode_are_one_word() {
    let hashes = |text: &str| Words::of(text).words.iter().map(|word| word.hash).collect::<Vec<_>>();
    let same = |one: &str, other: &str| assert_eq!(hashes(one), hashes(other), "{one} {other}");
    same("STRASSE", "Straße");
    same("GROẞE STRAẞE", "große Strasse");
    same("CO₂", "CO2");
    same("x² und m³", "x2 und m3");
    same("ﬁnal oﬀer", "final offer");
    same("caf\u{e9}s", "cafe\u{301}s");
    same("u\u{308}ber a\u{30A}", "Über Å");
    same("ΟΔΟΣ", "οδος");
    same("ﾊﾞｽ停", "バス停");
    same("Ⅳ. Teil", "IV. Teil");
    same("बड़ा", "बड\u{93C}ा");
    let other = |one: &str, other: &str| assert_ne!(hashes(one), hashes(other), "{one} {other}");
    other("Masse", "Maße und");
    other("schon", "schön");
    other("résumé", "resume");
    other("CO₂", "CO");
    other("x²", "x³");
}

#[test]
fn misspelt_words_are_told_from_other_words() {
    let check = |one: &str, other: &str, expected: bool| {
        // The text begins with another word, so that a capital marks a name.
        let word = |text: &str| Words::of(&format!("in {text}")).words[1];
        assert_eq!(word(one).is_spelt_as(word(other)), expected, "{one} {other}");
    };
    check("colour", "color", true);
    check("organise", "organize", true);
    check("centre", "center", true);
    check("harbour", "habour", true);
    check("Turin", "Tunis", false);
    check("she", "he", false);
    check("2017", "2018", false);
    check("higher", "lower", false);
}

#[test]
fn capitals_within_a_sentence_mark_names() {
    let names = |text: &str| Words::of(text).words.iter().filter(|word| word.is_name).count();
    assert_eq!(names("Yesterday Mary met John. They talked."), 2);
}
