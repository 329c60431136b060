//! What a title says about the form of its entry: pictures, a video, a live report, a recording, a correction.
//!
//! A gallery has the headline of the article that it illustrates, and often its first sentence, but it is not the
//! article.

use std::sync::LazyLock;

use foldhash::HashSet;

use super::words::{Word, Words};

/// The most words besides a form's name in a label such as "the best photos".
const OTHER_WORDS: usize = 2;

/// The forms, and the words for each.
const FORMS: [(Genre, &str); 5] = [
    (
        Genre::Pictures,
        "pictures, in pictures, photos, photo gallery, gallery, Bilder, Bildern, Fotos, Bildergalerie, Fotostrecke, Fotogalerie, en images, images, \
         photos, diaporama, galerie, en imágenes, imágenes, fotos, fotogalería, galería, foto, fotogallery, immagini, le foto, \
         em imagens, imagens, fotogaleria, in beeld, foto's, galeria, zdjęcia, zdjęć, фото, в фотографиях, фоторепортаж, фотогалерея, \
         галерея, صور, بالصور, 图集, 组图, 高清图, 图片, 圖集, 組圖, 写真, 写真特集, フォトギャラリー, 화보, 사진",
    ),
    (
        Genre::Video,
        "video, videos, watch, vidéo, vidéos, vídeo, vídeos, wideo, видео, فيديو, بالفيديو, 视频, 視頻, 影片, 動画, 영상",
    ),
    (
        Genre::Live,
        "live, live blog, liveblog, live updates, Liveticker, Ticker, en direct, direct, en directo, directo, en vivo, diretta, \
         in diretta, ao vivo, na żywo, relacja, онлайн, прямой эфир, трансляция, مباشر, 直播, 实时更新, 即時更新, ライブ, 生中継",
    ),
    (Genre::Audio, "podcast, audio, подкаст, аудио, بودكاست, 播客, 音频, ポッドキャスト, 음성"),
    (
        Genre::Correction,
        "correction, corrections, clarification, erratum, errata, Korrektur, Korrekturen, Berichtigung, Richtigstellung, rectificatif, \
         erratum, corrección, fe de errores, fe de erratas, rectificación, aclaración, errata corrige, rettifica, precisazione, \
         correção, retificação, rectificatie, correctie, sprostowanie, korekta, поправка, уточнение, исправление, تصحيح, تصويب, استدراك, \
         更正, 更正声明, 勘误, 更正啟事, 訂正, おわび, おわびと訂正, お詫びと訂正, 訂正とおわび, 정정, 정정보도",
    ),
];

/// The form of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Genre {
    Pictures,
    Video,
    Live,
    Audio,
    /// A notice of what was wrong in an article. It has the headline of the article, and often its first sentence.
    Correction,
}

static NAMES: LazyLock<Vec<(Genre, Vec<u64>)>> = LazyLock::new(|| {
    let names = FORMS.iter().flat_map(|(genre, names)| names.split(',').map(|name| (*genre, Words::of(name))));
    names.map(|(genre, name)| (genre, name.words.iter().map(|word| word.hash).collect())).collect()
});

/// Returns the forms that a title names in labels: before a colon, in brackets, behind a dash.
pub(super) fn genres(title: &Words, labels: &[Words]) -> HashSet<Genre> {
    let mut genres: HashSet<Genre> = labels.iter().filter_map(|label| genre(&label.words, OTHER_WORDS)).collect();
    // "In pictures. What happened", "What happened, in pictures".
    let words = &title.words;
    let mut breaks = (1..words.len()).filter(|at| words[*at].begins_sentence || words[*at].is_behind_comma);
    let (first, last) = (breaks.clone().next(), breaks.next_back());
    let parts = [first.map(|at| &words[..at]), last.map(|at| &words[at..])];
    genres.extend(parts.into_iter().flatten().filter_map(|part| genre(part, 0)));
    genres
}

/// Returns the form that a label names with at most so many other words.
fn genre(label: &[Word], others: usize) -> Option<Genre> {
    let is_name = |name: &Vec<u64>| {
        let is_here = |window: &[Word]| window.iter().map(|word| word.hash).eq(name.iter().copied());
        label.len() >= name.len() && label.len() - name.len() <= others && label.windows(name.len()).any(is_here)
    };
    NAMES.iter().find(|(_, name)| is_name(name)).map(|(genre, _)| *genre)
}

#[cfg(test)]
mod tests {
    use super::super::title::Title;
    use super::*;

    #[test]
    fn label_of_a_title_names_the_form_of_its_entry() {
        let check = |title: &str, expected: &[Genre]| {
            let genres = Title::of(title).genres;
            assert_eq!(genres, expected.iter().copied().collect(), "{title}");
        };
        check("In pictures: the old quay opens", &[Genre::Pictures]);
        check("The old quay opens – the best photos", &[Genre::Pictures]);
        check("EN IMAGES. Le vieux quai est rouvert", &[Genre::Pictures]);
        check("Reabre el viejo muelle, en imágenes", &[Genre::Pictures]);
        check("老码头重新开放（组图）", &[Genre::Pictures]);
        check("【写真特集】古い岸壁が再開", &[Genre::Pictures]);
        check("The old quay opens (video)", &[Genre::Video]);
        check("Live: the old quay opens", &[Genre::Live]);
        check("Correction: the old quay opens", &[Genre::Correction]);
        check("更正：老码头重新开放", &[Genre::Correction]);
        check("Errata corrige: riapre il vecchio molo", &[Genre::Correction]);
        check("A correction of the course: the old quay opens", &[]);
        check("The old quay opens", &[]);
        check("How we live now: a quay opens", &[]);
        check("The quay opens, a video shows", &[]);
        check("Photos show that the quay: is open", &[]);
    }
}
