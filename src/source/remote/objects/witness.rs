//! What a response said that the errors of `object_store` do not tell: its status, above all that of an empty object's range.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use crate::causes::chain;
use crate::source::remote::error::{Failure, RemoteError};
use crate::source::remote::status;

/// Goes with a request, and knows afterwards what became of it.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Mutex<Seen>>);

#[derive(Clone, Debug, Default)]
enum Seen {
    /// There was no request: no credentials, perhaps.
    #[default]
    Nothing,
    Error(HttpErrorKind),
    Response {
        status: u16,
        retry_after: Option<String>,
        content_range: Option<String>,
    },
}

impl Witness {
    /// Why there is no object.
    pub fn failure(&self) -> RemoteError {
        match self.seen() {
            Seen::Nothing => RemoteError::Refused("there are no credentials for the origin"),
            Seen::Error(HttpErrorKind::Timeout) => Failure::Late.into(),
            Seen::Error(_) => Failure::Unreachable.into(),
            Seen::Response { status: 200, .. } => {
                RemoteError::Broken("the origin sends whole objects where ranges are asked for")
            }
            Seen::Response { status: 206, .. } => {
                RemoteError::Broken("the origin's answer to a range is not understood")
            }
            Seen::Response {
                status,
                retry_after,
                ..
            } => status::meaning(status, retry_after.as_deref()),
        }
    }

    /// Whether there was no range because the object is empty (RFC 9110, section 15.5.17). Not every store sends the header.
    pub fn says_empty(&self) -> bool {
        match self.seen() {
            Seen::Response {
                status: 416,
                content_range,
                ..
            } => content_range.is_none_or(|range| range == "bytes */0"),
            _ => false,
        }
    }

    fn seen(&self) -> Seen {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    fn see(&self, result: &Result<HttpResponse, HttpError>) {
        let seen = match result {
            Err(error) => Seen::Error(error.kind()),
            Ok(response) => {
                let header = |name: &str| {
                    let value = response.headers().get(name)?.to_str().ok()?;
                    Some(value.to_owned())
                };
                Seen::Response {
                    status: response.status().as_u16(),
                    retry_after: header("retry-after"),
                    content_range: header("content-range"),
                }
            }
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

/// The cause, for the log. The client has taken the URL out of it, which may be signed.
fn tell(server: &str, error: &HttpError) {
    tracing::warn!(server, error = chain(error), "a store cannot be asked");
}

/// Makes clients whose requests have witnesses.
#[derive(Debug)]
pub struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Witnessed(client)))
    }
}

struct Witnessed(HttpClient);

impl fmt::Debug for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witnessed")
    }
}

impl HttpService for Witnessed {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let witness = request.extensions().get::<Witness>().cloned();
            let server = request.uri().host().unwrap_or_default().to_owned();
            let result = self.0.execute(request).await;
            if let Err(error) = &result {
                tell(&server, error);
            }
            if let Some(witness) = witness {
                witness.see(&result);
            }
            result
        })
    }
}
