//! A manifest in the words of Presentation 3.0.

use serde_json::{Map, Value, json};

use super::{Canvas, Manifest};

const CONTEXT: &str = "http://iiif.io/api/presentation/3/context.json";
/// What `rights` may begin with, unless it is registered as an extension (section 3.1, `rights`).
const RIGHTS: [&str; 2] = ["://creativecommons.org/", "://rightsstatements.org/"];

pub(super) fn document(manifest: &Manifest) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| document.insert(key.to_owned(), value);
    put("@context", json!(CONTEXT));
    put("id", json!(manifest.address()));
    put("type", json!("Manifest"));
    put("label", text(manifest.label.as_str()));
    if let Some(summary) = &manifest.summary {
        put("summary", english(summary));
    }
    if let Some(attribution) = &manifest.attribution {
        let statement = json!({ "label": english("Attribution"), "value": text(attribution) });
        put("requiredStatement", statement);
    }
    let rights = manifest.rights.as_ref();
    if let Some(rights) = rights.filter(|uri| RIGHTS.iter().any(|known| uri.contains(known))) {
        put("rights", json!(rights));
    }
    if let Some(first) = manifest.canvases.first() {
        put("thumbnail", thumbnail(first));
    }
    if let Some(rendering) = &manifest.rendering {
        let id = &rendering.address;
        let document = json!({ "id": id, "type": "Text", "label": english("PDF"), "format": "application/pdf" });
        put("rendering", json!([document]));
    }
    let canvases = manifest.canvases.iter();
    put("items", canvases.map(|it| canvas(manifest, it)).collect());
    Value::Object(document)
}

fn canvas(manifest: &Manifest, canvas: &Canvas) -> Value {
    let id = canvas.address(manifest);
    let annotation = json!({
        "id": format!("{id}/image"),
        "type": "Annotation",
        "motivation": "painting",
        "body": image(canvas),
        "target": id,
    });
    json!({
        "id": id,
        "type": "Canvas",
        "label": text(canvas.label.as_str()),
        "width": canvas.dimensions.width(),
        "height": canvas.dimensions.height(),
        "thumbnail": thumbnail(canvas),
        "items": [{ "id": format!("{id}/page"), "type": "AnnotationPage", "items": [annotation] }],
    })
}

fn image(canvas: &Canvas) -> Value {
    json!({
        "id": canvas.painted(),
        "type": "Image",
        "format": "image/jpeg",
        "width": canvas.largest.width(),
        "height": canvas.largest.height(),
        "service": service(canvas),
    })
}

fn thumbnail(canvas: &Canvas) -> Value {
    json!([{
        "id": canvas.pictured(),
        "type": "Image",
        "format": "image/jpeg",
        "width": canvas.thumbnail.width(),
        "height": canvas.thumbnail.height(),
        "service": service(canvas),
    }])
}

fn service(canvas: &Canvas) -> Value {
    json!([{ "id": canvas.image, "type": "ImageService3", "profile": "level2" }])
}

/// In a language that is not known.
fn text(text: &str) -> Value {
    json!({ "none": [text] })
}

/// What the server itself says.
fn english(text: &str) -> Value {
    json!({ "en": [text] })
}
