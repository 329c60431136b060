//! The names of months and weekdays in the languages of feeds.
//!
//! They come from Unicode's CLDR 45, for the languages that use the Gregorian calendar: full and short names, as used
//! in dates and on their own. Latin letters are compared without their diacritical marks, because feeds often omit
//! them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::latin;

/// A set of months or of weekdays, one bit each. In a set of months, bit 1 is January. In a set of weekdays, bit 0 is
/// Monday.
pub(super) type Set = u16;

/// Returns the months that a word in lower case names. A few words name two: `listopad` is October in Croatian and
/// November in Polish and Czech.
pub(super) fn months(word: &str) -> Set {
    static NAMES: LazyLock<HashMap<String, Set>> = LazyLock::new(|| index(&MONTHS, 1));
    let folded = folded(word);
    let known = |word: &str| NAMES.get(word).copied().or_else(|| beginning(word));
    let found = known(&folded).or_else(|| known(without_preposition(&folded)?));
    found.unwrap_or_default()
}

/// Returns the weekdays that a word in lower case names.
pub(super) fn weekdays(word: &str) -> Set {
    static NAMES: LazyLock<HashMap<String, Set>> = LazyLock::new(|| index(&WEEKDAYS, 0));
    NAMES.get(&folded(word)).copied().unwrap_or_default()
}

/// Returns whether a word in lower case says that a month's number follows, as in Vietnamese `tháng 11`.
pub(super) fn announces_month(word: &str) -> bool {
    matches!(&*folded(word), "thang" | "thg")
}

/// Returns whether a month's name is Thai. A Thai year counts from the death of the Buddha, so its number is larger by
/// 543.
pub(super) fn is_thai(word: &str) -> bool {
    word.chars().any(|c| matches!(c, '\u{E00}'..='\u{E7F}'))
}

fn index(names: &[&str], first: usize) -> HashMap<String, Set> {
    let mut index = HashMap::new();
    for (position, row) in names.iter().enumerate() {
        for name in row.split(' ') {
            *index.entry(folded(name)).or_default() |= 1 << (position + first);
        }
    }
    index
}

/// Returns the word without the diacritical marks of Latin letters.
fn folded(word: &str) -> String {
    let is_latin = |c: char| matches!(c, '\u{C0}'..='\u{24F}' | '\u{300}'..='\u{36F}' | '\u{1E00}'..='\u{1EFF}');
    let mut folded = String::with_capacity(word.len());
    for character in word.chars() {
        match is_latin(character) {
            true => folded.push_str(latin::ascii(character)),
            false => folded.push(character),
        }
    }
    folded
}

/// Removes the preposition that Catalan and Hebrew attach to the month.
fn without_preposition(word: &str) -> Option<&str> {
    ["d'", "d’", "ב"].iter().find_map(|preposition| word.strip_prefix(preposition))
}

/// Returns the month that the first letters of a word show. In most languages the names of the months come from Latin,
/// and differ only in their ends.
fn beginning(word: &str) -> Option<Set> {
    const BEGINNINGS: [&[&str]; 12] = [
        &["jan", "ene", "gen", "янв", "ιαν"],
        &["feb", "fev", "фев", "φεβ"],
        &["mar", "mrt", "мар", "μάρ", "μαρ", "μάώ", "μαώ"],
        &["apr", "avr", "abr", "апр", "απρ"],
        &["may", "mai", "mag", "maj", "mei", "май", "мая", "μάι", "μαϊ", "μαι"],
        &["jun", "juin", "giu", "июн", "ιούν", "ιουν", "ιον"],
        &["jul", "juil", "lug", "июл", "ιούλ", "ιουλ", "ιολ"],
        &["aug", "aou", "ago", "авг", "αύγ", "αυγ"],
        &["sep", "set", "szep", "сен", "σεπ"],
        &["oct", "okt", "out", "ott", "окт", "οκτ"],
        &["nov", "ноя", "νοέ", "νοε"],
        &["dec", "dez", "dic", "des", "дек", "δεκ"],
    ];
    let position =
        BEGINNINGS.iter().position(|beginnings| beginnings.iter().any(|beginning| word.starts_with(beginning)))?;
    Some(1 << (position + 1))
}

