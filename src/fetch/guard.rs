//! Decides which addresses may be connected to. It guards against feeds that point into private networks.
//!
//! An address is refused unless the IANA registries of special-purpose addresses call it global. A port is refused
//! unless it is a web port. The setting `allow` permits a network, an address with its port, or a host name, for the
//! feeds that have the setting. No setting turns the guard off. The target of every redirect is checked again: a host
//! name in `allow` permits only that host, and not another host to which it redirects.
//!
//! The guard checks the address of the actual connection. When a name is resolved, its refused addresses are left out.
//! `egress` connects only to the addresses that remain, so a later answer of the name server changes nothing. An
//! address in a URL is checked before the request. The address of the peer is checked again when its answer arrives.
//!
//! A proxy may resolve names by itself, and newswire does not see the result. So if a feed has a `proxy`, names that
//! are local everywhere, such as `localhost`, and the proxy's own name are refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use crate::config::Allow;
use crate::feed::{AddressRange, Failure};

/// The addresses to which one request may connect: global ones at web ports, and those that `allow` permits for the
/// request's host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reach {
    /// Whether global addresses are permitted. They are if the port is a web port.
    public: bool,
    /// What `allow` permits in addition.
    networks: Vec<IpNet>,
}

impl Reach {
    /// Returns where a request to `url` may go.
    ///
    /// # Errors
    ///
    /// Fails if the scheme, the port, or an address in the URL itself is refused.
    pub(super) fn of(url: &Url, allow: &[Allow]) -> Result<Reach, Failure> {
        let (Some(host), Some(port), "http" | "https") = (url.host(), url.port_or_known_default(), url.scheme()) else {
            return Err(Failure::Scheme { scheme: url.scheme().into() });
        };
        let networks = allow.iter().flat_map(|opening| opened(opening, &host, port)).collect::<Vec<_>>();
        let reach = Reach { public: is_web_port(port), networks };
        if !reach.public && reach.networks.is_empty() {
            return Err(Failure::Port { host: host.to_string().into(), port });
        }
        match literal(&host) {
            Some(address) if !reach.admits(address) => Err(refusal(&host.to_string(), address, port)),
            _ => Ok(reach),
        }
    }

    pub(super) fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let opened = self.networks.iter().any(|network| network.contains(&address));
        opened || (self.public && special_range(address).is_none())
    }

    /// Checks the name in a URL that is requested through a proxy. `proxy` is the host of the proxy.
    ///
    /// # Errors
    ///
    /// Fails if the name is local or the proxy's own, and `allow` does not permit it.
    pub(super) fn check_name_for_proxy(&self, url: &Url, proxy: &str) -> Result<(), Failure> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        let is_proxy = is_named(&Host::Domain(name), proxy);
        if self.is_own(url) || !(is_proxy || is_local_name(name)) {
            return Ok(());
        }
        let opens_loopback =
            || LOOPBACK.into_iter().any(|address| self.networks.iter().any(|net| net.contains(&address)));
        if is_localhost(name) && opens_loopback() {
            return Ok(());
        }
        Err(Failure::LocalName { host: name.into(), port: url.port_or_known_default().unwrap_or_default() })
    }

    /// Returns whether `allow` permits this host by its name, or by the address that the URL contains. The host then
    /// counts as the editor's own (the editor writes the config).
    pub(super) fn is_own(&self, url: &Url) -> bool {
        let everywhere = self.networks.contains(&EVERYWHERE[0]);
        let literal = url.host().as_ref().and_then(literal);
        everywhere || literal.is_some_and(|address| self.networks.iter().any(|net| net.contains(&address)))
    }
}

/// Returns the error for a refused address. Its message shows the line that would permit the address.
pub(super) fn refusal(host: &str, address: IpAddr, port: u16) -> Failure {
    let address = address.to_canonical();
    let range = special_range(address).unwrap_or(AddressRange::OtherPort);
    Failure::Address { host: host.into(), address, port, range }
}

/// Returns whether web feeds are found at a port. Other ports belong to services that do not speak HTTP.
fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443 | 8000..=8999)
}

/// The networks that `allow` permits for a host name: all, because the editor trusts the name wherever it leads.
const EVERYWHERE: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
];

/// Returns the networks that one entry of an `allow` list permits for a host and port.
fn opened(opening: &Allow, host: &Host<&str>, port: u16) -> Vec<IpNet> {
    match opening {
        Allow::Network(network) => vec![*network],
        Allow::Address(address) if address.port() == port => vec![IpNet::from(address.ip().to_canonical())],
        Allow::Host(name, at) if at.is_none_or(|at| at == port) && is_named(host, name) => EVERYWHERE.to_vec(),
        Allow::Address(_) | Allow::Host(..) => Vec::new(),
    }
}

/// Returns whether a host has this name. Names are compared as in URLs: in lower case, and international names in
/// ASCII.
fn is_named(host: &Host<&str>, name: &str) -> bool {
    match (host, Host::parse(name)) {
        (Host::Domain(domain), Ok(Host::Domain(name))) => domain.trim_end_matches('.') == name.trim_end_matches('.'),
        _ => false,
    }
}

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// The endings of names that no public name server knows. They come from RFC 6761, RFC 6762 and RFC 8375, from ICANN
/// (`internal`), and from routers and companies (RFC 6762 appendix G). `onion` is not one of them: such a name needs a
/// proxy and is public.
const LOCAL_ENDINGS: [&str; 10] =
    ["localhost", "localdomain", "local", "internal", "home.arpa", "home", "lan", "corp", "intranet", "private"];

