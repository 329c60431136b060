//! Days of a month in words and in digits: "23 October", "23.10." and "10/23" are one date.
//!
//! A copy editor writes a date as the house does. Digits count as a date only if the other text has that date in words:
//! "4.10" may be a time or a price.

use std::borrow::Cow;
use std::sync::LazyLock;

use foldhash::{HashMap, HashSet};

use super::spelling::hash_of;
use super::words::{Word, Words};

/// The names of the months, a language per line, in the form that they have after a day.
const MONTHS: &str = "
    january february march april may june july august september october november december
    jan feb mar apr may jun jul aug sep oct nov dec
    januar februar märz april mai juni juli august september oktober november dezember
    jänner februar märz april mai juni juli august sept oktober november dezember
    janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
    janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
    januari februari maart april mei juni juli augustus september oktober november december
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря
    يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر";

/// The names of the weekdays, a language per line, in the forms that they have in sentences.
const WEEKDAYS: &str = "
    monday tuesday wednesday thursday friday saturday sunday
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo
    lunedì martedì mercoledì giovedì venerdì sabato domenica
    segunda-feira terça quarta quinta sexta sábado domingo
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    poniedziałek wtorek środa środę czwartek piątek sobota sobotę niedziela niedzielę
    понедельник вторник среду четверг пятницу субботу воскресенье
    الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد";

/// The characters before the number of a Chinese weekday: 周四, 星期四, 週四.
const CHINESE_WEEK: [&str; 3] = ["周", "期", "週"];

/// The most days of a month.
const MOST_DAYS: u8 = 31;

/// The months by the hash of a name.
static NAMES: LazyLock<HashMap<u64, u8>> = LazyLock::new(|| {
    let lines = MONTHS.lines().map(str::split_whitespace);
    lines.flat_map(|names| names.zip(1..)).map(|(name, month)| (hash_of(name), month)).collect()
});

/// Numbers from 1 to 31 by the hash of their digits, with and without a leading zero or an ordinal's ending.
static DIGITS: LazyLock<HashMap<u64, u8>> = LazyLock::new(|| {
    let forms =
        |number: u8| [format!("{number}"), format!("{number:02}"), format!("{number}{}", english_ending(number))];
    let all = (1..=MOST_DAYS).flat_map(|number| forms(number).map(|form| (hash_of(&form), number)));
    all.chain([(hash_of("1er"), 1)]).collect()
});

/// Days and months by the hash of a form such as "4.10", "04.10" or "4.7".
static POINTED: LazyLock<HashMap<u64, DayOfMonth>> = LazyLock::new(|| {
    let dates = (1..=MOST_DAYS).flat_map(|day| (1..=12).map(move |month| DayOfMonth { day, month }));
    let forms = |date: DayOfMonth| {
        let DayOfMonth { day, month } = date;
        let forms = [
            format!("{day}.{month}"),
            format!("{day}.{month:02}"),
            format!("{day:02}.{month}"),
            format!("{day:02}.{month:02}"),
        ];
        forms.map(|form| (hash_of(&form), date))
    };
    dates.flat_map(forms).collect()
});

static WEEKDAY_HASHES: LazyLock<HashSet<u64>> = LazyLock::new(|| WEEKDAYS.split_whitespace().map(hash_of).collect());

/// The characters that end a day (日, 号), a month (月), and a Japanese weekday (曜), in this order.
static CHARACTERS: LazyLock<[u64; 4]> = LazyLock::new(|| ["日", "号", "月", "曜"].map(hash_of));

static CHINESE_WEEK_HASHES: LazyLock<[u64; 3]> = LazyLock::new(|| CHINESE_WEEK.map(hash_of));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DayOfMonth {
    day: u8,
    month: u8,
}

/// Where a date is among the words of a text.
struct DatePlace {
    date: DayOfMonth,
    start: usize,
    length: usize,
}

/// Returns two texts in which a date that one of them has in words is in these words in both. The point after a day
/// ends no sentence.
pub(super) fn unified<'w>(one: &'w Words, other: &'w Words) -> (Cow<'w, Words>, Cow<'w, Words>) {
    let named = [one, other].map(|text| named(&text.words));
    (written_as(one, &named[0], other, &named[1]), written_as(other, &named[1], one, &named[0]))
}

