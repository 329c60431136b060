//! Requests by anonymous readers: their searches get limited time and few threads, and reveal nothing private.

use crate::support::bed;
use crate::support::sql;

use std::future::Future;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bed::{Bed, config, entry, start};
use newswire::commit::{self, ActiveConfig};
use newswire::config::{Config, Listen};
use newswire::listen::{Listener, SocketReach};
use newswire::newsroom;
use newswire::number::StoryNumber;
use newswire::publish::Publisher;
use newswire::query::Query;
use newswire::render::Pages;
use newswire::serve;
use newswire::store::{Hits, ReadLimits};

use tokio_util::sync::CancellationToken;

const FEEDS: &str = "[site]\ntitle = \"Test\"\n\
    [[feed]]\nid = \"open\"\nurl = \"https://open.example/feed\"\n\
    [[feed]]\nid = \"own\"\nurl = \"https://own.example/feed\"\n";
const OPEN: &str = "[[section]]\nid = \"all\"\nfeeds = [\"open\"]\n";
const PRIVATE: &str = "[[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntoken = \"canary\"\n";

/// Words that every story of [`fill`] has.
const COMMON: &str = "alpha beta gamma delta epsilon zeta theta kappa lambda sigma omega upsilon omicron";

/// A time limit that is longer than anything here takes.
const LONG: Duration = Duration::from_secs(3600);

fn both() -> Arc<Config> {
    config(&format!("{FEEDS}{OPEN}{PRIVATE}"))
}

/// Puts this many stories into the public search index. Each has all words of [`COMMON`].
fn fill(bed: &Bed, count: i64) {
    let store = sql::open(bed.folder.path().join("newswire.db"));
    store.execute_batch("PRAGMA foreign_keys = off; BEGIN").unwrap();
    let numbers = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?1)";
    let sql = format!(
        "{numbers} INSERT INTO public_search (rowid, title, text, author) SELECT x, 'Words', ?2 || ' own' || x, '' FROM n"
    );
    store.execute(&sql, sql::params![count, COMMON]).unwrap();
    let sql = format!("{numbers} INSERT INTO public_story (story, sort_at) SELECT x, 1514764800000 + x FROM n");
    store.execute(&sql, [count]).unwrap();
    store.execute_batch("COMMIT").unwrap();
}

async fn index(bed: &Bed) {
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    while commit::index_public_batch(&bed.store, bed.config.clone()).await.unwrap() > 0 {}
}

fn publisher(bed: &Bed) -> Publisher {
    Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap().with_search())
}

async fn page(publisher: &Publisher, config: &Arc<Config>, words: &str) -> String {
    let page = publisher.make(config, "search", |_| Some(words.to_owned())).await.unwrap().unwrap();
    String::from_utf8(page.identity.to_vec()).unwrap()
}

/// Returns the titles on a search page, in order.
async fn found(publisher: &Publisher, config: &Arc<Config>, words: &str) -> Vec<String> {
    let page = page(publisher, config, words).await.replace("<mark>", "").replace("</mark>", "");
    let heads = page.split("<h2 class=\"headline\">").skip(1);
    heads.map(|head| head.split("\">").nth(1).unwrap().split("</a>").next().unwrap().to_owned()).collect()
}

async fn find(bed: &Bed, words: &str) -> Hits<StoryNumber> {
    let (config, query) = (bed.config.clone(), Query::parse(words).0);
    let search = newsroom::public_search(&config, query.search()).unwrap_or_default();
    let finding = bed.store.read(move |reader| reader.search_public(&search, 10, &ReadLimits::new(LONG)));
    finding.await.unwrap()
}

