"""Measures answers from the layers of the cache beside nginx with the same bytes as files, and prints a table;
`scripts/bench warm` prepares what this needs and calls it.

All servers run from the beginning to the end, but only one is loaded at a time; they take turns in each round.
"""

import argparse
import os
import random
import shutil
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from run import alone, busy_seconds, load, own_seconds, told
from servers import HERE, Running, Server, azulejo
from table import grouped, line, significant

# Sessions with tiles of 512 pixels. None of them lies in its file as it is sent: what is copied is not kept.
LISTS = ["tifz.w1", "jp2.w1"]
LAYERS = ["memory", "disk", "redis"]
PREFIX = "iiif/3"
PROGRESS = ["round", "clients", "server", "rate", "p99_ms", "failed", "others"]
COLUMNS = ["clients", "server", "req/s", "÷ nginx", "lowest", "highest", "p50 ms", "p99 ms", "CPU ms an answer",
           "failures", "generator", "others"]
NOTES = """\
- ÷ nginx: the median over the rounds of req/s by those of nginx in the same round, and the lowest and highest of them.
- CPU: user and system time of the server, with Redis, in the middle round.
- failures: answers with other bytes than the first time, or not from the layer that is meant.
- generator, others: the share of the machine's processor time that the load generator took in the middle round, and at
  worst what neither it nor the server took."""


def arguments():
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser = argparse.ArgumentParser(prog="scripts/bench warm", description="Prints req/s of the cache's layers and of nginx.")
    parser.add_argument("--concurrency", type=numbers, default=[4, 16], help="numbers of clients (4,16)")
    parser.add_argument("--seconds", type=float, default=5, help="for one measurement (5)")
    parser.add_argument("--rounds", type=int, default=5, help="of all measurements (5)")
    parser.add_argument("--tiles", type=int, default=1000, help="how many there are (1000)")
    parser.add_argument("--layers", type=lambda text: text.split(","), default=LAYERS, help=",".join(LAYERS))
    return parser.parse_args()


def of_layer(layer, name, binary):
    """Azulejo with this layer only, and like nginx without a line in the log for each request."""
    server = azulejo(name, binary)
    settings = {
        "memory": {},
        "disk": {"AZULEJO_CACHE__DISK__DIRECTORY": "{run}/entries"},
        "redis": {"AZULEJO_CACHE__REDIS__URL": "unix:{run}/redis.socket"},
    }
    server.environment |= settings[layer] | {
        "AZULEJO_CACHE__MEMORY__ENABLED": str(layer == "memory").lower(),
        "AZULEJO_LOG__LEVEL": "warn",
    }
    if layer == "redis":
        server.command = [str(HERE / "peers" / "with-redis"), "{run}", *server.command]
    return server


def servers(layers, root):
    """With the line that every answer of theirs must have in its head."""
    nginx = [str(HERE / "peers" / "nginx"), "{port}", str(root), "{run}"]
    yield Server("nginx", "http://127.0.0.1:{port}/" + PREFIX, nginx), "content-type: image/jpeg"
    binaries = {"": os.environ["BENCH_BINARY"], "-before": os.environ.get("BENCH_BEFORE")}
    for layer in layers:
        for suffix, binary in binaries.items():
            if binary:
                yield of_layer(layer, layer + suffix, binary), f"cache-status: azulejo; hit; detail={layer}"


def tiles(bench, count):
    """The paths of so many tiles, in disorder."""
    lines = [line for name in LISTS for line in (bench / "urls" / f"{name}.urls").read_text().splitlines()]
    paths = [line.split("\t")[0] for line in lines if not line.endswith("\t0")]
    return random.Random(5).sample(paths, count)


def save(bench, root, paths):
    """Asks for every tile once, keeps the answers as files below the root, and returns the list for the generator."""
    shutil.rmtree(root, ignore_errors=True)
    with Running(azulejo("azulejo-first", os.environ["BENCH_BINARY"]), bench, paths[0]) as running:
        def fetch(path):
            file = root / PREFIX / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(urllib.request.urlopen(f"{running.base}/{path}").read())
            return f"{path}\t0\t0\t{file}\n"

        with ThreadPoolExecutor(4) as threads:
            requests = root / "requests"
            requests.write_text("".join(threads.map(fetch, paths)))
    return requests


def fill(base, bench, requests, mark):
    """Asks for all tiles until every answer comes from the layer: it is written behind the answers."""
    for _ in range(5):
        result = load(bench, base, requests, 4, 1, 600, mark)
        if not result["failed"]:
            return
        time.sleep(1)
    raise RuntimeError(f"{base} does not keep its answers: {result['failures']}")


def measure(bench, running, requests, mark, clients, seconds):
    busy, own, cpu, begin = busy_seconds(), own_seconds(), running.cpu_seconds(), time.monotonic()
    result = load(bench, running.base, requests, clients, 0, seconds, mark)
    capacity = (time.monotonic() - begin) * os.cpu_count()
    cpu, own = running.cpu_seconds() - cpu, own_seconds() - own
    others = max(busy_seconds() - busy - own - cpu, 0) / capacity
    return result | {"cpu_s": cpu, "generator": own / capacity, "others": round(others, 3)}


def rows(bench, options):
    root = bench / "warm"
    requests = save(bench, root, tiles(bench, options.tiles))
    first = requests.read_text().split("\t")[0]
    with ExitStack() as stack:
        started = []
        for server, mark in servers(options.layers, root):
            started.append((server.name, mark, stack.enter_context(Running(server, bench, first))))
            fill(started[-1][2].base, bench, requests, mark)
        for round in range(options.rounds):
            for clients in options.concurrency:
                for name, mark, running in started:
                    result = measure(bench, running, requests, mark, clients, options.seconds)
                    yield {"round": round, "clients": clients, "server": name} | result


def cells(clients, name, rows, nginx):
    ratios = [row["rate"] / nginx[row["round"]] for row in rows]
    middle = lambda value: significant(median(value(row) for row in rows))
    return [
        str(clients),
        name,
        middle(lambda row: row["rate"]),
        *(f"{ratio:.2f}" for ratio in (median(ratios), min(ratios), max(ratios))),
        middle(lambda row: row["p50_ms"]),
        middle(lambda row: row["p99_ms"]),
        f"{median(row['cpu_s'] / row['right'] for row in rows) * 1000:.3f}",
        str(sum(row["failed"] for row in rows)),
        f"{median(row['generator'] for row in rows):.0%}",
        f"{max(row['others'] for row in rows):.0%}",
    ]


def markdown(rows):
    lines = [line(COLUMNS), line(["--:", "---"] + ["--:"] * (len(COLUMNS) - 2))]
    for (clients,), of_clients in grouped(rows, "clients").items():
        by_server = grouped(of_clients, "server")
        nginx = {row["round"]: row["rate"] for row in by_server["nginx",]}
        lines += [line(cells(clients, name, group, nginx)) for (name,), group in by_server.items()]
    return "\n".join([*lines, "", NOTES])


def main():
    options = arguments()
    with alone() as bench:
        print(markdown(list(told(rows(bench, options), PROGRESS))))


if __name__ == "__main__":
    main()
