//! Number words: two titles of a series may differ in them, though not in a digit.

use std::sync::LazyLock;

use foldhash::HashSet;

use super::spelling::hash_of;

/// The number words, in lower case. They include weekdays and months only of languages that write them without a
/// capital, because capitals mark names.
const NUMERALS: &str = "
    two three four five six seven eight nine ten eleven twelve second third fourth fifth sixth seventh eighth ninth tenth
    zwei drei vier fünf sechs sieben acht neun zehn elf zwölf
    deux trois quatre cinq six sept huit neuf dix onze douze
    lundi mardi mercredi jeudi vendredi samedi dimanche
    janvier février mars avril mai juin juillet août septembre octobre novembre décembre
    dos tres cuatro cinco seis siete ocho nueve diez once doce
    lunes martes miércoles jueves viernes sábado domingo
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    due tre quattro cinque sei sette otto nove dieci undici dodici
    lunedì martedì mercoledì giovedì venerdì sabato domenica
    gennaio febbraio maggio giugno luglio settembre ottobre dicembre
    dois três quatro cinco seis sete oito nove dez onze doze
    janeiro fevereiro março maio junho julho setembro outubro novembro dezembro
    twee drie vijf zes zeven negen tien maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    januari februari maart mei juni juli augustus oktober
    dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć
    poniedziałek wtorek środa czwartek piątek sobota niedziela
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
    два три четыре пять шесть семь восемь девять десять
    понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье
    января февраля марта апреля мая июня июля августа сентября октября ноября декабря
    सोमवार मंगलवार बुधवार गुरुवार शुक्रवार शनिवार रविवार
    الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد
    월요일 화요일 수요일 목요일 금요일 토요일 일요일";

/// The hashes of [`NUMERALS`].
static HASHES: LazyLock<HashSet<u64>> = LazyLock::new(|| NUMERALS.split_whitespace().map(hash_of).collect());

/// Returns whether the word with this hash, from [`hash_of`], is a number or a date in words.
pub(super) fn is_numeral(hash: u64) -> bool {
    HASHES.contains(&hash)
}
