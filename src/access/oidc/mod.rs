//! Logins at a provider of OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).
//!
//! What belongs to one login is kept by the browser that began it, in a cookie: whoever comes back with the state of another browser is
//! nobody. All of it is random and of no use without the code, and the code without it.

mod ask;
pub mod config;
mod discovery;

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdToken, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, TokenResponse,
};
use subtle::ConstantTimeEq;

use super::claims::Claims;
use super::jwt::roles::roles;
use super::session::Secret;
use crate::client::{self, BodyError};
use ask::Asker;
use config::OidcConfig;
use discovery::Discovery;

/// Signatures that take a key of the provider. None takes the secret that is shared with it, and none is no signature.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 7] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// This server as a client of the provider.
type Registered = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider.
pub struct Oidc {
    config: OidcConfig,
    asker: Asker,
    discovery: Discovery,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    #[error("the login was not begun in this browser")]
    OtherBrowser,
    #[error("the provider's answer is not good: {0}")]
    Refused(String),
}

/// What the browser keeps while somebody logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    state: String,
    nonce: String,
    verifier: String,
}

impl Oidc {
    /// `None` where no provider is configured.
    ///
    /// # Errors
    /// If its address is none.
    pub fn new(config: &OidcConfig) -> io::Result<Option<Self>> {
        let Some(issuer) = &config.issuer else {
            return Ok(None);
        };
        let issuer = IssuerUrl::new(issuer.clone()).map_err(io::Error::other)?;
        let asker = Asker(client::new(config.timeout())?);
        Ok(Some(Self {
            discovery: Discovery::new(issuer, asker.clone()),
            asker,
            config: config.clone(),
        }))
    }

    /// Where to log in, and what the browser is to keep until it comes back to `callback`.
    ///
    /// # Errors
    /// If the provider does not answer.
    pub async fn begin(&self, callback: &str) -> Result<(String, Login), OidcError> {
        let client = self.client(callback).await?;
        let login = Login::new();
        let verifier = PkceCodeVerifier::new(login.verifier.clone());
        let (state, nonce) = (login.state.clone(), login.nonce.clone());
        let scopes = self.config.scopes.iter().cloned().map(Scope::new);
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        Ok((request.url().0.into(), login))
    }

    /// Who has logged in, by what the provider gave the browser to bring back.
    ///
    /// # Errors
    /// If it was another browser, or the provider does not answer, or says something else.
    pub async fn end(
        &self,
        callback: &str,
        login: Login,
        state: &str,
        code: String,
    ) -> Result<Claims, OidcError> {
        if !bool::from(login.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(OidcError::OtherBrowser);
        }
        let client = self.client(callback).await?;
        let asking = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| OidcError::Refused("it has no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(login.verifier));
        let answer = asking.request_async(&self.asker).await;
        let answer = answer.map_err(exchange_error)?;
        let token = answer.id_token();
        let token =
            token.ok_or_else(|| OidcError::Refused("it has no identity token".to_owned()))?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, &Nonce::new(login.nonce));
        let claims = claims.map_err(|error| {
            if let ClaimsVerificationError::SignatureVerification(_) = error {
                self.discovery.forget();
            }
            OidcError::Refused(error.to_string())
        })?;
        Ok(Claims {
            subject: Some(claims.subject().to_string()),
            roles: self.roles(token),
        })
    }

    /// Of a token that has been verified.
    fn roles(&self, token: &CoreIdToken) -> BTreeSet<String> {
        let token = token.to_string();
        let payload = token.split('.').nth(1).unwrap_or_default();
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
        let claims = serde_json::from_slice(&payload).unwrap_or_default();
        roles(&claims, &self.config.roles)
    }

    /// This server, as the provider knows it, and where people come back to.
    async fn client(&self, callback: &str) -> Result<Registered, OidcError> {
        let provider = self.discovery.provider().await;
        let provider = provider.map_err(OidcError::Unavailable)?;
        let id = ClientId::new(self.config.client_id.clone());
        let secret = self.config.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let client = CoreClient::from_provider_metadata(provider, id, secret);
        Ok(client.set_redirect_uri(address(callback)?))
    }
}

impl Login {
    fn new() -> Self {
        let [state, nonce, verifier] = [(); 3].map(|()| Secret::random().as_str().to_owned());
        Self {
            state,
            nonce,
            verifier,
        }
    }

    /// As a cookie keeps it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        Some(Self {
            state: parts.next().filter(|state| !state.is_empty())?,
            nonce: parts.next()?,
            verifier: parts.next()?,
        })
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.state, self.nonce, self.verifier)
    }
}

fn address(callback: &str) -> Result<RedirectUrl, OidcError> {
    let address = RedirectUrl::new(callback.to_owned());
    address.map_err(|error| OidcError::Refused(error.to_string()))
}

/// What the provider says of a code is told from what it fails to say.
fn exchange_error(
    error: RequestTokenError<BodyError, StandardErrorResponse<CoreErrorResponseType>>,
) -> OidcError {
    match error {
        RequestTokenError::ServerResponse(refused) => OidcError::Refused(refused.to_string()),
        other => OidcError::Unavailable(other.to_string()),
    }
}
