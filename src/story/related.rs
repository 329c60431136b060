//! The lists of other articles that sites put below a text: "Read also", "Mehr zum Thema".
//!
//! They say nothing of the text above them, and their headlines have numbers and names of their own.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::spelling::is_invisible;
use super::words::{Words, extent};

/// What such a list begins with.
const HEADINGS: &str = "
    related, related articles, related stories, related posts, read also, read more, also read, see also, more on this, you may also like,
    more from, more stories, don't miss, recommended, most read,
    mehr zum thema, lesen sie auch, lesen sie mehr, auch interessant, das könnte sie auch interessieren, passend dazu, siehe auch, weitere artikel,
    weitere meldungen, meistgelesen, mehr dazu,
    lire aussi, à lire aussi, voir aussi, sur le même sujet, à lire également, articles liés, les plus lus,
    lee también, leer también, lea también, te puede interesar, le puede interesar, noticias relacionadas, relacionado, más información, más noticias, ver también,
    leggi anche, ti potrebbe interessare, potrebbe interessarti, articoli correlati, sullo stesso argomento, vedi anche,
    leia também, veja também, leia mais, notícias relacionadas, relacionadas, saiba mais,
    lees ook, lees verder, meer over, gerelateerd,
    czytaj też, czytaj także, czytaj również, przeczytaj także, przeczytaj też, zobacz też, zobacz także, zobacz również, polecamy, warto przeczytać,
    читайте также, читайте по теме, по теме, материалы по теме, смотрите также, ещё по теме, другие новости, похожие материалы,
    اقرأ أيضا, إقرأ أيضا, اقرأ المزيد, مواضيع ذات صلة, أخبار ذات صلة, شاهد أيضا,
    相关阅读, 延伸阅读, 推荐阅读, 相关新闻, 相关文章, 更多新闻, 相關新聞, 延伸閱讀, 相關閱讀, 更多阅读,
    関連記事, 関連ニュース, あわせて読みたい, こちらもどうぞ, おすすめ記事, こちらもおすすめ, 合わせて読みたい,
    관련 기사, 관련기사, 함께 읽기";

/// The most words of a line of such a list.
const LINE: usize = 20;

/// The most words of the list.
const LIST: usize = 80;

static HASHES: LazyLock<Vec<Vec<u64>>> = LazyLock::new(|| {
    let phrases = HEADINGS.split(',').map(|phrase| Words::of(phrase.trim().trim_matches(is_invisible)));
    phrases
        .map(|phrase| phrase.words.iter().map(|word| word.hash).collect())
        .filter(|hashes: &Vec<u64>| !hashes.is_empty())
        .collect()
});

/// Returns a text without its list of other articles.
pub(super) fn without_list(text: Cow<'_, Words>) -> Cow<'_, Words> {
    match end_before_list(&text) {
        end if end == text.words.len() => text,
        end => Cow::Owned(Words { words: text.words[..end].to_vec() }),
    }
}

/// Returns where a text ends before its list of other articles; all of its words if it has none.
fn end_before_list(text: &Words) -> usize {
    let mut end = text.words.len();
    let (mut start, mut words) = (end, 0);
    while start > 0 {
        let line = text.line_start(start - 1);
        let length = extent(&text.words[line..start]);
        words += length;
        if length > LINE || words > LIST {
            break;
        }
        start = line;
        let is_heading = |heading: &Vec<u64>| {
            let first = text.words[line..].iter().map(|word| word.hash).take(heading.len());
            first.eq(heading.iter().copied())
        };
        if HASHES.iter().any(is_heading) {
            end = line;
        }
    }
    // Nothing but such lines is a text of its own.
    if end == 0 { text.words.len() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_before_a_list_of_other_articles() {
        let check = |behind: &str, expected: bool| {
            let text = "The harbour board opens the old quay.";
            let whole = Words::of(&format!("{text}\n{behind}"));
            let end = end_before_list(&whole);
            assert_eq!(end == Words::of(text).words.len(), expected, "{behind}");
            assert!(expected || end == whole.words.len(), "{behind}");
        };
        check("Related: 19 cases of measles in Leeds", true);
        check("Read also\n19 cases of measles in Leeds\nStrike on Friday", true);
        check("Lesen Sie auch: Streik am Freitag", true);
        check("Lire aussi\nLa Loire sort de son lit", true);
        check("延伸阅读\n临江市洪水", true);
        check("こちらもどうぞ: 数百人が家を離れる", true);
        check(
            "Related work takes a winter, says the chairwoman of the board, and will cost more than anybody in the town had thought.",
            false,
        );
        check("Boats return in April.", false);
    }

    #[test]
    fn text_that_is_only_such_a_list_keeps_its_words() {
        let text = Words::of("Related: 19 cases of measles in Leeds");
        assert_eq!(end_before_list(&text), text.words.len());
    }
}
