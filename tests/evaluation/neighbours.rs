//! Pairs that must stay apart though much of them is the same: series, releases, forms that are filled anew, comments.

use crate::copies::{entry, original};
use crate::{Class, Pair, Sign, Story};

/// A form that is filled for every member of a series: language, title, text; `{0}`, `{1}` … are filled.
type Form = (&'static str, &'static str, &'static str);

const SERIES: &[(Form, [&[&str]; 2])] = &[
    (
        (
            "en",
            "This Week in Rust {0}",
            "Hello and welcome to issue {0} of This Week in Rust! Rust is a programming language empowering everyone to build reliable and efficient software. This is a weekly summary of its progress and community. Want something mentioned? Tag us or send us a pull request. Want to get involved? We love contributions.",
        ),
        [&["512"], &["513"]],
    ),
    (
        (
            "en",
            "The Morning Wire, episode {0}",
            "In today's episode of The Morning Wire we look at the stories that matter, talk to the people behind them, and answer your letters. Our guest is {1}. Subscribe wherever you get your podcasts and leave us a review; it helps others to find the programme. Music by the house band.",
        ),
        [&["41", "Ada Fenn"], &["42", "Tom Riley"]],
    ),
    (
        (
            "en",
            "Weather for {0}",
            "Today in {0} it will be mostly cloudy with sunny spells and a light wind from the west. The highest temperature is {1} degrees, the lowest {2}. The chance of rain is {3} per cent. Tomorrow will be similar, with more sun in the afternoon and a little more wind along the coast towards the evening.",
        ),
        [&["Leeds", "14", "6", "30"], &["York", "12", "5", "40"]],
    ),
    (
        (
            "en",
            "Weather forecast for the coast and the islands",
            "Mostly cloudy along the coast with sunny spells and a light wind from the west. The highest temperature is {0} degrees, the lowest {1}. The chance of rain is {2} per cent. Tomorrow will be similar, with more sun in the afternoon and a little more wind along the coast towards the evening.",
        ),
        [&["14", "6", "30"], &["12", "5", "40"]],
    ),
    (
        (
            "en",
            "Obituary",
            "It is with great sadness that the family announces the death of {0}, who passed away peacefully at home. A service will be held at Saint Mary's church. Family flowers only, please; donations in memory may be made to the hospice that cared for us so well. All who knew {0} are welcome to join the family afterwards.",
        ),
        [&["Margaret Hill"], &["Arthur Stone"]],
    ),
    (
        (
            "en",
            "Death notice from the family",
            "It is with great sadness that the family announces that our dear {0} passed away peacefully at home, surrounded by all of us. A service will be held at Saint Mary's church on {1}. Family flowers only, please; donations in memory may be made to the hospice that cared for us so well. All who knew {0} are welcome to join us afterwards.",
        ),
        [&["Margaret Hill", "Monday"], &["Arthur Stone", "Thursday"]],
    ),
    (
        (
            "en",
            "Market report: shares close {0}",
            "Shares on the main exchange closed {0} on Tuesday. The index of leading companies moved {1} points to {2}, with banks and mining companies accounting for most of the change. The pound was little changed against the dollar and the euro, and the price of oil stood at {3} dollars a barrel when the market closed.",
        ),
        [&["higher", "31", "7412", "64"], &["lower", "22", "7390", "63"]],
    ),
    (
        (
            "en",
            "Earthquake of magnitude {0} near {1}",
            "An earthquake of magnitude {0} was recorded near {1}, the geological survey reported. The depth was about {2} kilometres. There were no immediate reports of damage or injuries. The survey's figures are preliminary and may be revised when more readings have been evaluated. No tsunami warning was issued.",
        ),
        [&["4.5", "Pahala", "12"], &["4.7", "Hilo", "9"]],
    ),
    (
        (
            "en",
            "Daily puzzle",
            "Every morning we set a puzzle for early risers. Fill the grid so that every row, every column and every box holds all the figures, and send us your solution before noon. Among the correct answers we draw a book. Yesterday's winner is {0} of {1}. Good luck, and enjoy your coffee.",
        ),
        [&["J. Marsh", "Hull"], &["P. Quill", "Bath"]],
    ),
    (
        (
            "en",
            "Road closures this week",
            "The council announces the following closure. {0} will be closed to all traffic between eight in the morning and six in the evening while gas mains are replaced. A diversion will be signposted. Residents will have access on foot at all times, and bus stops are moved to the nearest junction. The council apologises for any inconvenience.",
        ),
        [&["Mill Lane"], &["Castle Street"]],
    ),
    (
        (
            "de",
            "Wetter am {0}",
            "Am {0} bleibt es in der Region meist bewölkt mit sonnigen Abschnitten, dazu weht ein schwacher Wind aus West. Die Höchstwerte liegen bei {1} Grad, in der Nacht sinken die Werte auf {2} Grad. Das Regenrisiko beträgt {3} Prozent. Die weiteren Aussichten sind freundlich, an der See frischt der Wind gegen Abend etwas auf.",
        ),
        [&["Montag", "14", "6", "30"], &["Dienstag", "12", "5", "40"]],
    ),
    (
        (
            "de",
            "Polizeibericht: Unfall auf der {0}",
            "Bei einem Unfall auf der {0} ist am Morgen ein Autofahrer leicht verletzt worden. Nach Angaben der Polizei war der {1} Jahre alte Mann aus noch ungeklärter Ursache von der Fahrbahn abgekommen. Die Strecke war für zwei Stunden gesperrt, es kam zu Behinderungen im Berufsverkehr. Den Schaden schätzt die Polizei auf {2} Euro.",
        ),
        [&["A7", "34", "12000"], &["A9", "52", "8000"]],
    ),
    (
        (
            "de",
            "Newsletter Nr. {0}: Was diese Woche wichtig war",
            "Guten Morgen, hier ist unser Rückblick auf die Woche. Wir haben gesammelt, was die Redaktion bewegt hat, was Sie geschrieben haben und was am Wochenende in der Stadt los ist. Wenn Ihnen der Newsletter gefällt, empfehlen Sie ihn weiter. Ausgabe {0} haben wieder drei von uns zusammengestellt.",
        ),
        [&["88"], &["89"]],
    ),
    (
        (
            "fr",
            "Météo du {0}",
            "Le ciel restera souvent nuageux ce {0} avec de belles éclaircies et un vent faible de secteur ouest. Les températures maximales atteindront {1} degrés, les minimales {2} degrés. Le risque de pluie est de {3} pour cent. La tendance pour demain reste la même, avec un peu plus de soleil dans l'après-midi et du vent sur la côte.",
        ),
        [&["lundi", "14", "6", "30"], &["mardi", "12", "5", "40"]],
    ),
    (
        (
            "fr",
            "Avis d'obsèques",
            "La famille a la douleur de vous faire part du décès de {0}, survenu à son domicile dans la paix. La cérémonie religieuse aura lieu en l'église Sainte-Anne, suivie de l'inhumation au cimetière communal. Ni fleurs ni couronnes, des dons pour la recherche. La famille remercie d'avance toutes les personnes qui s'associeront à sa peine.",
        ),
        [&["Jeanne Morel"], &["Paul Garnier"]],
    ),
    (
        (
            "es",
            "El tiempo para el {0}",
            "Cielos nubosos con claros y viento flojo del oeste durante el {0}. Las temperaturas máximas llegarán a {1} grados y las mínimas a {2}. La probabilidad de lluvia es del {3} por ciento. Mañana seguirá un tiempo parecido, con más sol por la tarde y algo más de viento en la costa al caer la noche.",
        ),
        [&["lunes", "14", "6", "30"], &["martes", "12", "5", "40"]],
    ),
    (
        (
            "ru",
            "Погода на {0}",
            "Завтра в городе ожидается облачная погода с прояснениями, ветер слабый западный. Температура днём {1} градусов, ночью {2} градусов. Вероятность осадков {3} процентов. В ближайшие дни погода существенно не изменится, на побережье к вечеру ветер немного усилится, а солнца во второй половине дня станет больше.",
        ),
        [&["понедельник", "14", "6", "30"], &["вторник", "12", "5", "40"]],
    ),
    (
        (
            "zh",
            "第{0}期每周科技通讯",
            "欢迎阅读第{0}期每周科技通讯。这里记录每周值得分享的科技内容，周五发布。本通讯开源，欢迎投稿，也欢迎推荐或自荐项目。讨论区的帖子提供大量的工作机会，欢迎访问或发布工作信息。如果你喜欢这份通讯，请转发给你的朋友，这是对我们最大的支持。",
        ),
        [&["275"], &["276"]],
    ),
    (
        (
            "zh",
            "天气预报",
            "今天白天多云间晴，西风二到三级，最高气温{0}度，夜间最低气温{1}度，降水概率百分之{2}。明天天气变化不大，下午阳光增多，沿海地区傍晚风力稍有增强。请市民注意早晚温差，适当增减衣物，出行时关注道路交通信息，沿海渔船注意安全。",
        ),
        [&["14", "6", "30"], &["12", "5", "40"]],
    ),
    (
        (
            "ja",
            "訃報",
            "かねてより病気療養中でありました{0}が、自宅で家族に見守られながら永眠いたしました。生前のご厚誼に深く感謝いたしますとともに、謹んでお知らせ申し上げます。葬儀は近親者のみで執り行います。ご香典やご供花は固く辞退申し上げます。後日お別れの会を予定しております。",
        ),
        [&["山田太郎"], &["佐藤花子"]],
    ),
    (
        (
            "ja",
            "第{0}回読書会のお知らせ",
            "第{0}回の読書会を図書館の二階で開きます。今回の課題図書は受付で貸し出しています。初めての方も歓迎いたします。お茶とお菓子を用意してお待ちしておりますので、お気軽にお越しください。参加を希望される方は前日までに電話か窓口でお申し込みください。",
        ),
        [&["15"], &["16"]],
    ),
    (
        (
            "en",
            "Backend developer wanted",
            "We are a small team that builds tools for libraries, and we are looking for a {0} developer to join us. You will work with two others on our {0} code, talk to librarians, and be free to choose your hours. We offer a fair salary, thirty days of holiday and a dog who sleeps under the desk. Send us a short letter and something that you made.",
        ),
        [&["backend"], &["frontend"]],
    ),
    (
        (
            "de",
            "Wir suchen Verstärkung für unser Team",
            "Unsere Einrichtung am Stadtpark sucht zum nächsten Ersten eine {0} mit Freude an der Arbeit mit Kindern. Wir bieten eine unbefristete Stelle, ein offenes Team und einen Garten, in dem man auch im Winter sitzt. Bewerbungen richten Sie bitte an die Leitung, die sich auf Sie freut und gern alle Fragen beantwortet. Die {0} arbeitet im Wechsel früh und spät.",
        ),
        [&["Erzieherin"], &["Köchin"]],
    ),
    (
        (
            "de",
            "Konzert in der Stadtkirche am Abend",
            "In der Stadtkirche spielt am Abend {0} Werke von {1} und anderen Meistern der Zeit. Der Eintritt ist frei, um eine Spende für die Erhaltung der Orgel wird gebeten. Einlass ist eine halbe Stunde vor Beginn, die Plätze werden nicht reserviert. Nach dem Konzert lädt die Gemeinde zu einem Glas Wein in den Kreuzgang ein, bei Regen in den Saal.",
        ),
        [&["Johanna Reiter", "Bach"], &["Markus Lind", "Buxtehude"]],
    ),
    (
        (
            "en",
            "City beat {0} in front of a full house",
            "City beat {0} on Saturday in front of a full house and stay at the top of the table. {1} scored early and late, and the visitors hardly came out of their own half before the break. The manager spoke of a deserved win and warned against looking at the table. The next match is away from home, and the coach leaves from the market square at noon.",
        ),
        [&["United", "Marsh"], &["Rovers", "Dunn"]],
    ),
    (
        (
            "en",
            "Security advisory: {0}",
            "A problem was found in {0} that lets a local user read files which belong to others. All versions before the current one are affected. There is no workaround, so please upgrade as soon as you can. Packages for all supported systems have been uploaded to the mirrors and should arrive within hours. Thanks to those who reported the problem responsibly and waited.",
        ),
        [&["libfern"], &["mossd"]],
    ),
    (
        (
            "en",
            "Day {0} of the harbour trial",
            "The trial of three harbour officials continued on its {0} day before the county court. A witness told the judges what he had seen on the night when the crane fell, and was questioned by the defence until late in the afternoon. The court adjourned before the divers could be heard. The trial continues tomorrow; a verdict is not expected before the summer.",
        ),
        [&["five", "fifth"], &["six", "sixth"]],
    ),
    (
        (
            "ar",
            "حالة الطقس غدا",
            "يتوقع خبراء الأرصاد أن يكون الطقس غدا غائما جزئيا مع رياح غربية خفيفة. وتبلغ درجة الحرارة العظمى {0} درجة والصغرى {1} درجات. ويستمر الطقس على حاله في الأيام المقبلة مع نشاط للرياح على السواحل في المساء. وينصح المسافرون بمتابعة النشرات والانتباه عند القيادة في ساعات الصباح الباكر بسبب الضباب.",
        ),
        [&["24", "12"], &["22", "10"]],
    ),
    (
        (
            "ko",
            "부고",
            "{0} 님께서 오랜 투병 끝에 가족이 지켜보는 가운데 자택에서 별세하셨습니다. 빈소는 시립 장례식장에 마련되었으며 발인은 모레 아침입니다. 고인은 평생 교육에 헌신하며 많은 제자를 길러 냈습니다. 유족은 조화와 부의금을 정중히 사양하며 고인을 기억하는 마음만 함께해 주시기를 부탁드립니다.",
        ),
        [&["김영수"], &["이정희"]],
    ),
];

const RELEASES: &[(&str, [&str; 2], &str)] = &[
    (
        "Fernkit",
        ["v1.2.3", "v1.2.4"],
        "Fernkit {0} is out. This is a maintenance release that fixes bugs which were found since the last one, and updates the dependencies. We recommend that all users upgrade. Thanks to everybody who reported problems and sent patches. Checksums and binaries for all platforms are attached below.",
    ),
    (
        "Quillbase",
        ["9.4.1", "9.5.0"],
        "The Quillbase team announces version {0}. This release fixes several problems reported over the last months and is recommended for all installations. A dump and restore is not required for those who run an earlier version of this series. The complete list of changes is in the release notes, and packages are available for all supported systems.",
    ),
    (
        "Moss Desktop",
        ["beta 2", "beta 3"],
        "Moss Desktop {0} is ready for testing. Please install it on a spare machine and tell us what breaks. Known problems are listed on the wiki. The final version follows when no serious faults are left, so every report brings it nearer. Translators may begin now, as the texts do not change any more.",
    ),
    (
        "build: bump the group",
        ["3", "4"],
        "Bumps the group with {0} updates. You can trigger a rebase of this request by commenting on it. The robot will merge it when the checks have passed. You can disable automated requests for these dependencies from the security page, or close this one, and it will not be opened again until a newer version is out.",
    ),
];

pub fn classes(stories: &[Story]) -> Vec<Class> {
    let series = SERIES.iter().map(|((language, title, text), fills)| form(language, title, text, fills));
    let releases = RELEASES
        .iter()
        .map(|(name, versions, text)| form("en", &format!("{name} {{0}}"), text, &[&[versions[0]], &[versions[1]]]));
    let classes = [
        ("series, weather, obituaries", false, number(series.collect())),
        ("releases", false, number(releases.collect())),
        ("same title, other content", true, pairs(stories, same_title)),
        ("same release, other comment", true, pairs(stories, commented)),
        ("long release, short comment", true, pairs(stories, commented_briefly)),
        ("live page", true, pairs(stories, live)),
        ("translated", true, translated(stories)),
        ("another story", true, pairs(stories, another_story)),
    ];
    let class = |(name, shares_texts, pairs)| Class { name, sign: Sign::Nothing, shares_texts, pairs };
    classes.into_iter().map(class).collect()
}

struct Filled {
    language: String,
    titles: [String; 2],
    texts: [String; 2],
}

fn form(language: &str, title: &str, text: &str, fills: &[&[&str]; 2]) -> Filled {
    let filled = |form: &str, fill: &[&str]| {
        let holes = fill.iter().enumerate();
        holes.fold(form.to_owned(), |form, (at, word)| form.replace(&format!("{{{at}}}"), word))
    };
    Filled {
        language: language.to_owned(),
        titles: fills.map(|fill| filled(title, fill)),
        texts: fills.map(|fill| filled(text, fill)),
    }
}

fn number(forms: Vec<Filled>) -> Vec<Pair> {
    let pair = |(at, form): (usize, Filled)| {
        let [one, other] = ["one", "other"].map(|side| format!("https://{side}-{at}.example/issue/{side}"));
        Pair {
            name: form.titles.join(" and "),
            one: entry(&one, &form.titles[0], &format!("<p>{}</p>", form.texts[0]), &form.language),
            other: entry(&other, &form.titles[1], &format!("<p>{}</p>", form.texts[1]), &form.language),
            language: form.language,
        }
    };
    forms.into_iter().enumerate().map(pair).collect()
}

/// Makes a pair of every story and the next one of its language.
fn pairs(stories: &[Story], pair: fn(&Story, &Story, usize) -> Pair) -> Vec<Pair> {
    let same_language = stories.iter().zip(&stories[1..]).filter(|(story, next)| story.language == next.language);
    same_language.enumerate().map(|(at, (story, next))| pair(story, next, at)).collect()
}

fn two(story: &Story, next: &Story, (one, other): (newswire::entry::Entry, newswire::entry::Entry)) -> Pair {
    Pair { name: format!("{} and {}", story.id, next.id), language: story.language.clone(), one, other }
}

fn same_title(story: &Story, next: &Story, at: usize) -> Pair {
    let other = entry(
        &format!("https://other-{at}.example/{at}"),
        &story.title,
        &format!("<p>{}</p>", next.text),
        &next.language,
    );
    two(story, next, (original(story, at), other))
}

fn another_story(story: &Story, next: &Story, at: usize) -> Pair {
    let own = original(story, at);
    let html = format!("<p>{}</p>", next.text);
    let other = entry(&format!("https://other-{at}.example/{at}"), &next.title, &html, &next.language);
    two(story, next, (own, other))
}

/// A press release with what two blogs have to say on it.
fn commented(story: &Story, next: &Story, at: usize) -> Pair {
    let comments = if story.text.contains(' ') {
        let words: Vec<&str> = next.text.split(' ').collect();
        [words[..30].join(" "), words[words.len() - 30..].join(" ")]
    } else {
        let chars: Vec<char> = next.text.chars().collect();
        [chars[..60].iter().collect(), chars[chars.len() - 60..].iter().collect()]
    };
    let [one, other] = ["one", "other"].map(|side| format!("https://{side}-{at}.example/{at}"));
    let html = |comment: &str| format!("<blockquote>{}</blockquote><p>{comment}</p>", story.text);
    let one = entry(&one, &story.title, &html(&comments[0]), &story.language);
    let other = entry(&other, &story.title, &html(&comments[1]), &story.language);
    two(story, next, (one, other))
}

/// A release of several paragraphs, and two sentences of each blog.
fn commented_briefly(story: &Story, next: &Story, at: usize) -> Pair {
    let mut pair = commented(story, next, at);
    for entry in [&mut pair.one, &mut pair.other] {
        let more = (0..80).map(|n| format!("paragraph{n} goes on about point{n} and")).collect::<Vec<_>>().join(" ");
        let html = entry.content_html.take().unwrap_or_default();
        entry.content_html = Some(html.replace("</blockquote>", &format!(" {more}</blockquote>")));
    }
    pair
}

/// A page that says something else every day, at one address.
fn live(story: &Story, next: &Story, at: usize) -> Pair {
    let link = format!("https://one-{at}.example/live");
    let mut one = entry(&link, "Live: all developments", &format!("<p>{}</p>", story.text), &story.language);
    one.guid.value.push_str("#1");
    let mut other = entry(&link, "Live: all developments", &format!("<p>{}</p>", next.text), &story.language);
    other.guid.value.push_str("#2");
    two(story, next, (one, other))
}

/// A translation that names what it translates.
fn translated(stories: &[Story]) -> Vec<Pair> {
    let pairs = stories.iter().filter_map(|story| {
        let original = stories.iter().find(|other| Some(&other.id) == story.translates.as_ref())?;
        Some((original, story))
    });
    let summaries = [false, true].into_iter();
    let pairs = pairs.flat_map(|pair| summaries.clone().map(move |summary| (pair, summary)));
    let pair = |(at, ((source, story), is_summary)): (usize, ((&Story, &Story), bool))| {
        let text = if is_summary { story.text.split_inclusive('.').next().unwrap() } else { &story.text };
        let mut other = entry(
            &format!("https://other-{at}.example/{at}"),
            &story.title,
            &format!("<p>{text}</p>"),
            &story.language,
        );
        let one = original(source, at);
        other.original = one.link.clone();
        two(source, story, (one, other))
    };
    pairs.enumerate().map(pair).collect()
}
