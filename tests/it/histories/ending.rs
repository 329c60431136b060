//! The end of a random history: everything that readers and editors can see then, except the sentences of explanations.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use newswire::config::Section;
use newswire::render::{self, SectionView};
use newswire::section;
use newswire::shown::{self, Infos};
use sha2::{Digest, Sha256};

use crate::histories::play::History;
use crate::support::bed::section_view;

/// Ids that newswire makes begin with this text, and this number of characters follows.
const UUID: &str = "urn:uuid:";
const UUID_CHARS: usize = 36;

/// The documents by path, and the stories by address or id.
#[derive(Default)]
pub struct Ending {
    editions: BTreeMap<String, Vec<u8>>,
    archives: BTreeMap<String, Vec<u8>>,
    stories: BTreeMap<String, Vec<u8>>,
}

impl Ending {
    pub async fn of(history: &History) -> Ending {
        let mut ending = Ending::default();
        for section in &history.bed.config.sections {
            ending.editions.extend(editions(history, section).await);
            ending.archives.extend(archives(history, section).await);
        }
        let ids = history.ids.iter().filter(|id| !id.starts_with(UUID)).cloned();
        for name in history.world.addresses().into_iter().chain(ids) {
            if history.bed.is_known(&name).await {
                ending.stories.insert(name.clone(), story(history, &name).await.into_bytes());
            }
        }
        ending.documents().for_each(|document| *document = as_first_recorded(document));
        ending.number_ids();
        ending
    }

    fn documents(&mut self) -> impl Iterator<Item = &mut Vec<u8>> {
        self.editions.values_mut().chain(self.archives.values_mut())
    }

    /// Replaces the ids that newswire made with numbers, in the order in which they occur. The ids of private stories
    /// depend on a key that differs from store to store.
    fn number_ids(&mut self) {
        let mut numbers = BTreeMap::new();
        for documents in [&mut self.editions, &mut self.archives, &mut self.stories] {
            for document in documents.values_mut() {
                let text = String::from_utf8(std::mem::take(document)).unwrap();
                let (mut numbered, mut rest) = (String::new(), text.as_str());
                while let Some(at) = rest.find(UUID) {
                    let (before, id) = rest.split_at(at);
                    let (id, after) = id.split_at(UUID.len() + UUID_CHARS);
                    let next = numbers.len();
                    let number = numbers.entry(id.to_owned()).or_insert(next);
                    numbered += &format!("{before}urn:number:{number}");
                    rest = after;
                }
                *document = (numbered + rest).into_bytes();
            }
        }
    }

    /// Returns the hashes of the editions, the archives and the stories: the first 64 bits of SHA-256 in hexadecimal
    /// digits.
    pub fn hashes(&self) -> [String; 3] {
        [&self.editions, &self.archives, &self.stories].map(|documents| {
            let mut hasher = Sha256::new();
            for (path, document) in documents {
                hasher.update(path.len().to_le_bytes());
                hasher.update(path);
                hasher.update(document.len().to_le_bytes());
                hasher.update(document);
            }
            hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        })
    }

    /// Writes everything into a folder, so that a person can compare it.
    pub fn write(&self, folder: &Path) {
        let stories = self.stories.iter().enumerate();
        let stories = stories
            .map(|(at, (name, story))| (format!("stories/{at:03}.txt"), [name.as_bytes(), b"\n", story].concat()));
        let documents =
            self.editions.iter().chain(&self.archives).map(|(path, document)| (path.clone(), document.clone()));
        for (path, document) in documents.chain(stories) {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, document).unwrap();
        }
    }
}

