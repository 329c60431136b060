//! Words that a copy editor replaces by each other, and that do not fill a template: they tell who said something, and
//! roughly how much, but not what happened, to whom, when or where.

use std::sync::LazyLock;

use foldhash::HashSet;

use super::words::{Word, Words, mixed};

/// The groups of synonyms, one per line. For scripts without spaces, a group also has what remains of two words if both
/// begin or end with the same character.
const SYNONYMS: &str = "
    about, around, roughly, some, approximately, nearly
    almost, nearly, practically, virtually
    because of, due to, owing to, on account of
    says, said, states, stated, explains, explained, notes, noted, adds, added, stresses, stressed
    only, just, merely
    most, the majority, most of
    also, too, as well
    but, however, yet
    began, started, begins, starts
    for example, for instance
    found, discovered
    probably, likely, presumably
    slightly, somewhat, a little
    announced, said, reported
    bought, purchased
    tried, attempted
    suggests, indicates, shows
    demands, calls for
    injured, hurt
    after, following
    more than, over
    rose, grew, increased
    fell, dropped, declined
    has to, must, needs to
    etwa, rund, ungefähr, circa, ca, zirka
    fast, beinahe, nahezu
    sagt, sagte, erklärt, erklärte, betont, betonte, meint, meinte
    nur, lediglich, bloß
    wegen, aufgrund, infolge
    lange, längere Zeit, lange Zeit
    auch, ebenfalls, ebenso
    jedoch, aber, allerdings
    zum Beispiel, beispielsweise, etwa
    gefunden, entdeckt
    vermutlich, wahrscheinlich, wohl
    etwas, leicht, ein wenig, ein bisschen
    mitteilte, erklärte, sagte, bekannt gab, bekanntgab
    erhöht, angehoben
    fordert, verlangt
    zeigt, belegt
    mehr als, über
    beginnt, startet, begann, startete
    laut, nach Angaben, zufolge
    Samstag, Sonnabend
    environ, près de, quelque, à peu près
    presque, quasiment, pratiquement
    seulement, uniquement
    selon, d'après
    dit, déclare, affirme, explique, indique, souligne, a dit, a déclaré, a affirmé, a expliqué, a indiqué, a souligné
    en raison de, à cause de
    aussi, également
    mais, cependant, toutefois
    par exemple, notamment
    trouvé, découvert
    trouvée, découverte
    probablement, vraisemblablement, sans doute
    légèrement, un peu
    annoncé, indiqué, déclaré, fait savoir
    dit, écrit, raconte, confie, glisse
    demande, réclame, exige
    montre, indique, suggère
    unos, alrededor de, cerca de, aproximadamente
    unas, alrededor de, cerca de, aproximadamente
    casi, prácticamente
    solo, sólo, solamente, únicamente
    según, de acuerdo con
    dice, dijo, afirma, afirmó, señala, señaló, asegura, aseguró, explica, explicó
    debido a, a causa de, por causa de
    también, asimismo
    pero, sin embargo, no obstante
    por ejemplo, como
    hallado, encontrado, descubierto
    hallada, encontrada, descubierta
    probablemente, seguramente, posiblemente
    ligeramente, algo, un poco
    anunció, comunicó, informó
    pide, exige, reclama
    muestra, indica, sugiere
    murieron, fallecieron
    aumentó, creció, subió
    circa, all'incirca, più o meno
    quasi, pressoché, praticamente
    solo, soltanto, solamente
    secondo, stando a
    dice, ha detto, afferma, dichiara, spiega, sottolinea, ha dichiarato, ha spiegato
    riferisce, fa sapere, comunica, rende noto
    sono rimaste, hanno riportato
    a causa di, per via di
    anche, pure
    ma, però, tuttavia
    chiede, sollecita
    trovato, scoperto
    trovata, scoperta
    probabilmente, verosimilmente
    leggermente, un po'
    annunciato, comunicato, precisato
    chiede, pretende, esige
    mostra, indica, suggerisce
    cerca de, por volta de, aproximadamente
    quase, praticamente
    só, somente, apenas
    segundo, de acordo com, conforme
    diz, disse, afirma, afirmou, explica, explicou
    ongeveer, zo'n, circa, rond
    bijna, vrijwel
    alleen, slechts, enkel
    volgens, aldus
    zegt, zei, verklaart, verklaarde
    około, mniej więcej, blisko, w przybliżeniu
    prawie, niemal, niemalże
    tylko, jedynie, wyłącznie
    według, zdaniem
    mówi, powiedział, podkreśla, podkreślił, zaznacza, dodaje
    mówi, powiedziała, podkreśla, podkreśliła, zaznacza, dodaje
    z powodu, ze względu na
    również, także, też
    jednak, ale, lecz
    znaleziono, odkryto
    znaleźli, odkryli
    prawdopodobnie, przypuszczalnie, zapewne
    nieco, trochę, lekko
    poinformował, podał, przekazał, ogłosił
    poinformowała, podała, przekazała, ogłosiła
    zginęło, straciło życie, poniosło śmierć
    żąda, domaga się
    около, примерно, порядка, приблизительно
    почти, практически
    только, лишь, всего
    по данным, согласно
    говорит, сказал, отмечает, отметил, заявил, заявляет, подчеркнул
    говорит, сказала, отмечает, отметила, заявила, заявляет, подчеркнула
    сообщает полиция, говорят в полиции, сообщили в полиции
    из-за, по причине
    также, тоже
    но, однако
    найден, обнаружен
    нашли, обнаружили
    вероятно, видимо, по-видимому
    немного, чуть, слегка
    сообщил, объявил, рассказал
    сообщила, объявила, рассказала
    погибли, лишились жизни
    требует, добивается
    тушили, гасили
    نحو, حوالي, قرابة, زهاء
    معظم, أغلب, غالبية
    تقريبا, نحو
    فقط, فحسب
    بحسب, وفق, حسب, وفقا
    قال, صرح, أعلن, ذكر, أوضح
    قالت, صرحت, أعلنت, ذكرت, أوضحت
    بسبب, جراء, نتيجة
    أيضا, كذلك
    ربما, لعل, على الأرجح
    قليلا, بعض الشيء
    وقال, وصرح, وأعلن, وذكر, وأوضح, وأضاف
    وقالت, وصرحت, وأعلنت, وذكرت, وأوضحت, وأضافت
    تطالب, تدعو
    أصيب, جرح
    约, 大约, 大概
    几乎, 差不多
    表示, 称, 说, 指出
    预计, 估计
    预, 估
    宣布, 公布
    宣, 公
    例如, 比如, 譬如
    例, 比
    因为, 由于
    但, 但是, 不过, 然而
    也, 亦
    接着, 随后, 然后
    发现, 找到
    可能, 或许, 也许
    略, 稍, 略微, 稍微
    要求, 呼吁
    去世, 逝世, 离世
    受伤, 负伤
    約, およそ, ほぼ
    ほとんど, ほぼ
    と話す, と語る, と述べる, と話した, と語った, と述べた
    が発表した, によると, が明らかにした
    だけ, のみ
    例えば, たとえば
    しかし, だが, ただ
    見つか, 発見され, 確認され
    おそらく, たぶん
    わずかに, 少し, やや
    求め, 要求し
    亡くなっ, 死去し
    약, 대략
    거의, 대부분
