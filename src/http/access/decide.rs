//! The decision about one request.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::OnceCell;
use tokio::task::yield_now;

use super::Asked;
use super::visitor::{stranger, visitor};
use crate::access::external::{External, ExternalQuestion, Verdict};
use crate::access::{Decision, Gate, Outcome, Refusal, Rule, Subject, Visitor};
use crate::error::{Error, cause};
use crate::http::app::App;
use crate::http::image::Client;
use crate::iiif::{Identifier, Version};
use crate::view::View;

/// Where somebody asks for images. Who that is, is found out once, and only if an image is not for everyone.
pub struct Door<'a> {
    app: &'a App,
    client: &'a Client<'a>,
    /// Where he is, and nothing that he shows.
    stranger: OnceLock<Visitor>,
    visitor: OnceCell<Visitor>,
    takes_tokens: bool,
}

impl<'a> Door<'a> {
    pub fn new(app: &'a App, client: &'a Client<'a>) -> Self {
        Self {
            app,
            client,
            stranger: OnceLock::new(),
            visitor: OnceCell::new(),
            takes_tokens: false,
        }
    }

    /// Where viewers say with a token who asks, because they cannot say it as browsers do. It opens no image (A16).
    pub fn taking_tokens(app: &'a App, client: &'a Client<'a>) -> Self {
        Self {
            takes_tokens: true,
            ..Self::new(app, client)
        }
    }

    /// What the one who asks is answered.
    ///
    /// # Errors
    /// If the image is not found, or it cannot be told who asks.
    pub async fn decide(&self, asked: &Asked) -> Result<Decision, Error> {
        let Some(gate) = self.app.gate() else {
            return Ok(Decision::open(View::whole()));
        };
        match self.app.pipeline().subject(&asked.identifier).await {
            Ok(subject) => self.about(asked, gate, &subject).await,
            Err(error) => self.unfound(asked, gate, error).await,
        }
    }

    /// Those of some images that somebody may know of, each with the pixels of the smaller version that is meant. Told by rules
    /// alone: nobody else is asked about every image of a list.
    ///
    /// # Errors
    /// If it cannot be told who asks.
    pub async fn list<T>(
        &self,
        images: Vec<T>,
        subject: impl Fn(&T) -> Subject,
    ) -> Result<Vec<(T, Option<NonZeroU32>)>, Error> {
        let Some(gate) = self.app.gate() else {
            return Ok(images.into_iter().map(|image| (image, None)).collect());
        };
        let now = SystemTime::now();
        let mut listed = Vec::new();
        for image in images {
            let rule = gate.rules.of(&subject(&image));
            if let Some(largest) = rule.lists(self.asker(rule, now).await?, now) {
                listed.push((image, largest));
            }
        }
        Ok(listed)
    }

