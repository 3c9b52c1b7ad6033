//! Collections as they are posted to a queue.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{Complaint, Complaints, Rules, fields, or_complaints};
use crate::ingest::asset::NewAsset;
use crate::ingest::composite::Composite;
use crate::ingest::fields::Fields;

/// All spellings are in use.
const CONTEXTS: [&str; 4] = [
    "http://www.w3.org/ns/hydra/context.jsonld",
    "http://www.w3.org/ns/hydra/context.json",
    "https://www.w3.org/ns/hydra/context.jsonld",
    "https://www.w3.org/ns/hydra/context.json",
];

/// What was posted.
#[derive(Clone, Debug, PartialEq)]
pub enum Submission {
    Composites(Vec<Composite>),
    Images(Vec<NewAsset>),
}

/// The identifier of an asset, and what is to be changed of it.
pub type Change = (String, Map<String, Value>);

/// What a member of a collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Composite,
    Image,
}

/// Reads a collection of composites, or of images.
///
/// # Errors
/// With all that is wrong.
pub fn submission(rules: &Rules, body: &Value) -> Result<Submission, Vec<Complaint>> {
    let mut all = Vec::new();
    let members = members(rules, body, &mut all);
    let kinds = kinds(&members, &mut all);
    let mut seen = Seen::default();
    let mut composites = Vec::new();
    let mut images = Vec::new();
    for ((member, object), kind) in (0..).zip(members).zip(kinds) {
        let mut complaints = Complaints {
            member: Some(member),
            all: &mut all,
        };
        match kind {
            Kind::Composite => {
                composites.extend(composite(rules, &mut complaints, &mut seen, object));
            }
            Kind::Image => images.extend(image(rules, &mut complaints, &mut seen, object)),
        }
    }
    or_complaints(all, || match images.is_empty() {
        true => Submission::Composites(composites),
        false => Submission::Images(images),
    })
}

/// What is to be changed of the assets of a space, each with its identifier.
///
/// # Errors
/// With all that is wrong.
pub fn changes(rules: &Rules, space: i64, body: &Value) -> Result<Vec<Change>, Vec<Complaint>> {
    let mut all = Vec::new();
    let mut seen = Seen::default();
    let mut changes = Vec::new();
    for (member, object) in members(rules, body, &mut all).into_iter().enumerate() {
        let mut complaints = Complaints {
            member: Some(member),
            all: &mut all,
        };
        let id = object.get("id").cloned().unwrap_or_default();
        fields::id(&mut complaints, &id);
        fields::of_change(&mut complaints, &object);
        if object.get("space").is_some_and(|given| *given != space) {
            complaints.of("space", "is not that of the address");
        }
        if let Some(id) = id.as_str() {
            seen.note(&mut complaints, Name::Asset(space, id.to_owned()));
            changes.push((id.to_owned(), object));
        }
    }
    or_complaints(all, || changes)
}

/// The objects of a collection, as many as there may be.
fn members(rules: &Rules, body: &Value, all: &mut Vec<Complaint>) -> Vec<Map<String, Value>> {
    let mut complaints = Complaints { member: None, all };
    let Value::Object(collection) = body else {
        complaints.of_all("it is no JSON object");
        return Vec::new();
    };
    head(&mut complaints, collection);
    let Some(Value::Array(members)) = collection.get("member") else {
        complaints.of("member", "is missing, or no list");
        return Vec::new();
    };
    if members.is_empty() {
        complaints.of("member", "is empty");
    }
    if members.len() > rules.most_members {
        let (given, most) = (members.len(), rules.most_members);
        complaints.of("member", format!("has {given} elements, of {most} at most"));
        return Vec::new();
    }
    let objects = members.iter().enumerate().map(|(at, member)| {
        let object = member.as_object().cloned();
        if object.is_none() {
            complaints.member = Some(at);
            complaints.of_all("it is no JSON object");
        }
        object.unwrap_or_default()
    });
    objects.collect()
}

