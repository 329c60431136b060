//! Which names in a store of version 1 may stay. That version minted id and slug from the first entry, even if it was
//! private.
//!
//! The policy of former names: names that readers know stay, unless they reveal content of a private feed.

use super::id;
use crate::number::StoryNumber;

/// The names of a story, and the copies that they may have been minted from.
#[derive(Clone, Debug)]
pub struct FormerNames {
    /// The story.
    pub number: StoryNumber,
    /// Its public id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// The story's copies, and those that an editor split from it.
    pub copies: Vec<FormerCopy>,
}

/// A copy: the parts that names are made from.
#[derive(Clone, Debug)]
pub struct FormerCopy {
    /// Whether a public section that shows the story sees the copy.
    pub is_public: bool,
    /// Whether the names may be made from the first version of the copy. Edits and new guids may hide that today.
    pub may_be_first: bool,
    /// Its current guid, and its former ones.
    pub guids: Vec<String>,
    /// The title; `None` if retention deleted the content.
    pub title: Option<String>,
}

impl FormerNames {
    /// Returns whether the id is, or may be, the guid of a private entry that no public copy bears.
    pub fn id_is_private(&self) -> bool {
        let bears = |copy: &FormerCopy| copy.guids.contains(&self.id);
        let is_minted = self.id.starts_with("urn:uuid:");
        self.is_private(bears, is_minted)
    }

    /// Returns whether the slug is, or may be, made from the headline of a private entry.
    pub fn slug_is_private(&self) -> bool {
        let has_it = |copy: &FormerCopy| copy.title.as_ref().is_some_and(|title| self.has_slug_of(title));
        self.is_private(has_it, self.slug == id::unnamed(self.number))
    }

    /// Returns whether version 1, or a later store that has not been checked, made the slug from this title.
    fn has_slug_of(&self, title: &str) -> bool {
        [id::slug_of_version_1(title, self.number), id::slug(title, self.number)].contains(&self.slug)
    }

    /// Returns whether a name is, or may be, made from a private copy only. If no copy matches the name, the first copy
    /// decides, unless `tells_nothing`: the name reveals nothing of any copy.
    fn is_private(&self, is_source: impl Fn(&FormerCopy) -> bool, tells_nothing: bool) -> bool {
        let is_from = |is_public: bool| self.copies.iter().any(|copy| copy.is_public == is_public && is_source(copy));
        let may_be_private = || self.copies.iter().any(|copy| copy.may_be_first && !copy.is_public);
        !is_from(true) && (is_from(false) || !tells_nothing && may_be_private())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(is_public: bool, guid: &str, title: &str) -> FormerCopy {
        let guids = vec![guid.to_owned()];
        FormerCopy { is_public, may_be_first: false, guids, title: Some(title.to_owned()) }
    }

    fn first(copy: FormerCopy) -> FormerCopy {
        FormerCopy { may_be_first: true, ..copy }
    }

    #[test]
    fn names_of_private_entries_go_and_those_of_public_ones_stay() {
        let check = |id: &str, slug: &str, copies: &[FormerCopy], expected: (bool, bool)| {
            let names = FormerNames {
                number: StoryNumber(7),
                id: id.to_owned(),
                slug: slug.to_owned(),
                copies: copies.to_vec(),
            };
            assert_eq!((names.id_is_private(), names.slug_is_private()), expected, "{id} {slug} {copies:?}");
        };
        let (private, public) = (first(copy(false, "tag:p", "Secret")), copy(true, "tag:o", "Open"));
        check("tag:p", "secret-7", &[private.clone(), public.clone()], (true, true));
        check("tag:o", "open-7", &[private.clone(), public.clone()], (false, false));
        // Both copies have the guid, or the headline.
        check("tag:p", "secret-7", &[private.clone(), copy(true, "tag:p", "Secret!")], (false, false));
        // The copy was edited since.
        check("tag:p", "first-draft-7", &[private.clone(), public.clone()], (true, true));
        check("tag:x", "first-draft-7", &[copy(false, "tag:p", "Secret"), first(public.clone())], (false, false));
        // These names reveal nothing.
        check("urn:uuid:1", "7", &[private.clone(), public.clone()], (false, false));
        check("urn:uuid:1", "7", &[first(copy(false, "urn:uuid:1", "Secret")), public], (true, false));
    }
}
