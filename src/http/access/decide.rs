//! The decision about one request.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::OnceCell;

use super::Asked;
use super::visitor::visitor;
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
    visitor: OnceCell<Visitor>,
    takes_tokens: bool,
}

impl<'a> Door<'a> {
    pub fn new(app: &'a App, client: &'a Client<'a>) -> Self {
        Self {
            app,
            client,
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
            Ok(subject) => self.by_rule(asked, gate.rules.of(&subject)).await,
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
        let (visitor, now) = (self.visitor().await?, SystemTime::now());
        let listed = |image: T| {
            let largest = gate.rules.of(&subject(&image)).lists(visitor, now)?;
            Some((image, largest))
        };
        Ok(images.into_iter().filter_map(listed).collect())
    }

    async fn by_rule(&self, asked: &Asked, rule: &Arc<Rule>) -> Result<Decision, Error> {
        let now = SystemTime::now();
        if rule.is_public(now) {
            return Ok(rule.public(asked.largest));
        }
        if let Some(public) = rule.public_version(asked.largest) {
            return Ok(public);
        }
        if self.is_signed(asked, rule, now) || rule.grants(self.visitor().await?, now) {
            return Ok(rule.shown(asked.largest));
        }
        let gate = self.app.gate().filter(|_| rule.asks_outside());
        match gate.and_then(|gate| Some((gate, gate.external.as_ref()?))) {
            Some((gate, external)) => self.outside(asked, rule, gate, external).await,
            _ => Ok(rule.hidden(asked.largest)),
        }
    }

    fn is_signed(&self, asked: &Asked, rule: &Rule, now: SystemTime) -> bool {
        let query = self.client.uri.query().unwrap_or_default();
        let is_good = |gate: &Gate| gate.signer.verify(asked.signed(), query, now).is_ok();
        rule.takes_signatures() && self.app.gate().is_some_and(is_good)
    }

    /// What the service says that is asked about it.
    async fn outside(
        &self,
        asked: &Asked,
        rule: &Arc<Rule>,
        gate: &Gate,
        external: &External,
    ) -> Result<Decision, Error> {
        let question = ExternalQuestion {
            method: self.client.method.as_str(),
            path: self.client.uri.path(),
            identifier: asked.identifier.as_str(),
            request: asked.matter(),
            address: self.visitor().await?.address,
            headers: self.client.headers,
        };
        match external.decide(&question).await {
            Verdict::Allow(shown) => {
                let decision = rule.shown_in_part(asked.largest, &shown, &gate.overlays);
                decision.map_err(Error::internal)
            }
            Verdict::Redirect(location) => Ok(rule.decision(Outcome::Elsewhere(location))),
            Verdict::Refuse(refusal) => Ok(rule.refused(asked.largest, refusal)),
            Verdict::Unavailable => Err(Error::AccessUnavailable(cause("no decision"))),
        }
    }

    /// Whoever would not see an image is not told whether there is one.
    async fn unfound(&self, asked: &Asked, gate: &Gate, error: Error) -> Result<Decision, Error> {
        for name in self.app.pipeline().possible_names(&asked.identifier) {
            let rule = gate.rules.of(&Subject::named(&name));
            let decision = self.by_rule(asked, rule).await?;
            if matches!(decision.outcome, Outcome::Refuse(_)) {
                return Ok(decision);
            }
        }
        Err(error)
    }

    async fn visitor(&self) -> Result<&Visitor, Error> {
        let find_out = || visitor(self.app, self.client, self.takes_tokens);
        self.visitor.get_or_try_init(find_out).await
    }
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
        Refusal::NotFound => Error::NotFound(format!("there is no image \"{identifier}\"")),
    })
}
