"""Runs every test of iiif-validator 1.0.5, of all levels and optional features: official.py BASE_URL VERSION."""

import contextlib
import io
import sys
import urllib
import urllib.request
from urllib.parse import urlsplit

# The tests of jp2, pdf and webp call urllib.urlopen, which is its name in Python 2.
urllib.urlopen = urllib.request.urlopen

with contextlib.redirect_stdout(io.StringIO()):
    from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

from expectations import judge


def run(name, base, version):
    """What failed, or None."""
    parts = urlsplit(base)
    prefix, identifier = parts.path.lstrip("/").rsplit("/", 1)
    api = ImageAPI(identifier, parts.netloc, prefix, parts.scheme, "", version, debug=False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            TestSuite(ValidationInfo()).run_test(name, api)
    except Exception as error:
        return f"{type(error).__name__}: {error} at {api.last_url}"
    failure = api.exception
    return failure and f"got {failure.got}, expected {failure.expected}: {failure.message} at {api.last_url}"


def main(base, version):
    names = TestSuite(ValidationInfo()).list_tests(version)
    return judge("official", base, version, {name: run(name, base, version) for name in sorted(names)})


sys.exit(main(*sys.argv[1:]))
