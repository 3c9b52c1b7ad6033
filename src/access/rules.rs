//! The rules, looked through in their order.

use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::config::{AccessConfig, RefusalConfig, RuleConfig, Standing};
use super::decision::{Decision, Outcome, Refusal};
use super::external::Shown;
use super::subject::Subject;
use super::visitor::Visitor;
use crate::overlay::Overlays;
use crate::route::Pattern;
use crate::view::{Redaction, View};

/// All rules; the last one is for all images.
pub struct Rules(Vec<Arc<Rule>>);

/// One rule.
#[derive(Debug)]
pub struct Rule {
    config: RuleConfig,
    /// In lower case.
    identifiers: Vec<Pattern>,
    /// How everybody sees its images.
    view: View,
}

impl Rules {
    /// # Errors
    /// If an overlay is named that is none.
    pub fn new(config: &AccessConfig, overlays: &Overlays) -> io::Result<Self> {
        let last = RuleConfig {
            open: config.default == Standing::Open,
            ..RuleConfig::default()
        };
        let rules = config.rules.iter().cloned().chain([last]);
        let rules = rules.map(|rule| Rule::new(rule, overlays).map(Arc::new));
        rules.collect::<io::Result<_>>().map(Self)
    }

    /// Which rule counts, under which names it looked for the image, and what it says, as JSON.
    pub fn explain(&self, subject: &Subject) -> Value {
        let rule = self.of(subject);
        let number = self.0.iter().position(|other| Arc::ptr_eq(rule, other));
        let is_last = number == self.0.len().checked_sub(1);
        json!({
            "names": subject.names().collect::<Vec<_>>(),
            "sources": subject.sources(),
            "rule": number.filter(|_| !is_last),
            "says": rule.config,
        })
    }

    /// The rule that counts.
    pub fn of(&self, subject: &Subject) -> &Arc<Rule> {
        let mut rules = self.0.iter();
        let found = rules.find(|rule| rule.is_for(subject));
        found.unwrap_or_else(|| self.0.last().expect("there is always a last one"))
    }
}

impl Rule {
    fn new(config: RuleConfig, overlays: &Overlays) -> io::Result<Self> {
        let identifiers = config.identifiers.iter().map(Pattern::in_lower_case);
        let named = config.overlays.iter().map(|name| overlays.named(name));
        let view = View {
            largest: None,
            redactions: config.redactions.clone(),
            overlays: named.collect::<io::Result<_>>()?,
        };
        Ok(Self {
            identifiers: identifiers.collect(),
            view,
            config,
        })
    }

    fn is_for(&self, subject: &Subject) -> bool {
        let is_named =
            |pattern: &Pattern| subject.names().any(|name| pattern.matches(name).is_ok());
        let is_so_called = self.identifiers.is_empty() || self.identifiers.iter().any(is_named);
        let sources = &self.config.sources;
        let lies_there = || sources.iter().any(|name| subject.sources().contains(name));
        is_so_called && (sources.is_empty() || lies_there())
    }

    /// Whether everybody sees the image, for as long as caches keep it.
    pub fn is_public(&self, now: SystemTime) -> bool {
        self.config.open_until.is_none() && self.is_open(now)
    }

    fn is_open(&self, now: SystemTime) -> bool {
        let RuleConfig {
            open,
            open_from,
            open_until,
            ..
        } = &self.config;
        let is_limited = open_from.is_some() || open_until.is_some();
        let has_begun = open_from.is_none_or(|moment| moment.is_over(now));
        let has_ended = open_until.is_some_and(|moment| moment.is_over(now));
        (*open || is_limited) && has_begun && !has_ended
    }

    /// Whether somebody fulfils one of the conditions that can be told here.
    pub fn grants(&self, visitor: &Visitor, now: SystemTime) -> bool {
        let RuleConfig {
            roles, networks, ..
        } = &self.config;
        self.is_open(now) || visitor.has_one_of(roles) || visitor.is_in_one_of(networks)
    }

    /// What everybody is answered, where everybody sees it.
    pub fn public(self: &Arc<Self>, asked: Option<NonZeroU32>) -> Decision {
        Decision {
            outcome: Outcome::Allow(self.view(asked)),
            is_public: true,
            rule: Some(Arc::clone(self)),
        }
    }

