//! How many connections each peer has: so that nobody takes all the places.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// More than any reader opens, few enough that a thousand places are not one machine's.
const CONNECTIONS_OF_A_PEER: usize = 64;

/// The bits of an IPv6 address that one customer shares.
const NETWORK_BITS: u32 = 64;

/// The connections of each peer. Loopback is never counted: a reverse proxy is there, which speaks for everybody.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The right to one connection, given back on drop.
#[derive(Debug)]
pub struct PeerPlace {
    peers: Peers,
    of: Option<IpAddr>,
}

impl Peers {
    /// A place for a connection of `peer`; `None` if it has too many already.
    pub fn place(&self, peer: Option<IpAddr>) -> Option<PeerPlace> {
        let Some(network) = peer.filter(|peer| !peer.is_loopback()).map(network) else {
            return Some(PeerPlace { peers: self.clone(), of: None });
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= CONNECTIONS_OF_A_PEER {
            return None;
        }
        *count += 1;
        Some(PeerPlace { peers: self.clone(), of: Some(network) })
    }
}

impl Drop for PeerPlace {
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

/// The address, of IPv6 only the part that names a customer's network.
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
            let places: Vec<_> = addresses.filter_map(|peer| counted.place(peer)).collect();
            assert_eq!(places.len(), expected, "{peers:?}");
            drop(places);
            assert!(counted.counts.lock().unwrap().is_empty(), "places are given back");
        };
        check(&["203.0.113.7"], 64);
        check(&["203.0.113.7", "203.0.113.8"], 128);
        check(&["2001:db8::1", "2001:db8::ffff:2"], 64);
        check(&["2001:db8::1", "2001:db8:0:1::1"], 128);
        check(&["127.0.0.1", "::1"], 200);
    }
}
