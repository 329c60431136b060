//! The posts of the benchmark's feeds: RSS as publishing software writes it, in invented words.
//!
//! Three of four posts are summaries of about 30 words, half of them with a picture. The fourth is a full text of about
//! 400 words with a summary. It has paragraphs with links, pictures, emphasised words and character references. These
//! are the averages of more than a hundred public feeds: a quarter of them have full texts, of 420 words with 5 links,
//! and summaries have 29 words. Links have tracking parameters, and guids are short addresses of the same page.

use newswire::time::Timestamp;

/// One post in this many is a full text.
const FULL: usize = 4;

/// The number of different words. A few words are in almost every post, and most words are very rare.
const WORDS: f64 = 20_000.0;

/// A post. Its words depend only on its number.
#[derive(Clone, Copy)]
pub struct Post {
    pub number: usize,
    pub published: Timestamp,
}

/// Returns the document of a feed. Without `links`, its entries have no addresses.
pub fn document(feed: usize, posts: &[Post], links: bool) -> String {
    let items: String = posts.iter().map(|post| item(feed, post, links)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel>\n<title>Feed {feed}</title>\n\
         <link>https://feed{feed}.example/</link>\n<description>What feed {feed} tells</description>\n<language>en</language>\n\
         {items}</channel>\n</rss>\n"
    )
}

fn item(feed: usize, post: &Post, links: bool) -> String {
    let Post { number, published } = post;
    let mut dice = Dice::of(*number);
    let (title, author, tags) = (dice.words(8), dice.words(2), [dice.words(1), dice.words(2)]);
    let page = format!("https://feed{feed}.example/2017/{number}/{}/", title.replace(' ', "-"));
    let names = if links {
        format!(
            "<link>{page}?utm_source=rss&amp;utm_medium=feed</link>\n\
             <guid isPermaLink=\"false\">https://feed{feed}.example/?p={number}</guid>"
        )
    } else {
        format!("<guid isPermaLink=\"false\">tag:feed{feed}.example,2017:{number}</guid>")
    };
    let texts = if number.is_multiple_of(FULL) {
        let text = article(&mut dice, &page);
        let summary = format!("{} [&#8230;]", dice.sentence(40));
        format!(
            "<description>{}</description>\n<content:encoded><![CDATA[{text}]]></content:encoded>",
            escaped(&summary)
        )
    } else {
        format!("<description>{}</description>", escaped(&teaser(&mut dice, &page)))
    };
    let published = published.rfc822();
    let [first, second] = tags;
    format!(
        "<item>\n<title>{title}</title>\n{names}\n<dc:creator>{author}</dc:creator>\n<category>{first}</category>\n\
         <category>{second}</category>\n<pubDate>{published}</pubDate>\n{texts}\n</item>\n"
    )
}

/// Returns an article of about 400 words.
fn article(dice: &mut Dice, page: &str) -> String {
    let mut html = String::new();
    for paragraph in 0..8 {
        let (before, linked, stressed) = (dice.sentence(16), dice.words(2), dice.words(1));
        let (quoted, after) = (dice.sentence(12), dice.sentence(18));
        html += &format!(
            "<p class=\"wp-block-paragraph\">{before} <a href=\"https://{stressed}.example/{paragraph}?utm_source=site&amp;id={paragraph}\" \
             target=\"_blank\" rel=\"noopener\">{linked}</a>, <em>{stressed}</em>: &#8220;{quoted}&#8221; &amp; {after}</p>\n"
        );
        if paragraph % 4 == 1 {
            html += &format!("<figure>{}<figcaption>{}</figcaption></figure>\n", picture(page), dice.words(5));
        }
    }
    html
}

/// Returns a summary of about 30 words; every other one has a picture.
fn teaser(dice: &mut Dice, page: &str) -> String {
    let picture = if dice.roll().is_multiple_of(2) { picture(page) } else { String::new() };
    format!(
        "{picture}<p>{} &#8217;{}&#8217; <a href=\"{page}?utm_source=rss\">Continue reading</a></p>",
        dice.sentence(24),
        dice.words(3)
    )
}

fn picture(page: &str) -> String {
    format!(
        "<img width=\"1024\" height=\"683\" src=\"{page}large.jpg?w=1024&amp;quality=80\" class=\"attachment-large\" alt=\"\" \
         srcset=\"{page}large.jpg?w=1024 1024w, {page}small.jpg?w=300 300w\" loading=\"lazy\" />"
    )
}

fn escaped(html: &str) -> String {
    html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Random numbers that are the same at every run: SplitMix64.
struct Dice {
    state: u64,
}

impl Dice {
    fn of(number: usize) -> Dice {
        Dice { state: (number as u64) << 32 }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn words(&mut self, count: usize) -> String {
        let word = |dice: &mut Dice| {
            let share = (dice.roll() % 10_000) as f64 / 10_000.0;
            word((WORDS * share * share * share) as usize)
        };
        (0..count).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }

    fn sentence(&mut self, words: usize) -> String {
        let words = self.words(words);
        format!("{}{}.", words[..1].to_uppercase(), &words[1..])
    }
}

/// Returns the word that stands for a number: one syllable for each digit of the number in base 12.
fn word(mut number: usize) -> String {
    const SYLLABLES: [&str; 12] = ["ba", "den", "fi", "gor", "hul", "ka", "lem", "mi", "nor", "pu", "ras", "to"];
    let mut word = String::new();
    loop {
        word += SYLLABLES[number % SYLLABLES.len()];
        number /= SYLLABLES.len();
        if number == 0 {
            return word;
        }
    }
}
