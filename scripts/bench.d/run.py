"""Measures servers beside each other and prints tables; `scripts/bench` prepares what this needs and calls it.

For each round, format, workload and number of clients the servers take turns, each freshly started, so that what
else happens on the machine falls on all alike. One server runs at a time, together with the load generator.
"""

import argparse
import fcntl
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import table
from servers import TICKS, Running, all_servers, with_cache
from workloads import FORMATS, REPEATED, WARM, WORKLOADS

# Tiles of 256 and their spellings matter where such tiles are stored and can be sent as they are.
ONLY_WITH_TILES = {"w1t": ["tifj", "tifz"], "w1v": ["tifj"], "w2v": ["tifj"]}


def arguments():
    names = lambda text: text.split(",")
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser = argparse.ArgumentParser(prog="scripts/bench run", description="Prints req/s and more of all servers.")
    parser.add_argument("--only", type=names, help="servers (azulejo,iipsrv,iiif-processor)")
    parser.add_argument("--workloads", type=names, default=WORKLOADS, help=",".join(WORKLOADS))
    parser.add_argument("--formats", type=names, default=FORMATS, help=",".join(FORMATS))
    parser.add_argument("--concurrency", type=numbers, default=[1, 4, 16], help="numbers of clients (1,4,16)")
    parser.add_argument("--seconds", type=float, default=20, help="at most, for one measurement (20)")
    parser.add_argument("--rounds", type=int, default=3, help="of all measurements (3)")
    return parser.parse_args()


def cells(options):
    for format in options.formats:
        for workload in options.workloads:
            if format in ONLY_WITH_TILES.get(workload, FORMATS):
                for clients in options.concurrency:
                    yield format, workload, clients


def load(bench, base, requests, clients, passes, seconds, mark=""):
    command = [bench / "loadgen" / "release" / "loadgen", "--base", base, "--requests", requests,
               "--clients", clients, "--passes", passes, "--seconds", seconds, "--mark", mark]
    return json.loads(subprocess.check_output(list(map(str, command))))


def busy_seconds():
    """What all cores together have worked (proc_stat(5): all but idle and waiting)."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


def own_seconds():
    """What this process and its ended children have worked: this script and the generator."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def measure(bench, server, format, workload, clients, seconds):
    requests = bench / "urls" / f"{format}.{WARM.get(workload, workload)}.urls"
    identifier = requests.read_text().split("/")[0]
    if workload in WARM:
        server = with_cache(server)
    with Running(server, bench, f"{identifier}/info.json") as running:
        if workload in WARM:
            load(bench, running.base, requests, clients, 1, seconds)
        busy, own, cpu, begin = busy_seconds(), own_seconds(), running.cpu_seconds(), time.monotonic()
        result = load(bench, running.base, requests, clients, 0 if workload in REPEATED else 1, seconds)
        capacity = (time.monotonic() - begin) * os.cpu_count()
        cpu = running.cpu_seconds() - cpu
        others = busy_seconds() - busy - (own_seconds() - own) - cpu
        return result | {"cpu_s": cpu, "memory": running.peak_memory(), "others": round(max(others / capacity, 0), 3)}


def try_measure(bench, server, *cell_and_seconds):
    try:
        return measure(bench, server, *cell_and_seconds)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        return {"broken": str(error)}


def rows(bench, options):
    servers = [server for server in all_servers(bench) if server.name in (options.only or [server.name])]
    for round in range(options.rounds):
        for format, workload, clients in cells(options):
            for server in servers:
                if format not in server.without:
                    result = try_measure(bench, server, format, workload, clients, options.seconds)
                    cell = {"server": server.name, "format": format, "workload": workload, "clients": clients}
                    yield {"round": round, **cell, **result}


@contextmanager
def alone():
    """The directory of the run, for one run at a time: two would measure each other."""
    bench = Path(os.environ["BENCH_DIR"])
    with open(bench / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield bench


def told(rows, progress):
    """The rows, each told on standard error when it is there."""
    for row in rows:
        print(*(f"{key}={row[key]}" for key in progress if key in row), file=sys.stderr, flush=True)
        yield row


def main():
    options = arguments()
    measured = []
    with alone() as bench, open(bench / "results.jsonl", "w") as file:
        for row in told(rows(bench, options), table.PROGRESS):
            measured.append(row)
            print(json.dumps(row), file=file, flush=True)
    print(table.markdown(measured))


if __name__ == "__main__":
    main()