/// What is not said is taken for granted; what is said has to be right.
fn head(complaints: &mut Complaints<'_>, collection: &Map<String, Value>) {
    let kind = collection.get("@type");
    if kind.is_some_and(|kind| kind != "Collection" && kind != "hydra:Collection") {
        complaints.of("@type", "is not \"Collection\"");
    }
    let context = collection.get("@context");
    if context.is_some_and(|context| !CONTEXTS.iter().any(|known| context == known)) {
        complaints.of("@context", "is not that of Hydra");
    }
}

/// What each member is. Without a type, it is an image.
fn kinds(members: &[Map<String, Value>], all: &mut Vec<Complaint>) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(members.len());
    for (member, object) in members.iter().enumerate() {
        let kind = object.get("@type").map_or(Some("Image"), Value::as_str);
        kinds.push(match kind {
            Some("vocab:Composite" | "Composite") => Kind::Composite,
            Some("vocab:Image" | "Image") => Kind::Image,
            _ => {
                let member = Some(member);
                Complaints { member, all }
                    .of("@type", "is neither vocab:Composite nor vocab:Image");
                Kind::Image
            }
        });
    }
    let composites = kinds
        .iter()
        .filter(|kind| **kind == Kind::Composite)
        .count();
    if composites > 0 && composites < kinds.len() {
        let images = kinds.len() - composites;
        let reason = format!("has {composites} composites and {images} images: post them apart");
        Complaints { member: None, all }.of("member", reason);
    }
    kinds
}

fn composite(
    rules: &Rules,
    complaints: &mut Complaints<'_>,
    seen: &mut Seen,
    object: Map<String, Value>,
) -> Option<Composite> {
    let template = fields::template_of_id(complaints, object.get("id"));
    let space = fields::space(complaints, rules, object.get("space"));
    fields::document(complaints, object.get("origin"));
    fields::composite_id(complaints, object.get("compositeId"));
    fields::of_composite(complaints, rules, &object);
    let seed = object.get("incrementSeed").and_then(Value::as_i64);
    let (template, space, seed) = (template?, space?, seed?);
    let ends = fields::ends(rules, seed);
    fields::bounded(complaints, "id", &template, ends, fields::LONGEST_ID);
    // With one page at most, they are the same.
    for number in BTreeSet::from(ends) {
        seen.note(complaints, Name::Asset(space, template.expand(number)));
    }
    if let Some(id) = object.get("compositeId").and_then(Value::as_str) {
        seen.note(complaints, Name::Composite(space, id.to_owned()));
    }
    Some(Composite(object))
}

fn image(
    rules: &Rules,
    complaints: &mut Complaints<'_>,
    seen: &mut Seen,
    object: Map<String, Value>,
) -> Option<NewAsset> {
    let id = object.get("id").cloned().unwrap_or_default();
    fields::id(complaints, &id);
    let space = fields::space(complaints, rules, object.get("space"));
    fields::origin(complaints, object.get("origin"));
    fields::of_image(complaints, &object);
    let (id, space) = (id.as_str()?.to_owned(), space?);
    seen.note(complaints, Name::Asset(space, id.clone()));
    Some(NewAsset {
        space,
        id,
        fields: Fields::of(&object),
        place: None,
    })
}

/// Which names there were already, and in which member.
#[derive(Default)]
struct Seen(HashMap<Name, usize>);

/// A name in a space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Asset(i64, String),
    Composite(i64, String),
}

impl Seen {
    fn note(&mut self, complaints: &mut Complaints<'_>, name: Name) {
        let member = complaints.member.unwrap_or_default();
        let Some(earlier) = self.0.insert(name.clone(), member) else {
            return;
        };
        match name {
            Name::Asset(_, id) => {
                complaints.of(
                    "id",
                    format!("makes {id:?}, as that of member {earlier} does"),
                );
            }
            Name::Composite(_, id) => {
                complaints.of(
                    "compositeId",
                    format!("is {id:?}, as that of member {earlier}"),
                );
            }
        }
    }
}
