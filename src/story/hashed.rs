//! Maps and sets by what is a hash already: words, shingles.
//!
//! To compare two texts is to look up thousands of them, so that they are not hashed anew but only mixed with a number that
//! no publisher knows: nobody can write a text whose words all come to lie in one place.

use std::collections;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

pub type HashMap<K, V> = collections::HashMap<K, V, Seeded>;
pub type HashSet<K> = collections::HashSet<K, Seeded>;

/// Another one each time that the program is started.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// What makes [`Mixing`]s that begin with the number of this run.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    seed: u64,
}

impl Default for Seeded {
    fn default() -> Self {
        Seeded { seed: *SEED }
    }
}

impl BuildHasher for Seeded {
    type Hasher = Mixing;

    fn build_hasher(&self) -> Mixing {
        Mixing { state: self.seed }
    }
}

/// Mixes by the two halves of a long product, each bit of which depends on all bits of what is mixed.
#[derive(Debug)]
pub struct Mixing {
    state: u64,
}

impl Hasher for Mixing {
    fn write_u64(&mut self, hash: u64) {
        let product = u128::from(self.state ^ hash) * 0x9E37_79B9_7F4A_7C15;
        self.state = product as u64 ^ (product >> 64) as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