";

/// The hashes of every two words of one group.
static PAIRS: LazyLock<HashSet<(u64, u64)>> = LazyLock::new(|| {
    let mut pairs = HashSet::default();
    for group in SYNONYMS.lines().filter(|group| !group.trim().is_empty()) {
        let phrases: Vec<u64> = group.split(',').map(|phrase| hash(&Words::of(phrase).words)).collect();
        for one in &phrases {
            pairs.extend(phrases.iter().map(|other| (*one, *other)));
        }
    }
    pairs
});

/// Returns whether two different phrases mean the same.
pub(super) fn are_synonyms(one: &[Word], other: &[Word]) -> bool {
    PAIRS.contains(&(hash(one), hash(other)))
}

fn hash(words: &[Word]) -> u64 {
    words.iter().fold(0, |hash, word| mixed(hash, word.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synonyms_are_words_that_fill_no_form() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (Words::of(one), Words::of(other));
            assert_eq!(are_synonyms(&one.words, &other.words), expected, "{one:?} {other:?}");
            assert_eq!(are_synonyms(&other.words, &one.words), expected, "{other:?} {one:?}");
        };
        check("about", "around", true);
        check("Due to", "because of", true);
        check("d'après", "selon", true);
        check("почти", "практически", true);
        check("表示", "称", true);
        check("found", "discovered", true);
        check("vermutlich", "wahrscheinlich", true);
        check("ligeramente", "algo", true);
        check("znaleziono", "odkryto", true);
        check("去世", "逝世", true);
        check("about", "almost", false);
        check("killed", "injured", false);
        check("erhöht", "gesenkt", false);
        check("rising", "falling", false);
        check("about", "", false);
        check("", "", false);
    }
}
