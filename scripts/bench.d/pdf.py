"""Pages of PDF documents beside `pdftoppm`: prints Markdown.

  cold   the server has just started: a process is started, the document parsed, the page rendered
  warm   the document is open, and other pages were asked for
  block  a neighbour of the tile was asked for before
Median of several rounds, each with a server of its own and empty caches. `pdftoppm` makes the same pixels as a JPEG file.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Server:
    def __init__(self, binary, folder):
        environment = {"AZULEJO_CACHE__MEMORY__ENABLED": "false", "AZULEJO_PYRAMIDS__ENABLED": "false"}
        self.process = subprocess.Popen(
            [binary, "serve", str(folder), "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )
        line = self.process.stdout.readline()
        self.base = re.search(r"http://[^/]+/", line).group() + "iiif/3/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def seconds(self, path):
        start = time.perf_counter()
        with urllib.request.urlopen(self.base + path) as answer:
            answer.read()
        return time.perf_counter() - start

    def read(self, path):
        with urllib.request.urlopen(self.base + path) as answer:
            return answer.read()


def pdftoppm(file, page, *options):
    command = ["pdftoppm", "-jpeg", "-jpegopt", "quality=80", "-singlefile", "-f", str(page), *options, str(file)]
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def documents(binary, folder):
    """Text as a typesetter writes it, drawings, a scan, a long document."""
    fixtures = ROOT / "fixtures" / "pdf"
    for name in ("typeset", "cairo", "blend-modes"):
        (folder / f"{name}.pdf").write_bytes((fixtures / f"{name}.pdf").read_bytes())
    pages = [str(fixtures / "typeset.pdf"), str(fixtures / "embedded-truetype.pdf"), str(fixtures / "scan-with-text.pdf"), str(fixtures / "typeset.pdf")] * 84
    long = folder / "long.pdf"
    subprocess.run(["qpdf", "--empty", "--pages", *pages, "--", str(long)], check=True)
    with Server(binary, folder) as server:
        (folder / "scan.pdf").write_bytes(server.read("typeset.pdf/full/max/0/default.pdf"))


def tile(information, side=512):
    """In the middle of the page, on the grid of tiles."""
    x = information["width"] // 2 // side * side
    y = information["height"] // 2 // side * side
    return x, y


def measured(binary, folder, name, page):
    image = f"{name}.pdf%3B{page}"
    with Server(binary, folder) as server:
        information = json.loads(server.read(f"{image}/info.json"))
    x, y = tile(information)
    first = f"{image}/full/800,/0/default.jpg"
    detail = f"{image}/{x},{y},512,512/max/0/default.jpg"
    beside = f"{image}/{x ^ 512},{y},512,512/max/0/default.jpg"
    thumbnail = f"{image}/full/100,/0/default.jpg"
    seconds = {}
    with Server(binary, folder) as server:
        seconds["page cold"] = server.seconds(first)
    with Server(binary, folder) as server:
        server.read(thumbnail)
        seconds["page warm"] = server.seconds(first)
    with Server(binary, folder) as server:
        seconds["tile cold"] = server.seconds(detail)
        seconds["tile beside"] = server.seconds(beside)
    with Server(binary, folder) as server:
        server.read(thumbnail)
        seconds["tile warm"] = server.seconds(detail)
    file = folder / f"{name}.pdf"
    seconds["page pdftoppm"] = pdftoppm(file, page, "-scale-to-x", "800", "-scale-to-y", "-1")
    cut = ["-r", "300", "-x", str(x), "-y", str(y), "-W", "512", "-H", "512"]
    seconds["tile pdftoppm"] = pdftoppm(file, page, *cut)
    return seconds


COLUMNS = ["page cold", "page warm", "page pdftoppm", "tile cold", "tile warm", "tile beside", "tile pdftoppm"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    binary = os.environ["BENCH_BINARY"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        documents(binary, folder)
        print("Milliseconds.\n")
        print("| document | page |", " | ".join(COLUMNS), "|")
        print("|---|---|" + "---|" * len(COLUMNS))
        for name, page in [("typeset", 1), ("cairo", 1), ("blend-modes", 1), ("scan", 1), ("long", 1), ("long", 400)]:
            all_rounds = [measured(binary, folder, name, page) for _ in range(rounds)]
            cells = [f"{statistics.median(r[c] for r in all_rounds) * 1000:.0f}" for c in COLUMNS]
            print(f"| {name} | {page} |", " | ".join(cells), "|")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
