//! Facets: categories that classify an entry by region, topic, type and so on.
//!
//! The facet `region` is published as `scheme="{site.url}/region"`, however a feed wrote it.

use std::collections::HashSet;

use url::Url;

use crate::entry::Category;

/// Converts categories into facets. A category becomes a facet if it is written `region:international`, if its scheme
/// ends in a facet's name, or if it has one term for each facet: `international / prose / post`. The result has the
/// lower-case term and the facet's scheme; its label keeps the original spelling if that differs. Other categories stay
/// as they are. Keeps the order and removes repeats.
pub fn classify(categories: &[Category], facets: &[String], site_url: &Url) -> Vec<Category> {
    let mut seen = HashSet::new();
    let classified = categories.iter().flat_map(|category| classify_one(category, facets, site_url));
    classified.filter(|category| seen.insert((category.term.clone(), category.scheme.clone()))).collect()
}

fn classify_one(category: &Category, facets: &[String], site_url: &Url) -> Vec<Category> {
    let in_facet = |facet: &str, term: &str, label: Option<&String>| {
        let folded = term.to_lowercase();
        let label = label.cloned().or_else(|| (folded != term).then(|| term.to_owned()));
        Category { term: folded, scheme: Some(scheme(facet, site_url)), label }
    };
    if let Some((facet, term)) = written_facet(&category.term, facets) {
        return vec![in_facet(facet, term, category.label.as_ref())];
    }
    let named = category.scheme_name().and_then(|name| facets.iter().find(|facet| facet.eq_ignore_ascii_case(name)));
    if let Some(facet) = named {
        return vec![in_facet(facet, &category.term, category.label.as_ref())];
    }
    let parts: Vec<&str> = category.term.split('/').map(str::trim).collect();
    if parts.len() == facets.len() && parts.len() > 1 && parts.iter().all(|part| !part.is_empty()) {
        return facets.iter().zip(parts).map(|(facet, part)| in_facet(facet, part, None)).collect();
    }
    vec![category.clone()]
}

/// Returns the scheme of a facet in editions: `{site.url}/region`.
fn scheme(facet: &str, site_url: &Url) -> String {
    format!("{}/{facet}", site_url.as_str().trim_end_matches('/'))
}

fn written_facet<'a>(term: &'a str, facets: &'a [String]) -> Option<(&'a str, &'a str)> {
    let (name, term) = term.split_once(':')?;
    let facet = facets.iter().find(|facet| facet.eq_ignore_ascii_case(name.trim()))?;
    let term = term.trim();
    (!term.is_empty()).then_some((facet, term))
}
