//! The active config: the config that newswire uses at the moment.

use std::sync::{Arc, PoisonError, RwLock};

use super::reload::{Difference, check_all_names, sync_config};
use crate::config::Config;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// A handle of the active config. The store was last synchronised with this config. Clones share the config.
///
/// Call [`ActiveConfig::current`] within a turn of the store. Then an edited config also applies to a poll that began
/// before the edit.
#[derive(Clone, Debug)]
pub struct ActiveConfig(Arc<RwLock<Arc<Config>>>);

impl ActiveConfig {
    /// Creates a handle of the config with which the store was synchronised.
    pub fn new(config: Arc<Config>) -> ActiveConfig {
        ActiveConfig(Arc::new(RwLock::new(config)))
    }

    /// Returns the active config.
    pub fn current(&self) -> Arc<Config> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Synchronises the store with another config, and makes that the active one.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`sync`](super::sync). If the store was not synchronised, the previous config stays
    /// active.
    pub async fn follow(&self, store: &Store, config: Arc<Config>, now: Timestamp) -> Result<Difference, StoreError> {
        let (before, active, followed) = (self.current(), self.clone(), config.clone());
        let synced = sync_config(store, config.clone(), now, move || active.set(followed)).await;
        let difference = synced.inspect_err(|_| self.set(before))?;
        let renamed = check_all_names(store, config, now).await?;
        Ok(Difference { renamed, ..difference })
    }

    fn set(&self, config: Arc<Config>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

impl From<Arc<Config>> for ActiveConfig {
    fn from(config: Arc<Config>) -> ActiveConfig {
        ActiveConfig::new(config)
    }
}