    /// Those of the images of a folder, by their paths.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_folder(
        &self,
        paths: Vec<String>,
    ) -> Result<Vec<(String, Option<NonZeroU32>)>, Error> {
        /// Images after which others get a turn.
        const TURN: usize = 64;
        if self.app.gate().is_none() {
            return Ok(paths.into_iter().map(|path| (path, None)).collect());
        }
        let mut found = Vec::with_capacity(paths.len());
        for path in paths {
            let Ok(identifier) = Identifier::new(path.clone()) else {
                continue;
            };
            if let Ok(subject) = self.app.pipeline().subject(&identifier).await {
                found.push((path, subject));
            }
            if found.len().is_multiple_of(TURN) {
                yield_now().await;
            }
        }
        let listed = self.list(found, |(_, subject)| subject.clone()).await?;
        let named = listed.into_iter();
        Ok(named.map(|((path, _), largest)| (path, largest)).collect())
    }

    async fn about(
        &self,
        asked: &Asked,
        gate: &Gate,
        subject: &Subject,
    ) -> Result<Decision, Error> {
        let (rule, now) = (gate.rules.of(subject), SystemTime::now());
        if rule.is_public(now) {
            return Ok(rule.public(asked.largest));
        }
        if let Some(public) = rule.public_version(asked.largest) {
            return Ok(public);
        }
        if self.is_signed(asked, rule, now) || rule.grants(self.asker(rule, now).await?, now) {
            return Ok(rule.shown(asked.largest));
        }
        match &gate.external {
            Some(external) if rule.asks_outside() => {
                let verdict = self.verdict(asked, subject, external).await?;
                outside(asked, rule, gate, verdict)
            }
            _ => Ok(rule.hidden(asked.largest)),
        }
    }

    fn is_signed(&self, asked: &Asked, rule: &Rule, now: SystemTime) -> bool {
        let query = self.client.uri.query().unwrap_or_default();
        let is_good = |gate: &Gate| gate.signer.verify(asked.signed(), query, now).is_ok();
        rule.takes_signatures() && self.app.gate().is_some_and(is_good)
    }

    /// What the service says that is asked about it.
    async fn verdict(
        &self,
        asked: &Asked,
        subject: &Subject,
        external: &External,
    ) -> Result<Verdict, Error> {
        let question = ExternalQuestion {
            method: self.client.method.as_str(),
            path: self.client.uri.path(),
            identifier: subject.name(),
            request: asked.matter(),
            address: self.stranger().address,
            headers: self.client.headers,
        };
        Ok(external.decide(&question).await)
    }

    /// Whoever would not see an image is not told whether there is one, nor what else there is.
    async fn unfound(&self, asked: &Asked, gate: &Gate, error: Error) -> Result<Decision, Error> {
        let identifier = &asked.identifier;
        let subject = self.app.pipeline().unfound(identifier);
        let decision = self.about(asked, gate, &subject).await?;
        match (&decision.outcome, error) {
            (Outcome::Refuse(_), _) => Ok(decision),
            (_, Error::NotFound(_)) => Err(absent(identifier)),
            (_, error) => Err(error),
        }
    }

    /// Who asks, as far as it matters: nobody is asked for roles that would change nothing, because he may not answer.
    async fn asker(&self, rule: &Rule, now: SystemTime) -> Result<&Visitor, Error> {
        let stranger = self.stranger();
        match rule.takes_roles() && !rule.grants(stranger, now) {
            true => self.visitor().await,
            false => Ok(stranger),
        }
    }

    fn stranger(&self) -> &Visitor {
        self.stranger
            .get_or_init(|| stranger(self.app, self.client))
    }

    async fn visitor(&self) -> Result<&Visitor, Error> {
        let address = self.stranger().address;
        let find_out = || visitor(self.app, self.client, address, self.takes_tokens);
        self.visitor.get_or_try_init(find_out).await
    }
}

/// The decision that an answer from outside stands for.
fn outside(
    asked: &Asked,
    rule: &Arc<Rule>,
    gate: &Gate,
    verdict: Verdict,
) -> Result<Decision, Error> {
    match verdict {
        Verdict::Allow(shown) => {
            let decision = rule.shown_in_part(asked.largest, &shown, &gate.overlays);
            decision.map_err(Error::internal)
        }
        Verdict::Redirect(location) => Ok(rule.decision(Outcome::Elsewhere(location))),
        Verdict::Refuse(refusal) => Ok(rule.refused(asked.largest, refusal)),
        Verdict::Unavailable => Err(Error::AccessUnavailable(cause("no decision"))),
    }
}

fn absent(identifier: &Identifier) -> Error {
    Error::NotFound(format!("there is no image \"{identifier}\""))
}

/// Whether somebody who does not see an image is told of it all the same, so that a viewer can help him to see it.
pub fn is_told_of(app: &App, version: Version, decision: &Decision) -> bool {
    let can_be_helped = match version {
        Version::V2 => app.access().auth1,
        Version::V3 => true,
    };
    let is_hidden = match decision.outcome {
        Outcome::Refuse(refusal) => refusal == Refusal::NotFound,
        Outcome::Elsewhere(_) => true,
        Outcome::Allow(_) | Outcome::Smaller(_) => false,
    };
    let rule = decision.rule.as_ref();
    can_be_helped && !is_hidden && rule.is_some_and(|rule| !rule.services().is_empty())
}

/// What is shown to somebody, if anything is.
///
/// # Errors
/// Why not.
pub fn view(decision: &Decision, identifier: &Identifier) -> Result<Arc<View>, Error> {
    let refusal = match &decision.outcome {
        Outcome::Allow(view) => return Ok(Arc::clone(view)),
        Outcome::Refuse(refusal) => *refusal,
        Outcome::Smaller(_) | Outcome::Elsewhere(_) => decision.refusal(),
    };
    Err(match refusal {
        Refusal::Unauthorized => Error::Unauthorized(format!(
            "\"{identifier}\" is not for everyone: say who you are"
        )),
        Refusal::Forbidden => Error::Forbidden(format!("\"{identifier}\" is not for everyone")),
        Refusal::NotFound => absent(identifier),
    })
}
