//! What came of asking.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::rules::Rule;
use crate::view::View;

/// What somebody is answered who asks for an image, its description, or what is made of it.
#[derive(Clone, Debug)]
pub struct Decision {
    pub outcome: Outcome,
    /// Whether everybody is answered so, for as long as caches keep it.
    pub is_public: bool,
    /// The rule that is for the image. `None` where nobody is asked who he is.
    pub rule: Option<Arc<Rule>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Allow(Arc<View>),
    /// A smaller version, which is another image: of this longer side at most.
    Smaller(NonZeroU32),
    /// What is at another address.
    Elsewhere(String),
    Refuse(Refusal),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not known who asks.
    Unauthorized,
    Forbidden,
    /// As if there were none.
    NotFound,
}

impl Decision {
    /// The same, where the image is shown, but as it is seen so.
    pub(super) fn seen_as(self, view: Arc<View>) -> Self {
        let outcome = match self.outcome {
            Outcome::Allow(_) => Outcome::Allow(view),
            other => other,
        };
        Self { outcome, ..self }
    }

    /// What those are told who do not see the image itself.
    pub fn refusal(&self) -> Refusal {
        self.rule
            .as_ref()
            .map_or(Refusal::Forbidden, |rule| rule.refusal())
    }

    /// Of an image that everybody may see.
    pub fn open(view: Arc<View>) -> Self {
        Self {
            outcome: Outcome::Allow(view),
            is_public: true,
            rule: None,
        }
    }
}
