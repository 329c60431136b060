//! Plays a random history step by step: what publishers do, and what the owner of the newswire does.

use std::collections::BTreeSet;
use std::sync::Arc;

use newswire::commit::{self, Mode};
use newswire::config::Config;
use newswire::feed::FeedId;
use newswire::shown::{self, Infos};

use crate::histories::ending::Ending;
use crate::histories::world::{FEEDS, Random, World};
use crate::support::bed::{Bed, HOUR, config};

/// The number of steps of a history.
const STEPS: u64 = 36;

/// A newswire, the publishers around it, and the ids of stories that it has shown.
pub struct History {
    pub bed: Bed,
    pub world: World,
    random: Random,
    /// The ids of all stories that a section showed when [`History::archive`] looked at it.
    pub ids: BTreeSet<String>,
}

/// Plays the history of this seed to its end.
pub async fn play(seed: u64) -> Ending {
    let mut random = Random(seed);
    let bed = Bed::new(edition_of_config(&mut random)).await;
    let mut history = History { bed, world: World::new(), random, ids: BTreeSet::new() };
    for _ in 0..STEPS {
        history.step().await;
    }
    history.archive().await;
    Ending::of(&history).await
}

impl History {
    async fn step(&mut self) {
        self.bed.now = self.bed.now + HOUR * (1 + self.random.below(30) as u32);
        self.world.go_on(&mut self.random, self.bed.now);
        match self.random.below(100) {
            0..66 => self.poll().await,
            66..75 => {
                let config = edition_of_config(&mut self.random);
                self.bed.follow(config).await;
            }
            75..83 => drop(commit::sweep(&self.bed.store, self.bed.config.clone(), self.bed.now).await.unwrap()),
            83..87 => self.retain().await,
            87..91 => self.split().await,
            91..94 => self.join().await,
            _ => self.archive().await,
        }
    }

    /// Polls one to three random feeds. Skips a feed that is not in the config.
    async fn poll(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            let feed = *self.random.pick(&FEEDS);
            if self.bed.config.feed(&FeedId::from(feed)).is_none() {
                continue;
            }
            let entries = self.world.document(feed, &mut self.random);
            self.bed.poll_at(self.bed.now, feed, &entries).await;
            self.bed.now = self.bed.now + HOUR / 60 * (self.random.below(3) as u32);
        }
    }

    async fn retain(&mut self) {
        while commit::retain_batch(&self.bed.store, self.bed.config.clone(), self.bed.now).await.unwrap().0 > 0 {}
    }

    /// Splits a random copy off a random story, if the story has several copies.
    async fn split(&mut self) {
        let Some(address) = self.address().await else { return };
        let copies = self.bed.copies(&address).await;
        if copies.len() < 2 {
            return;
        }
        let story = self.bed.find(&address).await.number;
        let entry = self.random.pick(&copies).number;
        let (store, config, now) = (self.bed.store.clone(), self.bed.config.clone(), self.bed.now);
        // A copy whose feed is not in the config cannot be split off. Then the call fails and changes nothing.
        let _ = commit::split(&store, config, (story, entry), Mode::Perform, now).await;
    }

    async fn join(&mut self) {
        let (Some(one), Some(other)) = (self.address().await, self.address().await) else { return };
        let (one, other) = (self.bed.find(&one).await.number, self.bed.find(&other).await.number);
        let (store, config, now) = (self.bed.store.clone(), self.bed.config.clone(), self.bed.now);
        commit::join(&store, config, (one, other), Mode::Perform, now).await.unwrap();
    }

    /// Returns a random address that belongs to a story, or `None` if eight tries find none.
    async fn address(&mut self) -> Option<String> {
        let addresses = self.world.addresses();
        for _ in 0..8 {
            let address = self.random.pick(&addresses).clone();
            if self.bed.is_known(&address).await {
                return Some(address);
            }
        }
        None
    }

    /// Archives the stories that newer ones pushed out of the sections, as publishing does before it renders.
    async fn archive(&mut self) {
        for section in self.bed.config.sections.clone() {
            loop {
                let (config, of) = (self.bed.config.clone(), section.clone());
                let read = self.bed.store.read(move |reader| {
                    let infos = Infos::of(reader);
                    let stories = shown::section_content(reader, &config, &of, &infos)?.stories;
                    let pushed_out = shown::pushed_out(reader, &config, &of, &stories, &infos)?;
                    Ok((stories, pushed_out))
                });
                let (stories, pushed_out) = read.await.unwrap();
                self.ids.extend(stories.into_iter().map(|story| story.id));
                let is_all = pushed_out.is_all;
                if !pushed_out.is_empty() {
                    commit::archive(&self.bed.store, section.id.clone(), pushed_out, self.bed.now).await.unwrap();
                }
                if is_all {
                    break;
                }
            }
        }
    }
}

