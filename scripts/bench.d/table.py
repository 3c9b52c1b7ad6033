"""Results as Markdown: what `run.py` measured, medians over the rounds.

    table.py results.jsonl...       joins the results of several runs
"""

import json
import sys
from pathlib import Path
from statistics import median

PROGRESS = ["round", "format", "workload", "clients", "server", "rate", "p99_ms", "right", "failed", "others", "broken"]
DETAILS = ["server", "req/s", "ratio", "p50 ms", "p99 ms", "kB an answer", "answers", "failures", "peak MB", "CPU s", "CPU ms an answer", "others"]
NOTES = """\
- req/s counts right answers; a wrong size of the picture is a failure. `ratio`: the first server's req/s by this one's,
  the median over the rounds.
- peak MB: the most that each process of the server had resident, summed. CPU s: of the server, in the middle round.
- others: the share of the machine's processor time that neither server nor generator used, at worst."""


def grouped(rows, *keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def rates(rows):
    return {row["round"]: row["rate"] for row in rows if row.get("right")}


def ratio(first, rows):
    """How many times as many requests the first server answers."""
    mine, other = rates(first), rates(rows)
    ratios = [mine[round] / other[round] for round in mine if round in other]
    return f"{median(ratios):.2f}" if ratios else "–"


def significant(number):
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def failures(rows):
    kinds = {}
    for row in rows:
        for kind, (count, _) in row["failures"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "0"


def details(first, server, rows):
    rows = [row for row in rows if "broken" not in row]
    if not any(row["right"] for row in rows):
        return [server, "none"] + [""] * 5 + [failures(rows) if rows else "does not run"] + [""] * 4
    good = [row for row in rows if row["right"]]
    middle = lambda value: significant(median(value(row) for row in good))
    return [
        server,
        middle(lambda row: row["rate"]),
        ratio(first, rows),
        middle(lambda row: row["p50_ms"]),
        middle(lambda row: row["p99_ms"]),
        middle(lambda row: row["bytes"] / row["right"] / 1000),
        middle(lambda row: row["right"]),
        failures(rows),
        significant(max(row["memory"] for row in good) / 1e6),
        middle(lambda row: row["cpu_s"]),
        middle(lambda row: row["cpu_s"] / row["right"] * 1000),
        f"{max(row['others'] for row in good):.0%}",
    ]


def line(cells):
    return "| " + " | ".join(cells) + " |"


def markdown(rows):
    servers = list(dict.fromkeys(row["server"] for row in rows))
    summary = [line(["format", "workload", "clients", f"{servers[0]} req/s"] + [f"÷ {name}" for name in servers[1:]]),
               line(["---"] * 3 + ["--:"] * len(servers))]
    detailed = [line(["format", "workload", "clients"] + DETAILS), line(["---"] * 4 + ["--:"] * (len(DETAILS) - 1))]
    for cell, of_cell in grouped(rows, "format", "workload", "clients").items():
        by_server = {name: group for (name,), group in grouped(of_cell, "server").items()}
        first = by_server.get(servers[0], [])
        cell = list(map(str, cell))
        own = list(rates(first).values())
        peers = [ratio(first, by_server.get(name, [])) for name in servers[1:]]
        summary.append(line(cell + [significant(median(own)) if own else "none"] + peers))
        detailed += [line(cell + details(first, name, group)) for name, group in by_server.items()]
    return "\n".join([*summary, "", *detailed, "", NOTES])


if __name__ == "__main__":
    runs = [map(json.loads, Path(name).read_text().splitlines()) for name in sys.argv[1:]]
    print(markdown([row | {"round": (run, row["round"])} for run, rows in enumerate(runs) for row in rows]))
