//! The cryptography of TLS.

/// Chooses it for the whole process, which has to be done before the first client is made.
pub fn choose() {
    // An error says that another part of the process has chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
