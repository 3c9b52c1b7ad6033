//! Requests to the provider.

use std::pin::Pin;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Client;

use crate::client::{BodyError, body};

/// Bytes of an answer.
const LONGEST: usize = 256 << 10;

/// One who asks.
#[derive(Clone)]
pub struct Asker(pub Client);

impl<'c> AsyncHttpClient<'c> for Asker {
    type Error = BodyError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, BodyError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

impl Asker {
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, BodyError> {
        let answer = self.0.execute(request.try_into()?).await?;
        let mut response = HttpResponse::default();
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        *response.body_mut() = body(answer, LONGEST).await?;
        Ok(response)
    }
}
