//! Selections of a section: documents of its own stories besides the section's document: the ranking, and the digests.

use std::time::Duration;

use minijinja::context;
use serde::Serialize;

use crate::config::{Section, Site};
use crate::duration;
use crate::render::address::{self, Format};
use crate::render::card::{CardPlace, cards};
use crate::render::entry::PreparedSection;
use crate::render::page::{Alternate, FormatLink, PageHead, Pages, SectionLink, alternates, value};
use crate::render::{RenderError, text};
use crate::rows::DigestKind;

/// The target size of a page, as for a section's page.
const PAGE_BYTES: usize = 56_000;

/// A selection of a section's stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The ranking: the stories of a time, in the order of their importance.
    Top,
    /// The digests of one kind, an entry for each period.
    Digests(DigestKind),
}

impl Selection {
    /// All selections.
    pub const ALL: [Selection; 3] =
        [Selection::Top, Selection::Digests(DigestKind::Daily), Selection::Digests(DigestKind::Weekly)];

    /// Returns its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Selection::Top => "top",
            Selection::Digests(kind) => kind.name(),
        }
    }

    /// Returns the selection with this name in addresses.
    pub fn named(name: &str) -> Option<Selection> {
        Selection::ALL.into_iter().find(|selection| selection.name() == name)
    }

    /// Returns whether the section has this selection.
    pub fn is_of(self, section: &Section) -> bool {
        match self {
            Selection::Top => section.top.is_some(),
            Selection::Digests(kind) => section.digest.contains(&kind),
        }
    }

    /// Returns its title, without that of the section.
    fn title(self) -> &'static str {
        match self {
            Selection::Top => "Top stories",
            Selection::Digests(DigestKind::Daily) => "Daily digest",
            Selection::Digests(DigestKind::Weekly) => "Weekly digest",
        }
    }
}

/// Returns a section whose documents are those of the selection. Its id is their path, so that they have the right
/// addresses. Readers need the same credentials as for the section.
pub fn selection_section(section: &Section, selection: Selection) -> Section {
    Section {
        id: format!("{}/{}", section.id, selection.name()).as_str().into(),
        title: format!("{}: {}", section.title, selection.title().to_lowercase()),
        formerly: Vec::new(),
        aliases: Vec::new(),
        podcast: None,
        ..section.clone()
    }
}

/// A link to a selection's page and documents.
#[derive(Serialize)]
pub(super) struct SelectionLink {
    name: &'static str,
    href: String,
    formats: Vec<FormatLink>,
}

/// Returns the links to the section's selections.
pub(super) fn links(site: &Site, section: &Section) -> Vec<SelectionLink> {
    let link = |selection: Selection| {
        let SectionLink { href, formats, .. } = SectionLink::new(site, &selection_section(section, selection));
        SelectionLink { name: selection.title(), href, formats }
    };
    Selection::ALL.into_iter().filter(|selection| selection.is_of(section)).map(link).collect()
}

/// Returns the autodiscovery links of a section and of its selections.
pub(super) fn alternates_with_selections(site: &Site, section: &Section) -> Vec<Alternate> {
    let selections = Selection::ALL.into_iter().filter(|selection| selection.is_of(section));
    let of_selections = selections.flat_map(|selection| alternates(site, &selection_section(section, selection)));
    alternates(site, section).into_iter().chain(of_selections).collect()
}

impl Pages {
    /// Renders `/{section}/top/`: the stories of the ranking, which is of the given time. `of` is the section itself.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn top(&self, ranking: &PreparedSection, of: &Section, span: Duration) -> Result<String, RenderError> {
        let view = ranking.view;
        let place = if of.is_public() { CardPlace::List } else { CardPlace::PrivateList };
        let mut stories = cards(view.site, &ranking.entries, place);
        self.link_tags(view.site, &mut stories);
        let (span, mut page) = (duration::words(span), String::new());
        for whole in [usize::MAX, 25, 5] {
            let stories: Vec<_> =
                stories.iter().cloned().enumerate().map(|(at, card)| card.brief(at >= whole)).collect();
            let rest = context! { stories => value(stories), span => span.strip_prefix("1 ").unwrap_or(&span) };
            page = self.selection_page("top.html", ranking, of, rest)?;
            if page.len() <= PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }

    /// Renders the page of a selection of the section `of` with a template.
    pub(super) fn selection_page(
        &self,
        template: &str,
        selection: &PreparedSection,
        of: &Section,
        rest: minijinja::Value,
    ) -> Result<String, RenderError> {
        let (site, section) = (selection.view.site, selection.view.section);
        let link = SectionLink::new(site, of);
        let page = PageHead {
            alternates: alternates(site, section),
            robots: (!of.is_public()).then_some("noindex"),
            section: Some(link.href.clone()),
            ..PageHead::new(site, Some(&section.title), &format!("{}/", section.id))
        };
        let common = context! {
            section => value(&link),
            title => text::line(&section.title),
            formats => value(SectionLink::new(site, section).formats.into_iter().take(3).collect::<Vec<_>>()),
            feed_url => address::uri(&address::subscription(site, section, Format::Atom)),
        };
        self.render(template, site, &page, context! { ..common, ..rest })
    }
}
