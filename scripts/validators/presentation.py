"""Checks manifests of a running server: presentation.py URL IDENTIFIER... (each as in the path, or empty for the root folder).

Presentation 3.0: the models of iiif-prezi3, which are generated from the JSON schema of the official Presentation validator. Where that schema
allows several things for one place, the models take what is wrong for another of them; so every object is checked by the
model of its own type, and has to come out of it as it went in. Presentation 2.1: the reader of iiif-prezi, which the
official validator runs.
"""

import copy
import json
import sys
import urllib.request
from importlib.resources import files

import iiif_prezi3
from iiif_prezi.loader import ManifestReader
from iiif_prezi3.skeleton import AnnotationBody, ServiceV3
from pyld import jsonld

MODELS = {
    "Manifest": iiif_prezi3.Manifest,
    "Canvas": iiif_prezi3.Canvas,
    "AnnotationPage": iiif_prezi3.AnnotationPage,
    "Annotation": iiif_prezi3.Annotation,
    "Image": AnnotationBody,
    "ImageService3": ServiceV3,
}

CONTEXTS = {
    "http://iiif.io/api/presentation/2/context.json": json.loads(files("iiif_prezi").joinpath("contexts/context_21.json").read_text()),
    # Nothing of the image service is expanded.
    "http://iiif.io/api/image/2/context.json": {"@context": {}},
}


def load_context(url, options=None):
    """The contexts that the reader's package brings with it: nothing is fetched."""
    return {"contextUrl": None, "documentUrl": url, "document": CONTEXTS[url]}


jsonld.set_document_loader(load_context)


def typed(value):
    """The objects that say what they are, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from typed(each)
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for each in value.values():
            yield from typed(each)


def problem_3(document):
    """What is wrong, or None."""
    for part in typed(document):
        try:
            model = MODELS[part["type"]].model_validate_json(json.dumps(part))
        except (KeyError, ValueError) as error:
            return f"{part['type']}: {error}"
        if json.loads(model.model_dump_json(by_alias=True, exclude_none=True)) != part:
            return f"{part['type']} {part.get('id')} does not come out as it went in"
    return None if document.get("type") == "Manifest" and document["items"] else "not a manifest with canvases"


def problem_2(document):
    try:
        ManifestReader(json.dumps(document), version="2.1").read().toJSON()
    except Exception as error:
        return repr(error)
    return None


def fetch(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


def changed(document, *path):
    """A copy without what stands at the path."""
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return copied


def spoiled_3(document):
    annotation = ("items", 0, "items", 0, "items", 0)
    yield changed(document, "label")
    yield changed(document, "items", 0, "type")
    yield changed(document, *annotation, "target")
    yield changed(document, *annotation, "body", "id")
    yield {**document, "items": []}
    yield {**document, "viewingDirection": "up"}
    yield {**document, "label": {"none": "text"}}


def spoiled_2(document):
    canvas = ("sequences", 0, "canvases", 0)
    yield changed(document, "label")
    yield changed(document, *canvas, "height")
    yield changed(document, *canvas, "@type")
    yield changed(document, *canvas, "images", 0, "on")
    yield {**document, "viewingDirection": "up"}


KINDS = [(3, problem_3, spoiled_3), (2, problem_2, spoiled_2)]


def main(url, *identifiers):
    failures = 0
    for version, problem, spoiled in KINDS:
        for identifier in identifiers:
            address = f"{url}/presentation/{version}/{identifier}{identifier and '/'}manifest"
            document = fetch(address)
            found = problem(document)
            failures += found is not None
            print(f"{found or 'valid'}: {address}")
            # A validator that takes everything proves nothing.
            for index, wrong in enumerate(spoiled(document)):
                if problem(wrong) is None:
                    failures += 1
                    print(f"spoiled manifest {index} of version {version} is taken for valid")
    print(f"{failures} failures in {len(KINDS) * len(identifiers)} manifests")
    return failures > 0


sys.exit(main(*sys.argv[1:]))
