//! Reads `podcast` of a section, and warns of what podcast directories refuse: the rules of PSP-1 (Podcast Standards Project) and
//! of Apple Podcasts.

use url::Url;

use super::keys;
use super::model::PodcastChannel;
use super::reader::{Fault, Node, Table};
use super::settings::Settings;
use super::value;

/// The categories of Apple Podcasts, which other directories use too.
#[rustfmt::skip]
const CATEGORIES: [&str; 19] = [
    "Arts", "Business", "Comedy", "Education", "Fiction", "Government", "Health & Fitness", "History", "Kids & Family", "Leisure",
    "Music", "News", "Religion & Spirituality", "Science", "Society & Culture", "Sports", "TV & Film", "Technology", "True Crime",
];

/// What directories want of a cover. newswire does not fetch it.
const COVER: &str = "a square JPEG or PNG of 1400 to 3000 pixels";

/// Reads the key; `None` if the section is no podcast, or if the table has errors. `image` is the image of the section.
pub(super) fn read(section: &Table, image: Option<&Url>, settings: &Settings) -> Option<PodcastChannel> {
    let table = section.table("podcast", &keys::PODCAST)?;
    let flag = |key, default| table.get(key, Node::boolean).unwrap_or(default);
    let category = table.need("category", value::words);
    let podcast = PodcastChannel {
        explicit: flag("explicit", false),
        locked: flag("locked", true),
        block: flag("block", true),
        category: category?,
    };
    warn_of_category(&table, &podcast.category);
    let warn = |message: &str, hint: &str| table.reading.warn(&section.place_of("podcast"), Fault::new(message, hint));
    match image {
        None => warn(
            "podcast directories refuse a podcast without a cover",
            &format!("add image = \"https://…\" to the section: {COVER}"),
        ),
        Some(image) if !may_be_cover(image) => {
            let fault = Fault::new("podcast directories refuse this image as a cover", format!("it must be {COVER}"));
            table.reading.warn(&section.place_of("image"), fault);
        }
        Some(_) => {}
    }
    if !table.has("explicit") {
        warn("podcast directories want to know whether a podcast is explicit", "write explicit = false, or true");
    }
    if !settings.has_language {
        warn(
            "podcast directories refuse a podcast without a language",
            "write language = \"en\" under [site], or your own",
        );
    }
    if settings.site.owner.as_ref().is_none_or(|owner| owner.email.is_none()) {
        let hint = "write owner = { name = \"…\", email = \"…\" } under [site]";
        warn(
            "podcast directories send a code to the owner's e-mail address to verify a podcast, and there is none",
            hint,
        );
    }
    Some(podcast)
}

fn warn_of_category(table: &Table, category: &str) {
    if !CATEGORIES.contains(&category) {
        let nearest = keys::nearest(category, CATEGORIES.into_iter());
        let hint = nearest.map_or_else(|| CATEGORIES.join(", "), |nearest| format!("did you mean \"{nearest}\"?"));
        let fault = Fault::new("podcast directories do not know this category", hint);
        table.reading.warn(&table.place_of("category"), fault);
    }
}

/// Whether the image may be a JPEG or PNG. Only the extension of the address can show that it is none.
fn may_be_cover(image: &Url) -> bool {
    let name = image.path().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    !extension.is_some_and(|extension| ["avif", "gif", "svg", "svgz", "webp"].contains(&extension))
}
