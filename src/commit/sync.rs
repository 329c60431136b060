//! Synchronises the store with a config, and finishes the passes over stories that this begins. It is for commands that
//! end soon.

use std::sync::Arc;

use super::active::ActiveConfig;
use super::reload::{self, Difference};
use super::{judging, sweep};
use crate::config::Config;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Synchronises feeds and sections with the config, in one transaction. Then, in small transactions, judges the stories
/// of the sections whose definition changed (decides whether they are in the section), and checks the names of stories
/// from an older store.
///
/// # Errors
///
/// Returns the errors of the store. Nothing is then changed, or the next call does the rest.
pub async fn sync(store: &Store, config: Arc<Config>, now: Timestamp) -> Result<Difference, StoreError> {
    let mut difference = reload::sync_config(store, config.clone(), now, || {}).await?;
    let active = ActiveConfig::new(config.clone());
    for judged in judging::judge_all(store, active.clone(), now).await? {
        match difference.sections.iter_mut().find(|change| change.section == judged.section) {
            Some(change) => change.moves = judged.moves,
            None => difference.sections.push(judged),
        }
    }
    for section in std::mem::take(&mut difference.partly) {
        let due = sweep::sweep_section(store, active.clone(), section.clone(), now).await?;
        if let Some(change) = difference.sections.iter_mut().find(|change| change.section == section) {
            change.moves.entered += due.entered;
            change.moves.left += due.left;
        }
    }
    difference.renamed = reload::check_all_names(store, config, now).await?;
    Ok(difference)
}