/// The names of the months, January first. Abbreviations have no dots.
const MONTHS: [&str; 12] = [
    "yanvar yan студзеня сту студзень януари яну ledna led leden ionawr ion jaanuar jaan urtarrila urt \
     tammikuuta tammi tammikuu eanáir ean xaneiro xan siječnja sij siječanj հունվարի հնվ հունվար იანვარი იან \
     қаңтар қаң sausio saus sausis јануари јан stycznia sty styczeń ianuarie ian јануар ocak oca січня січ \
     січень يناير ژانویه ינואר ינו जनवरी जन জানুয়ারি জানু جنوری มกราคม ม.ค ஜனவரி ஜன",
    "лютага лют люты února úno únor chwefror chwef chw veebruar veebr otsaila ots helmikuuta helmi helmikuu \
     pebrero peb feabhra feabh veljače velj veljača փետրվարի փտվ փետրվար თებერვალი თებ ақпан ақп vasario vas \
     vasaris lutego lut luty shkurt shk фебруар феб şubat şub лютого лютий فبراير فوریه פברואר פבר फ़रवरी फ़र \
     ফেব্রুয়ারি ফেব فروری กุมภาพันธ์ ก.พ பிப்ரவரி பிப்",
    "maart сакавіка сак сакавік března bře březen mawrth maw maaliskuuta maalis maaliskuu ožujka ožu ožujak \
     մարտի մրտ մարտ მარტი მარ наурыз нау mäerz mäe kovo kov kovas mac machi березня бер березень مارس מרץ मार्च \
     মার্চ مارچ มีนาคม มี.ค மார்ச் மார்",
    "красавіка кра красавік dubna dub duben ebrill ebr apirila api huhtikuuta huhti huhtikuu aibreán aib travnja \
     tra travanj ապրիլի ապր ապրիլ აპრილი აპრ сәуір сәу balandžio bal balandis kwietnia kwi kwiecień prill pri \
     nisan nis квітня квіт квітень أبريل آوریل אפריל אפר अप्रैल এপ্রিল এপ্রি اپریل เมษายน เม.ย ஏப்ரல் ஏப்",
    "května kvě květen μαΐου μαΐ toukokuuta touko toukokuu bealtaine beal svibnja svi svibanj մայիսի մյս մայիս \
     მაისი მაი мамыр мам mee gegužės geg gegužė мај травня трав травень مايو مه מאי मई মে مئی พฤษภาคม พ.ค மே",
    "iyun iyn чэрвеня чэр чэрвень юни června čvn červen mehefin meh juuni ekaina eka kesäkuuta kesä kesäkuu \
     hunyo hun meitheamh meith xuño lipnja lip lipanj հունիսի հնս հունիս ივნისი ივნ маусым мау birželio birž \
     birželis јуни јун czerwca cze czerwiec iunie iun qershor qer haziran haz червня черв червень يونيو ژوئن \
     יוני जून জুন جون มิถุนายน มิ.ย ஜூன்",
    "iyul iyl ліпеня ліп ліпень юли července čvc červenec gorffennaf gorff gor juuli uztaila uzt heinäkuuta \
     heinä heinäkuu hulyo hul iúil xullo xul srpnja srp srpanj հուլիսի հլս հուլիս ივლისი ივლ шілде шіл liepos \
     liep liepa јули јул lipca lip lipiec iulie iul korrik korr temmuz tem липня лип липень يوليو ژوئیه יולי \
     जुलाई जुल জুলাই জুল جولائی กรกฎาคม ก.ค ஜூலை",
    "avqust avq жніўня жні жнівень ag srpna srp srpen awst abuztua abu elokuuta elo elokuu lúnasa lún kolovoza \
     kol kolovoz օգոստոսի օգս օգոստոս agustus agu ágúst აგვისტო აგვ тамыз там rugpjūčio rugp rugpjūtis ogos ogo \
     sierpnia sie sierpień avgust avg gusht gush ağustos серпня серп серпень أغسطس اوت אוגוסט אוג अगस्त अग আগস্ট \
     আগ اگست สิงหาคม ส.ค ஆகஸ்ட் ஆக",
    "sentyabr sen верасня вер верасень септември сеп září zář medi iraila ira syyskuuta syys syyskuu mfómh rujna \
     ruj rujan սեպտեմբերի սեպ սեպտեմբեր სექტემბერი სექ қыркүйек қыр rugsėjo rugs rugsėjis września wrz wrzesień \
     shtator sht септембар eylül eyl вересня вересень sentabr سبتمبر سپتامبر ספטמבר ספט सितंबर सित সেপ্টেম্বর \
     সেপ সেপ্ট ستمبر กันยายน ก.ย செப்டம்பர் செப்",
    "кастрычніка кас кастрычнік října říj říjen hydref hyd urria urr lokakuuta loka lokakuu dfómh listopada lis \
     listopad հոկտեմբերի հոկ հոկտեմբեր ოქტომბერი ოქტ қазан қаз spalio spal spalis października paź październik \
     tetor tet ekim eki жовтня жовт жовтень أكتوبر اکتبر אוקטובר אוק अक्टूबर अक्टू অক্টোবর অক্টো اکتوبر ตุลาคม \
     ต.ค அக்டோபர் அக்",
    "noyabr noy лістапада ліс лістапад ноември ное listopadu lis listopad tachwedd tach azaroa aza marraskuuta \
     marras marraskuu nobyembre nob samhain samh studenoga stu studeni նոյեմբերի նոյ նոյեմբեր ნოემბერი ნოე \
     қараша қар lapkričio lapkr lapkritis listopada noiembrie nëntor nën новембар нов kasım kas листопада лист \
     листопад نوفمبر نوامبر נובמבר נוב नवंबर नव নভেম্বর নভে نومبر พฤศจิกายน พ.ย நவம்பர் நவ",
    "dekabr dek снежня сне снежань prosince pro prosinec rhagfyr rhag detsember dets abendua abe joulukuuta \
     joulu joulukuu disyembre dis nollaig noll prosinca prosinac դեկտեմբերի դեկ դեկտեմբեր დეკემბერი დეკ \
     желтоқсан жел gruodžio gruod gruodis disember grudnia gru grudzień dhjetor dhj децембар дец aralık ara \
     грудня груд грудень ديسمبر دسامبر דצמבר דצמ दिसंबर दिस ডিসেম্বর ডিসে دسمبر ธันวาคม ธ.ค டிசம்பர் டிச",
];

