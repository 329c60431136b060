//! Limits the connections of each peer, so that no peer takes all slots.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The most connections of a peer. No reader opens so many, and the limit for all peers together is far higher.
const CONNECTIONS_OF_A_PEER: usize = 64;

/// The bits of an IPv6 address that identify a customer's network.
const NETWORK_BITS: u32 = 64;

/// The number of connections of each peer. Loopback is not counted, because a reverse proxy there serves all readers.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection slot of a peer, released on drop.
#[derive(Debug)]
pub(super) struct PeerSlot {
    peers: Peers,
    of: Option<IpAddr>,
}

impl Peers {
    /// Takes a slot for a connection of `peer`; `None` if the peer has too many connections already.
    pub(super) fn slot(&self, peer: Option<IpAddr>) -> Option<PeerSlot> {
        let Some(network) = peer.filter(|peer| !peer.is_loopback()).map(network) else {
            return Some(PeerSlot { peers: self.clone(), of: None });
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= CONNECTIONS_OF_A_PEER {
            return None;
        }
        *count += 1;
        Some(PeerSlot { peers: self.clone(), of: Some(network) })
    }
}

impl Drop for PeerSlot {
    fn drop(&mut self) {
        let Some(network) = self.of else { return };
        let mut counts = self.peers.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

/// Returns the address; for IPv6, only the part that identifies a customer's network.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> NETWORK_BITS << NETWORK_BITS).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_has_at_most_64_connections_and_loopback_as_many_as_it_likes() {
        let check = |peers: &[&str], expected: usize| {
            let counted = Peers::default();
            let addresses = peers.iter().cycle().map(|peer| Some(peer.parse().unwrap())).take(200);
            let places: Vec<_> = addresses.filter_map(|peer| counted.slot(peer)).collect();
            assert_eq!(places.len(), expected, "{peers:?}");
            drop(places);
            assert!(counted.counts.lock().unwrap().is_empty(), "slots are released");
        };
        check(&["203.0.113.7"], 64);
        check(&["203.0.113.7", "203.0.113.8"], 128);
        check(&["2001:db8::1", "2001:db8::ffff:2"], 64);
        check(&["2001:db8::1", "2001:db8:0:1::1"], 128);
        check(&["127.0.0.1", "::1"], 200);
    }
}
