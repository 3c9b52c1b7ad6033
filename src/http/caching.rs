//! How a request wants the cache to be used: heard from those who have the token, ignored from anyone else.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::admin::is_authorised;
use super::app::App;
use super::index::parameter;
use crate::pipeline::Caching;

/// `?cache=recache`, `?cache=false`, or `Cache-Control: no-store`.
pub fn asked(app: &App, request: &Parts) -> Caching {
    if !is_authorised(app, &request.headers) {
        return Caching::Use;
    }
    let wish = parameter(request.uri.query().unwrap_or_default(), "cache");
    match wish.as_deref() {
        Some("recache") => Caching::Renew,
        Some("false") => Caching::Bypass,
        _ if is_not_to_be_stored(&request.headers) => Caching::Bypass,
        _ => Caching::Use,
    }
}

/// RFC 9111, section 5.2.1.5.
fn is_not_to_be_stored(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::CACHE_CONTROL).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::config::Config;

    fn asked_by(token: Option<&str>, query: &str, cache_control: &str) -> Caching {
        let mut config = Config::default();
        config.source.root = "fixtures/images".into();
        config.admin.token = Some("0123456789abcdef".parse().unwrap());
        let request = Request::get(format!("/iiif/3/a/info.json{query}"));
        let request = request.header("cache-control", cache_control);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let (parts, ()) = request.body(()).unwrap().into_parts();
        asked(&App::new(&config).unwrap(), &parts)
    }

    #[test]
    fn who_has_the_token_may_go_around_the_cache() {
        let asked = |query, header| asked_by(Some("0123456789abcdef"), query, header);
        assert_eq!(asked("", ""), Caching::Use);
        assert_eq!(asked("?cache=true", "no-cache"), Caching::Use);
        assert_eq!(asked("?cache=false", ""), Caching::Bypass);
        assert_eq!(asked("?a=b", "max-age=0, No-Store"), Caching::Bypass);
        assert_eq!(asked("?a=b&cache=recache", "no-store"), Caching::Renew);
    }

    #[test]
    fn nobody_else_may() {
        for token in [None, Some("0123456789abcdeF")] {
            assert_eq!(asked_by(token, "?cache=false", "no-store"), Caching::Use);
            assert_eq!(asked_by(token, "?cache=recache", ""), Caching::Use);
        }
    }
}
