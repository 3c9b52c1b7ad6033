//! Documents whose pages become images, and images of customers: what is posted, kept and looked up. Nothing here knows of HTTP.

pub mod asset;
pub mod batch;
mod check;
pub mod composite;
pub mod config;
pub mod customers;
pub mod fields;
mod location;
pub mod member;
pub mod mount;
mod origin;
pub mod status;
pub mod steps;
pub mod store;
pub mod template;
pub mod timestamp;
pub mod validation;

pub use asset::{Asset, AssetKey, Delivery, NewAsset, Place};
pub use batch::Batch;
pub use check::problems;
pub use composite::Composite;
pub use fields::Fields;
pub use member::{Collection, Member, Progress};
pub use status::Status;
pub use store::Store;
pub use timestamp::Timestamp;
