//! The server's side of TLS: a certificate for `localhost`, `origin.test` and 127.0.0.1, signed only by the authority
//! in [`ca_file`].

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/tls/localhost.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/tls/localhost.key.pem");

/// Returns the `ca_file` that makes a feed trust these servers.
pub fn ca_file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem")
}

/// Returns a configuration that offers `protocols`, such as `h2`, by ALPN.
pub fn server(protocols: &[&str]) -> Arc<ServerConfig> {
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(certificates, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}