/// Returns a random config, as the owner of the newswire may write it.
fn edition_of_config(random: &mut Random) -> Arc<Config> {
    let without = if random.is_one_in(4) { Some(*random.pick(&FEEDS[1..])) } else { None };
    let mut text =
        "[site]\ntitle = \"Histories\"\nurl = \"https://news.example.org/\"\nfacets = [\"region\", \"topic\"]\n\
                    [store]\nkeep = \"12 days\"\n"
            .to_owned();
    for feed in FEEDS.into_iter().filter(|feed| without != Some(feed)) {
        text += &format!("[[feed]]\nid = \"{feed}\"\nurl = \"https://{feed}.example/feed\"\n");
        text += match feed {
            "other" if random.is_one_in(3) => "priority = 5\n",
            "links" => "dedup = \"links\"\n",
            "closed" if random.is_one_in(3) => "republish = \"summary\"\n",
            _ => "",
        };
    }
    // In half of the configs the feed `closed` is only in a private section.
    let public = FEEDS.into_iter().filter(|feed| without != Some(feed) && *feed != "closed");
    let public = public.map(|feed| format!("\"{feed}\"")).collect::<Vec<_>>().join(", ");
    let public = if random.is_one_in(2) { format!("feeds = [{public}]") } else { "feeds = [\"*\"]".to_owned() };
    let limit = 5 + random.below(3) * 10;
    text += &format!("[[section]]\nid = \"all\"\ntitle = \"All\"\n{public}\nlimit = {limit}\n");
    text += &format!("[[section]]\nid = \"first\"\ntitle = \"First words\"\n{public}\nedits = \"ignore\"\n");
    text += &format!("[[section]]\nid = \"bumped\"\ntitle = \"Bumped\"\n{public}\nedits = \"bump\"\nlimit = 8\n");
    text += &format!("[[section]]\nid = \"recent\"\ntitle = \"Recent\"\n{public}\nmax_age = \"5 days\"\n");
    text += "[[section]]\nid = \"inner\"\ntitle = \"Inner\"\nfeeds = [\"*\"]\nlimit = 10\ntoken = \"only for this history\"\n";
    let keep = *random.pick(&[
        "keep = [ { category = \"region:north\" }, { title = \"library\" } ]\n",
        "keep = [ { category = \"region:south\" } ]\ndrop = [ { title = \"strike\" } ]\n",
        "keep = [ { text = \"edited1\" }, { age = \"<3 days\" } ]\n",
    ]);
    text += &format!("[[section]]\nid = \"narrow\"\ntitle = \"Narrow\"\n{public}\n{keep}per_feed = 3\n");
    if random.is_one_in(2) {
        text += "[[section]]\nid = \"origins\"\ntitle = \"Origins\"\nfeeds = [\"origin\"]\nlimit = 4\n";
    } else if random.is_one_in(2) {
        text += "[[section]]\nid = \"roots\"\nformerly = [\"origins\"]\ntitle = \"Roots\"\nfeeds = [\"origin\"]\nlimit = 4\n";
    }
    // The histories were recorded when editions named the publication only in the fields for it.
    config(&text.replace("[[section]]\n", "[[section]]\nsource_in = \"none\"\n"))
}
