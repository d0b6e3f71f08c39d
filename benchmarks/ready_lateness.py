"""How late it is noticed that an application is ready.

Run it from an environment with pytest-perfgate installed, on a quiet machine::

    python benchmarks/ready_lateness.py

The application writes down when it got ready, by the clock that both read; the difference to what was measured is the
lateness.  Targets: 0.5 ms by output, 1 ms by port, both for 99 of 100.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from pytest_perfgate.measure import application
from pytest_perfgate.measure.command import make_command
from pytest_perfgate.measure.readiness import make_readiness

RUNS = 200
#: A little work first, so that nothing is ready at once; what it says goes out before the stamp is written down.
OUTPUT = """
import sys, time
sum(range(300_000))
now = time.perf_counter_ns()
sys.stdout.write("ready\\n"); sys.stdout.flush()
open(sys.argv[1], "w").write(str(now))
time.sleep(60)
"""
PORT = """
import socket, sys, time
sum(range(300_000))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[2])))
server.listen()
now = time.perf_counter_ns()
open(sys.argv[1], "w").write(str(now))
time.sleep(60)
"""


def lateness_ms(code: str, ready: str) -> float:
    """Start one application and return how late it was noticed."""
    with tempfile.TemporaryDirectory() as folder:
        stamp = Path(folder, "stamp")
        command = make_command([sys.executable, "-c", code, str(stamp), "{port}"], timeout_s=30)
        readiness, needs_port = make_readiness(ready, has_placeholder=True)
        app = application.Application(command=command, readiness=readiness, needs_port=needs_port, stop=2)
        with noticed() as found:
            app.run()
        while not stamp.exists() or not stamp.read_text():
            time.sleep(0.01)
        return (found[0] - int(stamp.read_text())) / 1e6


class noticed:  # noqa: N801  # reads as a function
    """Keep the moment at which an application was found to be ready."""

    def __enter__(self) -> list[int]:
        self._wait = application._wait  # noqa: SLF001  # the one place that knows the moment
        found: list[int] = []

        def wait(*args, **kwargs):
            moment = self._wait(*args, **kwargs)
            found.append(moment or 0)
            time.sleep(0.02)  # the application may write its stamp before it is stopped
            return moment

        application._wait = wait  # noqa: SLF001  # likewise
        return found

    def __exit__(self, *problem: object) -> None:
        application._wait = self._wait  # noqa: SLF001  # likewise


def main() -> None:
    """Print how late both ways are."""
    for name, code, ready, target in (("output", OUTPUT, "output", 0.5), ("port", PORT, "port", 1.0)):
        late = sorted(lateness_ms(code, ready) for _ in range(RUNS))
        print(
            f"{name:8} median {statistics.median(late):6.3f} ms, p99 {late[int(0.99 * RUNS)]:6.3f} ms, "
            f"most {late[-1]:6.3f} ms ({RUNS} runs; target {target} ms at p99)"
        )


if __name__ == "__main__":
    main()