    /// How those see the image, or the smaller version, who see it.
    pub fn view(&self, asked: Option<NonZeroU32>) -> Arc<View> {
        Arc::new(View {
            largest: asked,
            ..self.view.clone()
        })
    }

    /// What everybody is answered who asks for a smaller version that everybody sees. `None` where somebody else has a say.
    pub fn public_version(self: &Arc<Self>, asked: Option<NonZeroU32>) -> Option<Decision> {
        let is_seen = asked? <= self.config.largest? && !self.config.external;
        is_seen.then(|| self.public(asked))
    }

    /// Whether whoever has one of some roles sees the image.
    pub fn takes_roles(&self) -> bool {
        !self.config.roles.is_empty()
    }

    /// Whether whoever has a signed URL sees the image.
    pub fn takes_signatures(&self) -> bool {
        self.config.signed
    }

    /// Whether it is asked outside who sees the image.
    pub fn asks_outside(&self) -> bool {
        self.config.external
    }

    /// What somebody is answered who sees the image, and asks for it or for a smaller version.
    pub fn shown(self: &Arc<Self>, asked: Option<NonZeroU32>) -> Decision {
        self.decision(Outcome::Allow(self.view(asked)))
    }

    /// What somebody is answered who does not see the image, and asks for it or for a smaller version.
    pub fn hidden(self: &Arc<Self>, asked: Option<NonZeroU32>) -> Decision {
        self.refused(asked, self.refusal())
    }

    /// The same, where somebody else says how they are refused.
    pub fn refused(self: &Arc<Self>, asked: Option<NonZeroU32>, refusal: Refusal) -> Decision {
        self.confined(asked, self.config.largest)
            .unwrap_or_else(|| self.decision(Outcome::Refuse(refusal)))
    }

    /// What somebody is answered of whom somebody else says what he sees.
    ///
    /// # Errors
    /// If an overlay is to be drawn that is none.
    pub fn shown_in_part(
        self: &Arc<Self>,
        asked: Option<NonZeroU32>,
        shown: &Shown,
        overlays: &Overlays,
    ) -> io::Result<Decision> {
        let mut view = View {
            largest: asked,
            ..self.view.clone()
        };
        let redactions = shown.redactions.iter();
        view.redactions
            .extend(redactions.map(|&(region, color)| Redaction::new(region, color)));
        for name in &shown.overlays {
            view.overlays.push(overlays.named(name)?);
        }
        let decision = self.confined(asked, shown.largest);
        let decision = decision.unwrap_or_else(|| self.shown(asked));
        Ok(decision.seen_as(Arc::new(view)))
    }

    /// What somebody is answered who sees the image no larger than that. `None` where it is not seen at all.
    pub fn confined(
        self: &Arc<Self>,
        asked: Option<NonZeroU32>,
        largest: Option<NonZeroU32>,
    ) -> Option<Decision> {
        let largest = largest?;
        Some(match asked {
            Some(asked) if asked <= largest => self.shown(Some(asked)),
            _ => self.decision(Outcome::Smaller(largest)),
        })
    }

    pub fn decision(self: &Arc<Self>, outcome: Outcome) -> Decision {
        Decision {
            outcome,
            is_public: false,
            rule: Some(Arc::clone(self)),
        }
    }

    /// Whether somebody may know of the image: the inner value is the longer side of the smaller version that is meant.
    pub fn lists(&self, visitor: &Visitor, now: SystemTime) -> Option<Option<NonZeroU32>> {
        let can_be_helped = !self.config.services.is_empty() && self.refusal() != Refusal::NotFound;
        if can_be_helped || self.grants(visitor, now) {
            return Some(None);
        }
        self.config
            .largest
            .filter(|_| !self.config.external)
            .map(Some)
    }

    /// How a viewer can help somebody to see the image: names of services.
    pub fn services(&self) -> &[String] {
        &self.config.services
    }

    /// What those are told who do not see it.
    pub fn refusal(&self) -> Refusal {
        match self.config.refusal {
            Some(RefusalConfig::Unauthorized) => Refusal::Unauthorized,
            Some(RefusalConfig::Forbidden) => Refusal::Forbidden,
            Some(RefusalConfig::NotFound) => Refusal::NotFound,
            None if !self.config.roles.is_empty() => Refusal::Unauthorized,
            None => Refusal::Forbidden,
        }
    }
}