/// Returns a document as newswire wrote it when the golden file was made. What editions gained since then is the same in all
/// histories, so it is taken away: the site's icon, the address of the explanations, and a relation and a namespace of our own.
fn as_first_recorded(document: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    let is_gained = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("<icon>") || line.starts_with("\"favicon\": ") || line.starts_with("\"about\": ")
    };
    let text: String = text.split_inclusive('\n').filter(|line| !is_gained(line)).collect();
    let namespace = "urn:uuid:27fbc6ba-eae7-4f0c-b0e9-2ba84fdafbac";
    let text = text.replace(namespace, "https://newswire.example/opml");
    text.replace("rel=\"https://news.example.org/about/#copy\"", "rel=\"via\"").into_bytes()
}

/// Returns the documents of a section: Atom, RSS, JSON Feed and OPML.
async fn editions(history: &History, section: &Arc<Section>) -> Vec<(String, Vec<u8>)> {
    let (config, of) = (history.bed.config.clone(), section.clone());
    let read = history.bed.store.read(move |reader| {
        let infos = Infos::of(reader);
        let content = shown::section_content(reader, &config, &of, &infos)?;
        let prev_archive = reader.newest_archive(&of.id)?;
        let view = SectionView {
            feeds: &content.feeds,
            updated: content.updated,
            prev_archive,
            ..section_view(&config, &of, &content.atom_id, &content.stories)
        };
        let opml = render::opml(&config.site, &of.title, &content.feeds, content.updated).unwrap();
        let documents = [
            render::atom(&view.prepare()).unwrap(),
            render::rss(&view.prepare()).unwrap(),
            render::json(&view.prepare()).unwrap(),
            opml,
        ];
        let names = ["atom", "rss", "json", "opml"].map(|format| format!("{}.{format}", of.id));
        Ok(names.into_iter().zip(documents).collect())
    });
    read.await.unwrap()
}

/// Returns the archive documents of a section in Atom.
async fn archives(history: &History, section: &Arc<Section>) -> Vec<(String, Vec<u8>)> {
    let (config, of) = (history.bed.config.clone(), section.clone());
    let read = history.bed.store.read(move |reader| {
        let id = shown::permanent_id(reader, &config, &of.id)?;
        let mut documents = Vec::new();
        while let Some(archive) = shown::archive(reader, &config, &of, documents.len() as u32 + 1, &Infos::of(reader))?
        {
            let number = documents.len() as u32 + 1;
            let view = SectionView {
                updated: archive.changed,
                archive: Some(number),
                ..section_view(&config, &of, &id, &archive.stories)
            };
            documents.push((format!("{}/archive/{number}.atom", of.id), render::atom(&view.prepare()).unwrap()));
        }
        Ok(documents)
    });
    read.await.unwrap()
}

/// Returns what `explain` knows about a story, without its sentences: the copies and, for each section, the stored
/// state and the state that the active config gives.
async fn story(history: &History, name: &str) -> String {
    let (config, found, now) = (history.bed.config.clone(), history.bed.find(name).await, history.bed.now);
    let read = history.bed.store.read(move |reader| {
        let explained = shown::explain(reader, &config, found)?;
        let mut text = format!("{} {} {}\n", explained.story.id, explained.story.slug, explained.story.sort_at);
        for copy in &explained.all {
            let link = copy.link.as_ref().map(url::Url::as_str);
            text += &format!("copy {} {} {:?} {} {:?}\n", copy.feed, copy.guid, link, copy.reason.as_str(), copy.score);
        }
        for section in &config.sections {
            let visible = section::visible(section, &explained.copies);
            let verdict = section::judge(section, &visible, explained.story.sort_at, now);
            let verdict = verdict.map(|verdict| {
                let rule = verdict.why.rule().map(|rule| rule.to_string());
                (verdict.is_in, visible[verdict.lead].feed.id.to_string(), rule, verdict.next_change)
            });
            let placement = explained.placements.get(&section.id);
            let placement = placement.map(|placement| {
                let rule = placement.why.rule().map(|rule| rule.to_string());
                (placement.entered, placement.left, rule)
            });
            text += &format!("section {} {verdict:?} {placement:?}\n", section.id);
        }
        Ok(text)
    });
    read.await.unwrap()
}