/// The names of the weekdays, Monday first.
const WEEKDAYS: [&str; 7] = [
    "monday mon montag mo lundi lun lunes lunedì segunda-feira seg maandag ma poniedziałek pon pondělí po \
     pondelok ponedjeljak ponedeljek ponedeljak понедельник пн понеділок понеделник måndag mån maanantaina \
     maanantai pazartesi pzt hétfő luni senin sen δευτέρα δευ",
    "tuesday tue dienstag di mardi mar martes martedì terça-feira ter dinsdag wtorek wt úterý út utorok utorak \
     uto torek tor вторник вт вівторок tisdag tis tirsdag tirs tir tiistaina ti tiistai salı sal kedd marți \
     selasa sel τρίτη τρί",
    "wednesday wed mittwoch mi mercredi mer miércoles mié mercoledì quarta-feira qua woensdag wo środa śr středa \
     st srijeda sri sreda sre среда ср середа сряда onsdag ons keskiviikkona ke keskiviikko çarşamba çar szerda \
     sze miercuri rabu rab τετάρτη τετ",
    "thursday thu donnerstag do jeudi jeu jueves jue giovedì gio quinta-feira qui donderdag czwartek czw čtvrtek \
     čt štvrtok št četvrtak čet četrtek четверг чт четвер четвъртък torsdag tors tor torstaina to torstai \
     perşembe per csütörtök cs joi kamis kam πέμπτη πέμ",
    "friday fri freitag fr vendredi ven viernes vie venerdì sexta-feira sex vrijdag vr piątek pt pátek pá piatok \
     pi petak pet petek пятница пт пʼятниця петък fredag fre perjantaina pe perjantai cuma cum péntek vineri vin \
     jumat jum παρασκευή παρ",
    "saturday sat samstag sa samedi sam sábado sáb sabato zaterdag za sobota sob so subota sub суббота сб субота \
     събота lördag lör lørdag lør lauantaina la lauantai cumartesi cmt szombat szo sâmbătă sabtu σάββατο σάβ",
    "sunday sun sonntag so dimanche dim domingo dom domenica zondag zo niedziela niedz neděle ne nedeľa nedjelja \
     ned nedelja воскресенье вс неділя нд неделя söndag sön søndag søn sunnuntaina su sunnuntai pazar paz \
     vasárnap duminică dum minggu min κυριακή κυρ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_name_two_months() {
        let ambiguous = ["lip", "lis", "listopad", "listopada", "srp"];
        let index = index(&MONTHS, 1);
        let mut found: Vec<&str> =
            index.iter().filter(|(_, months)| months.count_ones() > 1).map(|(word, _)| word.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ambiguous);
    }

    #[test]
    fn every_name_is_found_with_and_without_its_marks() {
        let check = |word: &str, month: u16| assert_eq!(months(word), 1 << month, "{word}");
        for (position, row) in (1..).zip(MONTHS) {
            row.split(' ').filter(|word| months(word).count_ones() == 1).for_each(|word| check(word, position));
        }
        check("października", 10);
        check("pazdziernika", 10);
        check("şubat", 2);
        check("subat", 2);
        check("marraskuuta", 11);
        check("märz", 3);
        check("août", 8);
        check("d’octubre", 10);
        check("בינואר", 1);
    }
}
