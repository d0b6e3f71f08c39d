"""The workers of one round: started together, with common random numbers, and ended together."""

from __future__ import annotations

import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.measure.command import make_environment
from pytest_perfgate.measure.redirection import COPIES, FIRST_ON_PATH
from pytest_perfgate.paired.environment import Side
from pytest_perfgate.paired.line import Message, Switchboard
from pytest_perfgate.paired.origin import shared_problem, wrong_origins
from pytest_perfgate.paired.worker import Worker

#: The environment is up to this much longer than it need be: its size moves the stack, and that moves times.
_MOST_PADDING_BYTES = 4096
#: Importing a suite may take this long.
READY_TIMEOUT_S = 300.0

#: Starts a worker without the current folder in its path, whose modules would hide ours.
_START = "import sys; sys.path[:1] = []; from {module} import main; main(sys.argv[1])"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProgram:
    """How a worker is started."""

    module: str
    """Whose ``main(path)`` is called with the path of a JSON file."""
    facts: Mapping[str, Any]
    """What the JSON file holds besides what is added here: ``name side address basetemp roots apart``."""
    cwd: Path
    scratch: Path | None = None
    """Folder for what workers need on disk, which somebody removes also when we are killed; None for the system's."""
    python: str = sys.executable


class Crew:
    """The workers of one round.

    Args:
        program: How they are started.
        sides: Name of a worker (``base``, ``head``, ``control``) -> the side it is of.
        rng: Draws hash seed, padding and the order they start in.
    """

    def __init__(self, program: WorkerProgram, sides: Mapping[str, Side], rng: random.Random) -> None:
        self._program, self._sides, self._rng = program, sides, rng
        self._switchboard = Switchboard()
        self._folder = tempfile.TemporaryDirectory(
            prefix="pytest-perfgate-round-", dir=program.scratch, ignore_cleanup_errors=True
        )
        self.workers: dict[str, Worker] = {}
        #: Name -> what the worker said when it was ready.
        self.ready: dict[str, Message] = {}

    def start(self) -> None:
        """Start all of them and wait until they are ready.

        Raises:
            WorkerLostError: One ended or hangs.
            AgainstError: One imports the package under test from the wrong place.
        """
        seed = self._rng.randrange(1, 2**32)
        names = self._rng.sample(list(self._sides), len(self._sides))
        renewed: set[str] = set()
        for side in (self._sides[name] for name in names):
            if side.name not in renewed:  # base has two workers where it is compared with itself
                side.renew()
                renewed.add(side.name)
        for place, name in enumerate(names):
            self.workers[name] = self._started(name, place, seed)
        for worker in self.workers.values():
            worker.connect(self._switchboard)
        for name, worker in self.workers.items():
            self.ready[name] = worker.hear(READY_TIMEOUT_S)
            self.check_origin(name, self.ready[name])

    def check_origin(self, name: str, said: Message) -> None:
        """Refuse a worker that imported from anywhere but its own side what differs between them.

        Raises:
            AgainstError: It did.
        """
        wrong = wrong_origins(self._sides[name], said.get("loaded", {}))
        if wrong:
            raise AgainstError("; ".join(wrong))
        problem = shared_problem(self._sides[name], said.get("apart", {}))
        if problem:
            raise AgainstError(problem)

    def _started(self, name: str, place: int, seed: int) -> Worker:
        side = self._sides[name]
        own = Path(self._folder.name, str(place))  # as long for every worker
        own.mkdir()
        asked = {
            **self._program.facts,
            "name": name,
            "side": side.name,
            "address": self._switchboard.address,
            "basetemp": str(own / "tmp"),
            "roots": list(side.roots),
            "apart": list(side.apart),
        }
        file = own / "worker.json"
        file.write_text(json.dumps(asked), "utf-8")
        padding = "x" * self._rng.randrange(_MOST_PADDING_BYTES)
        ours = {"PYTHONHASHSEED": str(seed), "PERFGATE_PADDING": padding, FIRST_ON_PATH: str(side.bootstrap)}
        ours |= self._copies(side)
        env = side.environ(make_environment(ours))
        argv = [self._program.python, "-c", _START.format(module=self._program.module), str(file)]
        return Worker(side.name, name, argv, env=env, cwd=self._program.cwd)

    def _copies(self, side: Side) -> dict[str, str]:
        """Say where a side has the scripts of the project; nothing where it is no copy of a project."""
        head = self._sides["head"]
        if head.project is None or not side.is_source:
            return {}
        return {COPIES: "\n".join(map(str, (head.project, side.location, head.location)))}

    def dismiss(self) -> None:
        """Let all of them end in order."""
        for worker in self.workers.values():
            worker.farewell()
        self._close()

    def kill(self) -> None:
        """End all of them at once."""
        for worker in self.workers.values():
            worker.kill()
        self._close()

    def _close(self) -> None:
        self._switchboard.close()
        self._folder.cleanup()


@contextlib.contextmanager
def crew(program: WorkerProgram, sides: Mapping[str, Side], rng: random.Random) -> Iterator[Crew]:
    """Start the workers of a round, and end them whatever happens.

    Raises:
        WorkerLostError: One ended or hangs before it was ready, or later on.
        AgainstError: One imports from the wrong place.
    """
    hired = Crew(program, sides, rng)
    try:
        hired.start()
        yield hired
    except BaseException:
        hired.kill()
        raise
    hired.dismiss()
