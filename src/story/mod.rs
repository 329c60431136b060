//! Which story an entry belongs to, which of its copies leads, and under which id it is published.
//!
//! Pure: values in, values out. The policy of stories: a story is published once, but a false merge is worse than a
//! missed one. A link joins only copies of which at least one has no text of its own. A text joins only copies that are
//! similar in title and body, and that do not look like one template filled twice. No feed can take the lead from the
//! copy at the original's own host, whatever its document claims. A published id is minted once, and from nothing that
//! may change.

mod anchors;
mod coverage;
mod credit;
mod dates;
mod episode;
mod evidence;
mod former;
mod genre;
mod id;
mod keys;
mod lead;
mod likeness;
mod linked;
mod media;
mod numerals;
mod parting;
mod permanent;
mod related;
mod sentences;
mod spelling;
mod synonyms;
mod title;
mod words;

pub use credit::{Publication, is_credited};
pub use former::{FormerCopy, FormerNames};
pub use id::{minted_id, own_id, podcast_guid, private_id, replaced_id, slug, slug_number, source_id, unnamed};
pub use keys::{LinkKey, link_keys, original, page};
pub use lead::{LeadCandidate, LeadRule, lead};
pub use likeness::Wording;
pub use permanent::{is_id, is_unique};

pub use crate::reason::JoinReason;
