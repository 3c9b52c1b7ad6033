//! Images of customers.

use std::fmt;

use uuid::Uuid;

use super::fields::Fields;
use super::origin;
use super::timestamp::Timestamp;
use crate::page::Page;
use crate::registry::copies::Copied;

/// What names an asset. Shown as `7/5/page-001`, which is its identifier among the images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetKey {
    pub customer: i64,
    pub space: i64,
    pub id: String,
}

impl fmt::Display for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.customer, self.space, self.id)
    }
}

/// Where the pixels of an asset are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A URL that the sources of composites recognise: that of the origin, or `composites:` and a path below their folder.
    pub location: String,
    pub page: Page,
    /// Dots per inch that a page of a document is drawn with.
    pub resolution: Option<u32>,
    /// The part of the page that is drawn, as its decoder names it.
    pub cut: Option<String>,
    pub width: u32,
    pub height: u32,
}

impl Place {
    /// Whether it is where an origin says.
    pub fn is_of(&self, origin: &str) -> bool {
        origin::parts(origin) == Some((self.location.as_str(), self.page))
    }
}

/// An asset to be put.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAsset {
    pub space: i64,
    pub id: String,
    pub fields: Fields,
    /// `None` until it has been looked for.
    pub place: Option<Place>,
}

impl NewAsset {
    pub fn key(&self, customer: i64) -> AssetKey {
        AssetKey {
            customer,
            space: self.space,
            id: self.id.clone(),
        }
    }
}

/// An asset as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    pub key: AssetKey,
    pub fields: Fields,
    /// It was removed, or its composite has fewer pages by now.
    pub is_retired: bool,
    /// The last one that was found. It stays while the asset is ingested again.
    pub place: Option<Place>,
    /// Which composite it is a page of, and the member that made it so.
    pub composite: Option<String>,
    pub member: Option<Uuid>,
    /// From 0, in its composite or batch.
    pub position: Option<i64>,
    /// The last batch that it was in.
    pub batch: Option<i64>,
    pub created: Timestamp,
    /// When it was last ingested, with or without an error.
    pub finished: Option<Timestamp>,
    pub error: Option<String>,
}

impl Asset {
    pub fn is_ingesting(&self) -> bool {
        self.finished.is_none()
    }

    pub fn delivery(self) -> Delivery {
        match self.place {
            _ if self.is_retired => Delivery::Gone,
            Some(place) => Delivery::At {
                location: place.location,
                page: place.page,
            },
            None => Delivery::NotReady,
        }
    }
}

/// What the one who delivers images has to know of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    At {
        location: String,
        page: Page,
    },
    /// It is retired.
    Gone,
    /// It is still to be ingested, or that failed.
    NotReady,
    Unknown,
}

impl Copied for Delivery {
    fn is_unknown(&self) -> bool {
        matches!(self, Self::NotReady | Self::Unknown)
    }
}