/// Returns a text with its dates in digits written as another text has them in words.
fn written_as<'w>(text: &'w Words, own: &[DatePlace], other: &Words, others: &[DatePlace]) -> Cow<'w, Words> {
    let is_broken = |place: &DatePlace| {
        text.words[place.start + 1..place.start + place.length]
            .iter()
            .any(|word| word.begins_sentence && !word.begins_line)
    };
    let breaks: Vec<usize> = own.iter().filter(|place| is_broken(place)).map(|place| place.start).collect();
    let found = if others.is_empty() { Vec::new() } else { in_digits(&text.words, others) };
    if breaks.is_empty() && found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut words = text.words.clone();
    for place in own {
        for word in &mut words[place.start + 1..place.start + place.length] {
            word.begins_sentence &= word.begins_line;
        }
    }
    for (place, named) in found.into_iter().rev() {
        let end = place.start + place.length;
        let mut date = other.words[named.start..named.start + named.length].to_vec();
        for word in &mut date {
            (word.begins_line, word.begins_sentence) = (false, false);
        }
        (date[0].begins_line, date[0].begins_sentence) =
            (words[place.start].begins_line, words[place.start].begins_sentence);
        if let Some(next) = words.get_mut(end) {
            next.begins_sentence &= next.begins_line;
        }
        words.splice(place.start..end, date);
    }
    Cow::Owned(Words { words })
}

/// Returns the words of one sentence that are a date where the other sentence has a weekday, together with that weekday;
/// empty if there are none. One house writes "on Thursday" and another "on 22 January".
pub(super) fn replaced_by_weekday(one: &[Word], other: &[Word]) -> HashSet<u64> {
    let swapped = |dated: &[Word], other: &[Word]| {
        let (date, weekday) = (date_words(dated), weekday_words(other));
        let is_swapped = !date.is_empty()
            && !weekday.is_empty()
            && (weekday_words(dated).is_empty() && date_words(other).is_empty());
        if is_swapped { [date, weekday].concat() } else { Vec::new() }
    };
    [swapped(one, other), swapped(other, one)].concat().into_iter().map(|word| word.hash).collect()
}

fn date_words(words: &[Word]) -> Vec<Word> {
    let named = named(words);
    let of_names = named.iter().flat_map(|place| &words[place.start..place.start + place.length]);
    // 7月19日
    let is_east_asian = |window: &&[Word]| {
        window[0].is_number
            && window[1].hash == CHARACTERS[2]
            && window[2].is_number
            && CHARACTERS[..2].contains(&window[3].hash)
    };
    // 19日
    let is_day = |window: &&[Word]| window[0].is_number && CHARACTERS[..2].contains(&window[1].hash);
    let east_asian: Vec<Word> = words.windows(4).filter(is_east_asian).flatten().copied().collect();
    let days =
        if east_asian.is_empty() { words.windows(2).filter(is_day).flatten().copied().collect() } else { east_asian };
    of_names.copied().chain(days).collect()
}

fn weekday_words(words: &[Word]) -> Vec<Word> {
    let chinese = words.windows(2).filter(|pair| CHINESE_WEEK_HASHES.contains(&pair[0].hash) && pair[1].is_number);
    let japanese = words.windows(2).filter(|pair| pair[1].hash == CHARACTERS[3]);
    let named = words.iter().filter(|word| WEEKDAY_HASHES.contains(&word.hash));
    named.chain(chinese.chain(japanese).flatten()).copied().collect()
}

/// Returns the dates with the name of a month: "23 October", "23 de octubre", "October 23".
fn named(words: &[Word]) -> Vec<DatePlace> {
    let month = |at: usize| words.get(at).and_then(|word| NAMES.get(&word.hash).copied());
    let day = |at: usize| words.get(at).and_then(|word| DIGITS.get(&word.hash).copied());
    let mut places = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let length = match (day(at), month(at)) {
            (Some(day), _) => (1..=2).find_map(|gap| Some((DayOfMonth { day, month: month(at + gap)? }, gap + 1))),
            (None, Some(month)) => day(at + 1).map(|day| (DayOfMonth { day, month }, 2)),
            (None, None) => None,
        };
        if let Some((date, length)) = length {
            places.push(DatePlace { date, start: at, length });
        }
        at += length.map_or(1, |(_, length)| length);
    }
    places
}

