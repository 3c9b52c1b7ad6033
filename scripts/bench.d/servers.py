"""The servers that are measured: how each is started, and what the operating system says of it while it runs."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
# Of all servers: what the library of one of them has built in.
QUALITY = "80"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """`{port}`, `{images}` and `{run}` in base, command and environment are filled in at the start."""

    name: str
    base: str
    command: list
    environment: dict = field(default_factory=dict)
    # What it cannot read.
    without: tuple = ()


def azulejo(name, binary):
    command = [binary, "serve", "{images}", "--listen", "127.0.0.1:{port}"]
    # Answers are made, unless a workload is about those that are kept. No server writes a line of log for each request.
    environment = {
        "AZULEJO_ENCODE__JPEG_QUALITY": QUALITY,
        "AZULEJO_CACHE__MEMORY__ENABLED": "false",
        "AZULEJO_LOG__LEVEL": "warn",
    }
    return Server(name, "http://127.0.0.1:{port}/iiif/3", command, environment)


def with_cache(server):
    return replace(server, environment=server.environment | {"AZULEJO_CACHE__MEMORY__ENABLED": "true"})


def all_servers(bench):
    """Azulejo first; an older binary of it beside it if BENCH_BEFORE names one."""
    servers = [azulejo("azulejo", os.environ["BENCH_BINARY"])]
    if "BENCH_BEFORE" in os.environ:
        servers.append(azulejo("azulejo-before", os.environ["BENCH_BEFORE"]))
    iipsrv = [str(HERE / "peers" / "iipsrv"), "{port}", "{images}", "{run}", QUALITY]
    node = ["node", str(HERE / "peers" / "iiif-processor.js"), "{port}", "{images}"]
    modules = {"NODE_PATH": str(bench / "peers" / "node_modules")}
    return servers + [
        Server("iipsrv", "http://127.0.0.1:{port}/iiif", iipsrv, without=("jpg",)),
        Server("iiif-processor", "http://127.0.0.1:{port}/iiif/3", node, modules, without=("jp2", "jp2u")),
    ]


class Running:
    """A server that was started, with all its processes, and answers this path; use it in a `with`."""

    def __init__(self, server, bench, path):
        run = bench / "run" / server.name
        run.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        values = {"port": self.port, "images": bench / "images", "run": run}
        self.base = server.base.format(**values)
        self.log = run / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [part.format(**values) for part in server.command],
                env=os.environ | {name: value.format(**values) for name, value in server.environment.items()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self.wait(f"{self.base}/{path}")
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self, url):
        """Until it answers; several times, so that each of its processes has loaded its libraries."""
        end = time.monotonic() + 60
        answers = 0
        while answers < 4:
            try:
                urllib.request.urlopen(url, timeout=60).read()
                answers += 1
            except (urllib.error.URLError, ConnectionError) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"no answer from {url}: {error}; see {self.log}") from error
                time.sleep(0.1)

    def processes(self):
        found, waiting = [], [self.process.pid]
        while waiting:
            found.append(waiting.pop())
            for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
                waiting += map(int, children.read_text().split())
        return found

    def cpu_seconds(self):
        """User and system time of all processes up to now, ended children included."""
        fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.processes())
        return sum(int(ticks) for values in fields for ticks in values[11:15]) / TICKS

    def peak_memory(self):
        """Bytes: the most that each process ever had resident, summed."""
        return sum(status(pid, "VmHWM") for pid in self.processes()) * 1024

    def stop(self):
        processes = self.processes()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in processes[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def status(pid, key):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
