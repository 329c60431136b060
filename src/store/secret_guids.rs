//! Guids that were stored while they still held a secret of their feed.
//!
//! Entries are known by guids without secrets. An older newswire kept them as the document gave them; such an entry gets the
//! guid that it has now, and stays the same entry. No alias is left, since that would hold the secret.

use rusqlite::params;

use crate::config::Secrets;
use crate::newsroom::PolledEntry;

use super::StoreError;
use super::document::Document;

impl Document<'_> {
    /// Takes the feed's secrets out of the guids of the entries that its last document listed, and of those that this one
    /// lists again.
    pub(super) fn scrub_guids(&self, entries: &[PolledEntry]) -> Result<(), StoreError> {
        let secrets = Secrets::of(self.feed);
        if secrets.is_empty() {
            return Ok(());
        }
        let mut listed =
            self.connection.prepare_cached("SELECT guid FROM entry WHERE feed = ?1 AND unlisted IS NULL")?;
        let listed = listed.query_map([self.number], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let again = entries.iter().flat_map(|entry| secrets.unscrubbed(&entry.guid));
        for former in listed.into_iter().chain(again) {
            let guid = secrets.scrub(&former);
            if guid != former {
                self.rename(&former, &guid)?;
            }
        }
        Ok(())
    }

    fn rename(&self, former: &str, guid: &str) -> Result<(), StoreError> {
        for table in ["entry", "entry_alias"] {
            let mut rename = self
                .connection
                .prepare_cached(&format!("UPDATE OR IGNORE {table} SET guid = ?3 WHERE feed = ?1 AND guid = ?2"))?;
            rename.execute(params![self.number, former, guid])?;
        }
        Ok(())
    }
}