/// Returns the dates in digits that are among `named`, each with its place there.
fn in_digits<'p>(words: &[Word], named: &'p [DatePlace]) -> Vec<(DatePlace, &'p DatePlace)> {
    let among = |date: DayOfMonth| named.iter().find(|place| place.date == date);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let pointed = POINTED.get(&words[at].hash).map(|date| (*date, 1));
        let slashed = || {
            let (first, second) = (DIGITS.get(&words[at].hash)?, DIGITS.get(&words.get(at + 1)?.hash)?);
            let is_one = words[at + 1].is_behind_mark && !words[at + 1].begins_sentence;
            let orders = [DayOfMonth { day: *first, month: *second }, DayOfMonth { day: *second, month: *first }];
            orders.into_iter().filter(|_| is_one).find(|date| among(*date).is_some()).map(|date| (date, 2))
        };
        let place = pointed.or_else(slashed).and_then(|(date, length)| Some((among(date)?, length)));
        match place {
            Some((named, length)) => {
                found.push((DatePlace { date: named.date, start: at, length }, named));
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

fn english_ending(number: u8) -> &'static str {
    match (number % 10, number / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_in_digits_is_the_date_in_words_that_the_other_text_has() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (Words::of(one), Words::of(other));
            let (one, other) = unified(&one, &other);
            let hashes = |text: &Words| text.words.iter().map(|word| word.hash).collect::<Vec<_>>();
            assert_eq!(hashes(&one) == hashes(&other), expected, "{one:?} {other:?}");
        };
        check("Am 9.10. bei Leeds", "Am 9. Oktober bei Leeds", true);
        check("Am 09.10. bei Leeds", "Am 9. Oktober bei Leeds", true);
        check("el 4/10 en Leeds", "el 4 de octubre en Leeds", true);
        check("du 15/07 à Leeds", "du 15 juillet à Leeds", true);
        check("on 10/23 in Leeds", "on October 23 in Leeds", true);
        check("on 23/10 in Leeds", "on 23rd October in Leeds", true);
        check("с 5.02 в порту", "с 5 февраля в порту", true);
        check("nocy na 4.10 w porcie", "nocy na 4 października w porcie", true);
        check("يوم 17/10 في", "يوم 17 أكتوبر في", true);
        check("Am 9.10. bei Leeds", "Am 10. Oktober bei Leeds", false);
        check("Am 9.11. bei Leeds", "Am 9. Oktober bei Leeds", false);
        check("für 9.10 Euro", "für 9.20 Euro", false);
    }

    #[test]
    fn weekday_stands_for_a_date() {
        let check = |one: &str, other: &str, expected: bool| {
            let words = |text: &str| Words::of(text).words;
            assert_eq!(!replaced_by_weekday(&words(one), &words(other)).is_empty(), expected, "{one} {other}");
        };
        check("on 22 January", "on Thursday", true);
        check("le 27 avril", "lundi", true);
        check("в понедельник", "13 июля", true);
        check("周四", "5月7日", true);
        check("木曜日", "26日", true);
        check("on Tuesday", "on Thursday", false);
        check("on 22 January", "on 23 January", false);
        check("on Tuesday 22 January", "on Thursday", false);
    }

    #[test]
    fn point_of_a_date_ends_no_sentence() {
        let check = |text: &str| {
            let (text, other) = (Words::of(text), Words::of("Am 9. Oktober"));
            let (text, _) = unified(&text, &other);
            let begins = text.words.iter().filter(|word| word.begins_sentence).count();
            assert_eq!(begins, 2, "{text:?}");
        };
        check("Der Bus kam am 9. Oktober von der Straße ab. Niemand starb.");
        check("Der Bus kam am 9.10. von der Straße ab. Niemand starb.");
    }
}