/// Returns whether a name means a machine in the network where the name is looked up. A name without a dot does.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    !name.contains('.') || LOCAL_ENDINGS.iter().any(|ending| ends_with_label(name, ending))
}

fn is_localhost(name: &str) -> bool {
    ends_with_label(name.trim_end_matches('.'), "localhost")
}

fn ends_with_label(name: &str, ending: &str) -> bool {
    name.strip_suffix(ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address).to_canonical()),
    }
}

/// Returns the kind of a special address. Returns `None` if the address is global. If an IPv6 address contains an IPv4
/// address (mapped, or behind NAT64), the kind is that of the IPv4 address.
pub(super) fn special_range(address: IpAddr) -> Option<AddressRange> {
    match address.to_canonical() {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) if NAT64.contains(&address) => special_v4(embedded(address)),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<AddressRange> {
    SPECIAL_V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, range)| *range)
}

fn special_v6(address: Ipv6Addr) -> Option<AddressRange> {
    let named = SPECIAL_V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, range)| *range);
    named.or_else(|| (!GLOBAL_V6.contains(&address)).then_some(AddressRange::NotGlobal))
}

fn embedded(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// The addresses of NAT64 (RFC 6052). Their last 32 bits are the IPv4 address that is reached.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// The addresses that are assigned as global unicast (RFC 4291 §2.4).
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// The IANA IPv4 Special-Purpose Address Registry, multicast (RFC 5771) and the reserved class E.
const SPECIAL_V4: [(Ipv4Net, AddressRange); 15] = [
    (v4(0, 0, 0, 0, 8), AddressRange::ThisNetwork),
    (v4(10, 0, 0, 0, 8), AddressRange::Private),
    (v4(100, 64, 0, 0, 10), AddressRange::Carrier),
    (v4(127, 0, 0, 0, 8), AddressRange::Loopback),
    (v4(169, 254, 0, 0, 16), AddressRange::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressRange::Private),
    (v4(192, 0, 0, 0, 24), AddressRange::ProtocolAssignments),
    (v4(192, 0, 2, 0, 24), AddressRange::Documentation),
    (v4(192, 88, 99, 0, 24), AddressRange::Relay6to4),
    (v4(192, 168, 0, 0, 16), AddressRange::Private),
    (v4(198, 18, 0, 0, 15), AddressRange::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressRange::Documentation),
    (v4(203, 0, 113, 0, 24), AddressRange::Documentation),
    (v4(224, 0, 0, 0, 4), AddressRange::Multicast),
    (v4(240, 0, 0, 0, 4), AddressRange::Reserved),
];

/// The IANA IPv6 Special-Purpose Address Registry. Ranges outside [`GLOBAL_V6`] are listed only for their messages.
const SPECIAL_V6: [(Ipv6Net, AddressRange); 12] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), AddressRange::Loopback),
    (v6(0, 0, 0, 96), AddressRange::Unspecified),
    (v6(0x64, 0xff9b, 1, 48), AddressRange::LocalNat64),
    (v6(0x100, 0, 0, 64), AddressRange::DiscardOnly),
    (v6(0x2001, 0, 0, 23), AddressRange::Teredo),
    (v6(0x2001, 0xdb8, 0, 32), AddressRange::Documentation),
    (v6(0x2002, 0, 0, 16), AddressRange::Net6to4),
    (v6(0x3fff, 0, 0, 20), AddressRange::Documentation),
    (v6(0xfc00, 0, 0, 7), AddressRange::Private),
    (v6(0xfe80, 0, 0, 10), AddressRange::LinkLocal),
    (v6(0xfec0, 0, 0, 10), AddressRange::SiteLocal),
    (v6(0xff00, 0, 0, 8), AddressRange::Multicast),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_purpose_range_is_refused_up_to_its_edges() {
        for (network, range) in SPECIAL_V4 {
            for address in [network.network(), network.broadcast()] {
                assert_eq!(special_range(address.into()), Some(range), "{address}");
            }
        }
        for (network, range) in SPECIAL_V6 {
            for address in [network.network(), network.broadcast()] {
                let found = special_range(address.into());
                assert!(found.is_some(), "{address}");
                assert!(address.to_ipv4_mapped().is_some() || found == Some(range) || address.is_loopback());
            }
        }
    }

    #[test]
    fn global_addresses_are_open_up_to_the_edges_of_the_ranges() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
            "2001:200::1",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
            "3fff:1000::",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(special_range(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn embedded_private_addresses_are_refused() {
        for address in [
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::a00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001:0:7f00:1::",
            "::127.0.0.1",
            "::10.0.0.1",
            "::",
            "::1",
            "::2",
            "0:0:0:0:0:fffe:7f00:1",
            "100::1",
            "200::1",
            "1fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001:20::1",
            "3fff::1",
            "0.0.0.0",
            "255.255.255.255",
            "192.0.0.192",
            "100.100.100.200",
        ] {
            assert!(special_range(address.parse().unwrap()).is_some(), "{address}");
        }
    }
}
