//! What is posted, checked as a whole before any of it is kept. Nothing here asks anybody.

mod collection;
mod fields;
#[cfg(test)]
mod tests;

pub use collection::{Submission, changes, submission};

use std::fmt;

use serde_json::{Map, Value};

use super::asset::NewAsset;
use super::fields::Fields;

/// What a customer may post.
#[derive(Clone, Debug)]
pub struct Rules {
    pub most_members: usize,
    /// Pages of a document.
    pub most_pages: u32,
    /// Those that there are; without any, all are.
    pub spaces: Vec<u32>,
}

/// Something that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The member of the collection, from 0. `None` if the request as a whole is meant.
    pub member: Option<usize>,
    pub field: Option<String>,
    pub reason: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(member) = self.member {
            write!(f, "member {member}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field} ")?;
        }
        f.write_str(&self.reason)
    }
}

/// Gathers complaints about one object.
struct Complaints<'a> {
    member: Option<usize>,
    all: &'a mut Vec<Complaint>,
}

impl Complaints<'_> {
    fn of(&mut self, field: &str, reason: impl Into<String>) {
        self.all.push(Complaint {
            member: self.member,
            field: Some(field.to_owned()),
            reason: reason.into(),
        });
    }

    fn of_all(&mut self, reason: impl Into<String>) {
        self.all.push(Complaint {
            member: self.member,
            field: None,
            reason: reason.into(),
        });
    }
}

/// The asset that is put at an address.
///
/// # Errors
/// With all that is wrong.
pub fn put(rules: &Rules, space: i64, id: &str, body: &Value) -> Result<NewAsset, Vec<Complaint>> {
    let mut all = Vec::new();
    let mut complaints = Complaints {
        member: None,
        all: &mut all,
    };
    let object = addressed(&mut complaints, space, id, body);
    let object = object.unwrap_or_default();
    fields::id(&mut complaints, &Value::from(id));
    fields::space(&mut complaints, rules, Some(&Value::from(space)));
    fields::origin(&mut complaints, object.get("origin"));
    fields::of_image(&mut complaints, &object);
    or_complaints(all, || NewAsset {
        space,
        id: id.to_owned(),
        fields: Fields::of(&object),
        place: None,
    })
}

/// What is to be changed of the asset at an address.
///
/// # Errors
/// With all that is wrong.
pub fn patch(space: i64, id: &str, body: &Value) -> Result<Map<String, Value>, Vec<Complaint>> {
    let mut all = Vec::new();
    let mut complaints = Complaints {
        member: None,
        all: &mut all,
    };
    let object = addressed(&mut complaints, space, id, body);
    let object = object.unwrap_or_default();
    fields::of_change(&mut complaints, &object);
    or_complaints(all, || object)
}

/// An object that names no other asset than its address does.
fn addressed(
    complaints: &mut Complaints<'_>,
    space: i64,
    id: &str,
    body: &Value,
) -> Option<Map<String, Value>> {
    let Value::Object(object) = body else {
        complaints.of_all("it is no JSON object");
        return None;
    };
    if object.get("id").is_some_and(|given| given != id) {
        complaints.of("id", "is not that of the address");
    }
    if object.get("space").is_some_and(|given| *given != space) {
        complaints.of("space", "is not that of the address");
    }
    Some(object.clone())
}

fn or_complaints<T>(
    complaints: Vec<Complaint>,
    value: impl FnOnce() -> T,
) -> Result<T, Vec<Complaint>> {
    if complaints.is_empty() {
        Ok(value())
    } else {
        Err(complaints)
    }
}
