//! The notices that wait to be sent to WebSub hubs.

use url::Url;

use crate::feed::SectionId;
use crate::time::Timestamp;

/// A hub that has to be notified of a changed section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// The hub.
    pub hub: Url,
    /// The section.
    pub section: SectionId,
    /// When to try next.
    pub due: Timestamp,
    /// How many attempts failed.
    pub failures: u32,
}
