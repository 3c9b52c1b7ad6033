"""Runs every test of iiif-validator-ng 0.1.0, of all levels and optional features: ng.py BASE_URL VERSION.

Its own command line runs only what info.json declares, needs Python 3.12, and has no exit status.
"""

import random
import socket
import sys

from iiif_validator.tests import test as api

from expectations import judge

# Some tests draw their requests without a seed of their own, from what the tests before them left behind. Each begins
# here instead, so that no outcome hangs on another. rot_region_non90 compares a part of a rotated region with its own
# picture on black, and by chance that part may lie in the background, which the specification leaves to the server
# (here: white). With this seed it lies inside of the region, both times that the test draws.
SEED = 2

requested = []


def recording(urlopen):
    """Remembers what was requested: an exception of a test does not name it."""

    def recorded(request):
        requested.append(request.full_url)
        return urlopen(request)

    return recorded


def run(test, server):
    """What failed, or None."""
    random.seed(SEED)
    try:
        results = test.run(server)
    except Exception as error:
        return f"{type(error).__name__}: {error} at {requested[-1]}"
    if not isinstance(results, list):
        results = [results]
    failures = [
        f"{result.details} Expected: {result.expected}. Received: {result.received}. {result.url}"
        for result in results
        if not result.success
    ]
    return "\n".join(failures) or None


def main(base, version):
    api.urlopen = recording(api.urlopen)
    socket.setdefaulttimeout(30)
    base_url, identifier = base.rsplit("/", 1)
    server = api.TargetServer(base_url, identifier, api.IIIFVersion(version))
    tests = {test.__module__.rsplit(".", 1)[1]: test for test in api.get_tests(server.version)}
    return judge("ng", base, version, {name: run(test, server) for name, test in sorted(tests.items())})


sys.exit(main(*sys.argv[1:]))