/// Returns words that no other story has, and the given ones.
fn text(stem: &str, words: &str) -> String {
    let own: String = (0..50).map(|number| format!("{stem}{number} ")).collect();
    format!("{own}{words}")
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_searches_free_their_threads_soon() {
    let bed = Bed::new(both()).await;
    fill(&bed, 60_000);
    let publisher = publisher(&bed);
    let (_edits, configs) = tokio::sync::watch::channel(bed.config.clone());
    let listener =
        Listener::bind(&Listen::Address("127.0.0.1:0".parse().unwrap()), SocketReach::AllUsers).await.unwrap();
    let port = listener.port().unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve::public(listener, publisher.clone(), configs, shutdown.clone()));

    let started = Instant::now();
    page(&publisher, &bed.config, COMMON).await;
    let one = started.elapsed();

    let words = COMMON.replace(' ', "+");
    let ask = |number: usize| {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(socket, "GET /search?q={words}+x{number} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        socket
    };
    let sockets: Vec<TcpStream> = (0..40).map(ask).collect();
    while publisher.busy() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(publisher.busy() <= 2, "few run at once, so that memory is bounded");
    drop(sockets);
    let gone = Instant::now();
    while publisher.busy() > 0 {
        assert!(publisher.busy() <= 2);
        // If all forty searches ran in two threads, they would take twenty times as long as one search.
        assert!(
            gone.elapsed() < one * 10,
            "the threads keep working for clients that have gone: {:?} against {one:?}",
            gone.elapsed()
        );
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn searches_beyond_the_queue_are_rejected_at_once() {
    let bed = Bed::new(both()).await;
    fill(&bed, 1000);
    let publisher = publisher(&bed);
    let mut context = Context::from_waker(Waker::noop());
    let mut asking: Vec<_> =
        (0..60).map(|_| Box::pin(publisher.make(&bed.config, "search", |_| Some(COMMON.to_owned())))).collect();
    let answers = asking.iter_mut().map(|asked| asked.as_mut().poll(&mut context));
    let turned_away = answers.filter(|answer| matches!(answer, Poll::Ready(Err(error)) if error.is_for_now())).count();
    assert_eq!(turned_away, 60 - 2 - 32);
    drop(asking);
    while publisher.busy() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(found(&publisher, &bed.config, "nothing").await.len(), 0, "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_search_of_a_large_archive_stops_at_its_deadline_and_says_so() {
    let bed = Bed::new(both()).await;
    fill(&bed, 100_000);
    let publisher = publisher(&bed);
    let words = format!("after:2001 {COMMON} {COMMON} {COMMON}");
    let started = Instant::now();
    let page = page(&publisher, &bed.config, &words[..200]).await;
    // The search may take one second. The rest is for a busy machine.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(page.contains("Searched only the newest stories"), "{page}");
    assert!(page.contains("Ignored: only the first 8 words, phrases and fields are used"), "{page}");
}

#[tokio::test]
async fn search_time_grows_at_most_in_proportion_to_the_archive() {
    let (small, large) = (Bed::new(both()).await, Bed::new(both()).await);
    fill(&small, 15_000);
    fill(&large, 30_000);
    let mut times = [Duration::MAX; 2];
    // The two archives are searched alternately, so that a busy machine slows both searches.
    for _ in 0..20 {
        for (bed, least) in [&small, &large].into_iter().zip(&mut times) {
            let started = Instant::now();
            assert_eq!(find(bed, "alpha beta after:2001").await.numbers.len(), 10);
            *least = started.elapsed().min(*least);
        }
    }
    assert!(times[1] <= times[0] * 3, "{times:?}");
}

#[tokio::test]
async fn searching_private_words_takes_as_long_as_searching_absent_words() {
    let mut bed = Bed::new(both()).await;
    let stories = |host: &str, word: &str| -> Vec<_> {
        let link = |number: usize| format!("https://{host}.example/{number}");
        let title = |number: usize| format!("{host} {number} {}", text(&format!("{host}{number}t"), ""));
        (0..200).map(|n| entry(&link(n), &title(n), &text(&format!("{host}{n}x"), word))).collect()
    };
    bed.poll("open", &stories("open", "ferry")).await;
    bed.poll("own", &stories("own", "xylophone")).await;
    index(&bed).await;
    let publisher = publisher(&bed);
    assert_eq!(found(&publisher, &bed.config, "ferry").await.len(), 30);
    for (private, absent) in [
        ("xylophone", "zeppelins"),
        ("xyloph", "zeppel"),
        ("xylophone after:2001", "zeppelins after:2001"),
        ("feed:own", "feed:nix"),
    ] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..101 {
            for (words, times) in [private, absent].into_iter().zip(&mut times) {
                let started = Instant::now();
                assert!(found(&publisher, &bed.config, words).await.is_empty(), "{words}");
                times.push(started.elapsed());
            }
        }
        let [private_time, absent_time] = times.map(|mut times| {
            times.sort();
            times[times.len() / 2]
        });
        let (shorter, longer) = (private_time.min(absent_time), private_time.max(absent_time));
        assert!(
            longer.as_secs_f64() <= shorter.as_secs_f64() * 1.5,
            "{private}: {private_time:?}, {absent}: {absent_time:?}"
        );
    }
}

#[tokio::test]
async fn order_of_search_results_does_not_depend_on_private_texts() {
    let mut orders = Vec::new();
    for with_private in [false, true] {
        let mut bed = Bed::new(both()).await;
        let mut stories = vec![
            entry("https://open.example/a", "One", &text("a", "lighthouse lighthouse lighthouse ferry")),
            entry("https://open.example/b", "Two", &text("b", "lighthouse ferry ferry ferry")),
        ];
        stories.extend((0..20).map(|n| {
            entry(&format!("https://open.example/{n}"), &format!("Other {n}"), &text(&format!("c{n}x"), "ferry"))
        }));
        bed.poll("open", &stories).await;
        if with_private {
            let private = (0..300).map(|n| {
                entry(&format!("https://own.example/{n}"), &format!("Own {n}"), &text(&format!("d{n}x"), "lighthouse"))
            });
            bed.poll("own", &private.collect::<Vec<_>>()).await;
        }
        index(&bed).await;
        orders.push(found(&publisher(&bed), &bed.config, "lighthouse ferry").await);
    }
    assert_eq!(orders[0], ["One", "Two"], "the rare word counts for more");
    assert_eq!(orders[0], orders[1]);
}

#[tokio::test]
async fn public_index_follows_the_config_and_the_copies() {
    let mut bed = Bed::new(both()).await;
    let story = entry("https://open.example/1", "The ferry", &text("a", "zeppelin"));
    bed.poll("open", std::slice::from_ref(&story)).await;
    let private = entry("https://own.example/9", "Own", &text("b", "xylophone"));
    bed.poll("own", std::slice::from_ref(&private)).await;
    index(&bed).await;
    assert_eq!(find(&bed, "zeppelin").await.numbers.len(), 1);
    assert!(find(&bed, "xylophone").await.numbers.is_empty());

    // If a feed's text may not be published, its stories are found only by title.
    let link = FEEDS.replacen("feed\"\n", "feed\"\nrepublish = \"link\"\n", 1);
    bed.follow(config(&format!("{link}{OPEN}{PRIVATE}"))).await;
    index(&bed).await;
    assert_eq!((find(&bed, "zeppelin").await.numbers.len(), find(&bed, "ferry").await.numbers.len()), (0, 1));

    // The section becomes private.
    bed.follow(config(&format!("{FEEDS}{OPEN}token = \"long enough for a test\"\n{PRIVATE}"))).await;
    index(&bed).await;
    assert!(find(&bed, "ferry").await.numbers.is_empty());
    bed.follow(config(&format!("{FEEDS}{OPEN}"))).await;
    index(&bed).await;
    assert_eq!(find(&bed, "zeppelin").await.numbers.len(), 1);

    // The feed edits the story.
    bed.poll("open", &[entry("https://open.example/1", "The ferry", &text("a", "airship"))]).await;
    index(&bed).await;
    assert_eq!((find(&bed, "zeppelin").await.numbers.len(), find(&bed, "airship").await.numbers.len()), (0, 1));

    // The other feed becomes public, too.
    bed.follow(config(&format!("{FEEDS}{}", OPEN.replace("[\"open\"]", "[\"*\"]")))).await;
    index(&bed).await;
    assert_eq!(find(&bed, "xylophone").await.numbers.len(), 1);
    assert_eq!(find(&bed, "feed:own").await.numbers.len(), 1);
    assert_eq!(find(&bed, "section:all").await.numbers.len(), 2);
    assert_eq!(find(&bed, "section:all before:2017").await.numbers.len(), 0);
}

#[tokio::test]
async fn batch_that_began_before_an_edit_indexes_as_the_edit_says() {
    let mut bed = Bed::new(both()).await;
    bed.poll("open", &[entry("https://open.example/1", "The ferry", &text("a", "zeppelin"))]).await;
    let active = ActiveConfig::new(bed.config.clone());
    let batch = commit::index_public_batch(&bed.store, active.clone());
    active.follow(&bed.store, config(&format!("{FEEDS}{PRIVATE}")), start()).await.unwrap();
    assert!(batch.await.unwrap() > 0);
    assert!(find(&bed, "zeppelin").await.numbers.is_empty());
}
