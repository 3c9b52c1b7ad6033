//! A manifest in the words of Presentation 2.1.

use serde_json::{Map, Value, json};

use super::{Canvas, Manifest};
use crate::iiif::Version;

const CONTEXT: &str = "http://iiif.io/api/presentation/2/context.json";

pub(super) fn document(manifest: &Manifest) -> Value {
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| document.insert(key.to_owned(), value);
    put("@context", json!(CONTEXT));
    put("@id", json!(manifest.address()));
    put("@type", json!("sc:Manifest"));
    put("label", json!(manifest.label.as_str()));
    let texts = [
        ("description", &manifest.summary),
        ("attribution", &manifest.attribution),
        ("license", &manifest.rights),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    if let Some(first) = manifest.canvases.first() {
        put("thumbnail", thumbnail(first));
    }
    if let Some(rendering) = &manifest.rendering {
        let id = &rendering.address;
        put(
            "rendering",
            json!({ "@id": id, "label": "PDF", "format": "application/pdf" }),
        );
    }
    let canvases = manifest.canvases.iter().map(|it| canvas(manifest, it));
    let sequence = json!({
        "@id": format!("{}/sequence/normal", manifest.base),
        "@type": "sc:Sequence",
        "canvases": canvases.collect::<Value>(),
    });
    put("sequences", json!([sequence]));
    Value::Object(document)
}

fn canvas(manifest: &Manifest, canvas: &Canvas) -> Value {
    let id = canvas.address(manifest);
    let annotation = json!({
        "@id": format!("{id}/image"),
        "@type": "oa:Annotation",
        "motivation": "sc:painting",
        "resource": image(canvas),
        "on": id,
    });
    json!({
        "@id": id,
        "@type": "sc:Canvas",
        "label": canvas.label.as_str(),
        "width": canvas.dimensions.width(),
        "height": canvas.dimensions.height(),
        "thumbnail": thumbnail(canvas),
        "images": [annotation],
    })
}

fn image(canvas: &Canvas) -> Value {
    json!({
        "@id": canvas.painted(),
        "@type": "dctypes:Image",
        "format": "image/jpeg",
        "width": canvas.largest.width(),
        "height": canvas.largest.height(),
        "service": service(canvas),
    })
}

fn thumbnail(canvas: &Canvas) -> Value {
    json!({
        "@id": canvas.pictured(),
        "@type": "dctypes:Image",
        "format": "image/jpeg",
        "width": canvas.thumbnail.width(),
        "height": canvas.thumbnail.height(),
        "service": service(canvas),
    })
}

fn service(canvas: &Canvas) -> Value {
    json!({
        "@context": Version::V2.context(),
        "@id": canvas.image,
        "profile": Version::V2.profile(),
    })
}
