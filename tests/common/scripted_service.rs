//! A service that answers what it is told to, and counts how often it is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What it answers.
#[derive(Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub delay: Duration,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn json(body: impl ToString) -> Self {
        Self {
            body: body.to_string(),
            ..Self::status(200).with("content-type", "application/json")
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn late(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

#[derive(Default)]
struct Script {
    reply: Mutex<Reply>,
    asked: Mutex<Vec<HeaderMap>>,
}

/// Ends with its value.
pub struct ScriptedService {
    pub url: String,
    script: Arc<Script>,
    task: JoinHandle<()>,
}

impl ScriptedService {
    pub async fn start(reply: Reply) -> Self {
        let script = Arc::new(Script {
            reply: Mutex::new(reply),
            ..Script::default()
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/service", listener.local_addr().unwrap());
        let serve = async move { axum::serve(listener, router).await.unwrap() };
        Self {
            url,
            script,
            task: tokio::spawn(serve),
        }
    }

    /// From now on.
    pub fn answers(&self, reply: Reply) {
        *self.script.reply.lock().unwrap() = reply;
    }

    pub fn times_asked(&self) -> usize {
        self.script.asked.lock().unwrap().len()
    }

    /// What it was sent the last time.
    pub fn last_headers(&self) -> HeaderMap {
        let asked = self.script.asked.lock().unwrap();
        asked.last().expect("it has been asked").clone()
    }
}

impl Drop for ScriptedService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let reply = script.reply.lock().unwrap().clone();
    script.asked.lock().unwrap().push(request.headers().clone());
    tokio::time::sleep(reply.delay).await;
    let status = StatusCode::from_u16(reply.status).unwrap();
    let response = Response::builder().status(status);
    let headers = reply.headers.into_iter();
    let response = headers.fold(response, |response, (name, value)| {
        response.header(name, value)
    });
    response.body(Body::from(reply.body)).unwrap()
}
