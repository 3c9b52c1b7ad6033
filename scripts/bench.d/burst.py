"""Posts composites in one burst while tiles are asked for, and prints a table; `scripts/bench burst` builds what this needs and calls it.

The server, the load generator and the origin of the documents share the machine.
"""

import argparse
import base64
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE = "sample-azulejo.tif"
PER_REQUEST = 250
KEY, SECRET = "one", "secret"
PATIENCE = 1800


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench burst", description="Prints what a burst of composites does to tiles.")
    parser.add_argument("--composites", type=int, default=1000, help="that are posted (1000)")
    parser.add_argument("--pages", type=int, default=3, help="of each document (3)")
    parser.add_argument("--clients", type=int, default=4, help="that ask for tiles (4)")
    parser.add_argument("--seconds", type=float, default=10, help="for one measurement of tiles (10)")
    parser.add_argument("--mode", choices=["virtual", "rasterize"], default="virtual")
    parser.add_argument("--registry", help="a PostgreSQL database instead of an SQLite file")
    return parser.parse_args()


def pdf(pages):
    """A document with so many pages of A4 and some text on each."""
    objects = {1: "<</Type/Catalog/Pages 2 0 R>>", 3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
    for page in range(pages):
        text = f"BT /F 24 Tf 72 720 Td (Page {page + 1}) Tj ET"
        objects[4 + 2 * page] = (f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {5 + 2 * page} 0 R"
                                 "/Resources<</Font<</F 3 0 R>>>>>>")
        objects[5 + 2 * page] = f"<</Length {len(text)}>>stream\n{text}\nendstream"
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(pages))
    objects[2] = f"<</Type/Pages/Count {pages}/Kids[{kids}]>>"
    body, places = "%PDF-1.4\n", {}
    for number in sorted(objects):
        places[number] = len(body)
        body += f"{number} 0 obj\n{objects[number]}\nendobj\n"
    entries = "".join(f"{places[number]:010} 00000 n \n" for number in sorted(places))
    size = len(objects) + 1
    return (f"{body}xref\n0 {size}\n0000000000 65535 f \n{entries}"
            f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n").encode()


def origin(document):
    """A server that has this document under every path; its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """Azulejo over the fixtures, with a customer."""

    def __init__(self, folder, options, origin_port):
        binary = os.environ["BENCH_BINARY"]
        hashed = subprocess.run([binary, "hash-secret"], input=SECRET, capture_output=True, text=True, check=True).stdout.strip()
        registry = options.registry or f"sqlite:{folder}/azulejo.db"
        config = folder / "azulejo.toml"
        config.write_text(f"""
[registry]
url = "{registry}"
[source]
root = "{REPOSITORY}/fixtures/images"
[composites]
folder = "{folder}/composites"
mode = "{options.mode}"
[composites.origins]
hosts = ["127.0.0.1:{origin_port}"]
private_networks = ["127.0.0.0/8"]
[composites.customers.one]
id = 7
key = "{KEY}"
secret_hash = '{hashed}'
[cache.memory]
enabled = false
[pyramids]
enabled = false
[log]
level = "warn"
""")
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        command = [binary, "serve", "--config", str(config), "--listen", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        pair = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/json"}
        self.wait()

    def wait(self):
        for _ in range(200):
            try:
                return self.ask(f"/iiif/3/{IMAGE}/info.json")
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server does not start")

    def ask(self, path, document=None):
        body = json.dumps(document).encode() if document else None
        url = path if path.startswith("http") else self.base + path
        with urllib.request.urlopen(urllib.request.Request(url, body, self.headers), timeout=60) as response:
            return json.load(response)

    def memory(self):
        """Mebibytes: now, and the most that it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines())
        return [int(values[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]


def tiles(server, folder):
    """The list for the generator: tiles of 256 pixels at half of the full size."""
    described = server.ask(f"/iiif/3/{IMAGE}/info.json")
    places = [(x, y) for y in range(0, described["height"] - 512, 64) for x in range(0, described["width"] - 512, 64)]
    lines = [f"{IMAGE}/{x},{y},512,512/256,256/0/default.jpg\t256\t256" for x, y in places]
    requests = folder / "tiles.urls"
    requests.write_text("\n".join(lines) + "\n")
    return requests


def start_load(server, requests, options, seconds):
    generator = Path(os.environ["BENCH_DIR"]) / "loadgen" / "release" / "loadgen"
    command = [generator, "--base", f"{server.base}/iiif/3", "--requests", requests, "--clients", options.clients,
               "--passes", 0, "--seconds", seconds, "--mark", ""]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)


def result(load):
    return json.loads(load.communicate()[0])


def members(options, port):
    return [{"@type": "vocab:Composite", "id": f"c{number}-{{:03d}}", "space": 6, "incrementSeed": 0,
             "origin": f"http://127.0.0.1:{port}/{number}.pdf", "compositeId": f"c{number}"}
            for number in range(options.composites)]


def post(server, all_members):
    """The collections, and the seconds that each request took."""
    collections, took = [], []
    for first in range(0, len(all_members), PER_REQUEST):
        document = {"@context": "http://www.w3.org/ns/hydra/context.jsonld", "@type": "Collection",
                    "member": all_members[first:first + PER_REQUEST]}
        start = time.monotonic()
        collections.append(server.ask("/customers/7/queue", document)["id"])
        took.append(time.monotonic() - start)
    return collections, took


def unfinished(server, collections):
    states = [member["status"] for url in collections for member in server.ask(url)["members"]]
    failed = states.count("ERROR")
    if failed:
        raise SystemExit(f"{failed} composites failed")
    return len(states) - states.count("COMPLETED")


def burst(server, requests, options, port):
    """Loads without a pause until everything is done."""
    rates, start = [], time.monotonic()
    load = start_load(server, requests, options, options.seconds)
    collections, took = post(server, members(options, port))
    posted = time.monotonic() - start
    while True:
        rates.append(result(load))
        if not unfinished(server, collections):
            return took, posted, time.monotonic() - start, rates
        if time.monotonic() - start > PATIENCE:
            raise SystemExit("it takes too long")
        load = start_load(server, requests, options, options.seconds)


def main():
    options = arguments()
    # The server is not to be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    port = origin(pdf(options.pages))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder, options, port)
        try:
            requests = tiles(server, folder)
            start_load(server, requests, options, 2).communicate()
            idle = result(start_load(server, requests, options, options.seconds))
            before = server.memory()
            took, posted, done, rates = burst(server, requests, options, port)
            after = server.memory()
            again = result(start_load(server, requests, options, options.seconds))
        finally:
            server.process.terminate()
            server.process.wait()
    slowest = min(rates, key=lambda rate: rate["rate"])
    failed = sum(rate["failed"] for rate in [idle, again, *rates])
    rows = [
        ("composites, pages of each", f"{options.composites}, {options.pages}"),
        ("requests that posted them, the slowest", f"{len(took)}, {max(took):.2f} s"),
        ("all were accepted, all were completed after", f"{posted:.1f} s, {done:.0f} s or less"),
        ("tiles a second before, after", f"{idle['rate']:.0f}, {again['rate']:.0f}"),
        ("tiles a second meanwhile, in the slowest part", f"{slowest['rate']:.0f} ({slowest['rate'] / idle['rate']:.2f})"),
        ("p99 before, meanwhile at worst", f"{idle['p99_ms']:.0f} ms, {max(rate['p99_ms'] for rate in rates):.0f} ms"),
        ("tiles that failed", failed),
        ("memory before, after, at most", f"{before[0]:.0f}, {after[0]:.0f}, {after[1]:.0f} MiB"),
    ]
    print("| | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


main()
