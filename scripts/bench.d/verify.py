"""Compares the pictures that servers send with the lossless masters; `scripts/bench verify` calls it.

Some requests of each workload are sent, and what comes is compared with the same region of the master, scaled with
vips (Lanczos). Under 20 dB the pixels are wrong or shifted; JPEG and different filters leave 25 to 45.
"""

import argparse
import io
import os
import random
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

import numpy
from PIL import Image

from servers import Running, all_servers
from table import line
from workloads import FORMATS

WORKLOADS = ["w1", "w3", "w4", "w6"]
Image.MAX_IMAGE_PIXELS = None


def arguments():
    names = lambda text: text.split(",")
    parser = argparse.ArgumentParser(prog="scripts/bench verify", description="Prints PSNR against the masters.")
    parser.add_argument("--only", type=names, help="servers (azulejo,iipsrv,iiif-processor)")
    parser.add_argument("--workloads", type=names, default=WORKLOADS, help=",".join(WORKLOADS))
    parser.add_argument("--formats", type=names, default=FORMATS, help=",".join(FORMATS))
    parser.add_argument("--requests", type=int, default=12, help="of each workload (12)")
    return parser.parse_args()


def vips(*command):
    return subprocess.check_output(list(map(str, command)))


def scaled(master, region, width, height):
    """A region of the master in the wanted size."""
    with tempfile.TemporaryDirectory() as folder:
        part, result = f"{folder}/part.v", f"{folder}/result.png"
        if region == "full":
            part = master
        else:
            vips("vips", "crop", master, part, *region.split(","))
        sides = [int(vips("vipsheader", "-f", side, part)) for side in ("width", "height")]
        vips("vips", "resize", part, result, width / sides[0], "--vscale", height / sides[1])
        return Image.open(result).convert("RGB")


def reference(bench, path, width, height):
    """The picture that a request means, kept for the next time."""
    identifier, region, _, rotation, quality = path.split("/")
    name = re.match("[a-z0-9]+", identifier)[0]
    quality = quality.split(".")[0]
    kept = bench / "references" / f"{name} {region} {width}x{height} {rotation} {quality}.png"
    if not kept.exists():
        degrees = int(rotation.lstrip("!"))
        sides = (height, width) if degrees % 180 else (width, height)
        picture = scaled(bench / "work" / f"{name}.v", region, *sides)
        if rotation.startswith("!"):
            picture = picture.transpose(Image.FLIP_LEFT_RIGHT)
        picture = picture.rotate(-degrees, expand=True)
        kept.parent.mkdir(exist_ok=True)
        (picture.convert("L") if quality == "gray" else picture).save(kept)
    return Image.open(kept)


def samples(picture):
    return numpy.asarray(picture.convert("RGB"), dtype=numpy.float32)


def psnr(picture, wanted):
    """Decibels, over the pixels that both have: a side may be off by one."""
    a, b = samples(picture), samples(wanted)
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    error = float(numpy.mean((a[:height, :width] - b[:height, :width]) ** 2))
    return 10 * numpy.log10(255 * 255 / error) if error else 99.0


def compare(bench, base, path, width, height):
    """The PSNR of an answer."""
    try:
        body = urllib.request.urlopen(f"{base}/{path}", timeout=180).read()
    except urllib.error.HTTPError as error:
        raise ValueError(f"status {error.code}") from error
    picture = Image.open(io.BytesIO(body))
    if abs(picture.width - width) > 1 or abs(picture.height - height) > 1:
        raise ValueError(f"is {picture.width}x{picture.height}, not {width}x{height}")
    return psnr(picture, reference(bench, path, width, height))


def pictures(bench, format, workload, count):
    lines = (bench / "urls" / f"{format}.{workload}.urls").read_text().splitlines()
    requests = [(path, int(width), int(height)) for path, width, height in (line.split("\t") for line in lines)]
    requests = [request for request in requests if request[1]]
    return random.Random(1).sample(requests, min(count, len(requests)))


def verify(bench, server, format, options):
    """A row of the table, and what failed."""
    cells, failed, worst = [], [], (99, "")
    identifier = pictures(bench, format, "w3", 1)[0][0].split("/")[0]
    with Running(server, bench, f"{identifier}/info.json") as running:
        for workload in options.workloads:
            found = []
            for path, width, height in pictures(bench, format, workload, options.requests):
                try:
                    found.append((compare(bench, running.base, path, width, height), path))
                except (OSError, ValueError) as error:
                    failed.append(f"{server.name} {path}: {error}")
            values = [value for value, _ in found]
            cells.append(f"{min(values):.1f} / {median(values):.1f}" if values else "–")
            worst = min([worst, *found])
    return [server.name, format, str(len(failed)), *cells, f"{worst[0]:.1f} {worst[1]}"], failed


def main():
    options = arguments()
    bench = Path(os.environ["BENCH_DIR"])
    print(line(["server", "format", "failures"] + [f"{name}: lowest / median dB" for name in options.workloads] + ["worst"]))
    print(line(["---"] * (4 + len(options.workloads))))
    failed = []
    for server in all_servers(bench):
        for format in options.formats:
            if server.name in (options.only or [server.name]) and format not in server.without:
                row, failures = verify(bench, server, format, options)
                failed += failures
                print(line(row), flush=True)
    print("\n" + "\n".join(f"- {failure}" for failure in failed))


if __name__ == "__main__":
    main()
