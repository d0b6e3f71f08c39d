"""The ``perf`` fixture: wall time per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_perfgate.model import Case, Plan
from pytest_perfgate.plugin.meters._front import Front, loop_is_running, told_clearly


class Perf(Front):
    """Wall time per call of a function: ``perf(fn, *args, **kwargs)`` returns what *fn* returns.

    Async functions are awaited on one event loop and timed per await; inside a running loop write
    ``await perf(fn, ...)``.
    """

    METRICS = ("perf",)

    def __call__(self, target: Callable[..., Any], /, *args: Any, name: str = "", **kwargs: Any) -> Any:
        """Measure ``target(*args, **kwargs)``.

        Args:
            target: A function or an async function.
            *args: Passed on.
            name: Tells several cases of one test apart; not passed on (use :meth:`run` for a target with ``name=``).
            **kwargs: Passed on.

        Returns:
            What the last call of *target* returned; inside a running event loop and for an async *target*,
            something to be awaited for it.
        """
        __tracebackhide__ = True
        return self.run(target, args=args, kwargs=kwargs, name=name)

    @told_clearly
    def run(  # noqa: PLR0913  # the controls of pytest-benchmark's pedantic, by keyword
        self,
        target: Callable[..., Any],
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int | None = None,
        iterations: int | None = None,
        warmup: int | None = None,
        name: str = "",
    ) -> Any:
        """Measure with control over how.

        Args:
            target: A function or an async function.
            args: Positional arguments of *target*.
            kwargs: Keyword arguments of *target*.
            setup: Called before each round, outside the clock; may return ``(args, kwargs)`` for that round.
            teardown: Called after each round with the round's arguments, outside the clock.
            rounds: Rounds to keep; chosen when None.
            iterations: Calls per round; chosen when None.
            warmup: Rounds thrown away first; chosen when None.
            name: Tells several cases of one test apart.

        Returns:
            What the last call of *target* returned (to be awaited inside a running loop for an async *target*).
        """
        __tracebackhide__ = True
        from pytest_perfgate.metrics import timing

        plan = replace(
            self._recorder.plan if self._recorder else Plan(),
            rounds=rounds,
            iterations=iterations,
            warmup=warmup,
        )
        arguments: dict[str, Any] = {"args": tuple(args), "kwargs": dict(kwargs or {})}
        around = {"setup": setup, "teardown": teardown}
        if timing.is_async(target) and loop_is_running():
            case = self._begin(name)
            return self._measure_awaited(case, plan, target, arguments, around)
        if self._recorder is None:
            if setup is not None:
                arguments = _set_up(setup, arguments)
            call = timing.call_in_loop_once if timing.is_async(target) else timing.call_once
            result = call(target, arguments["args"], arguments["kwargs"])
            if teardown is not None:
                teardown(*arguments["args"], **arguments["kwargs"])
            return result
        case = self._recorder.begin("perf", "perf", name)
        measure = timing.measure_call_in_loop if timing.is_async(target) else timing.measure_call
        with self._recorder.measuring(case):
            result, measurement = measure(plan, case, target, **arguments, **around)
        self._recorder.add(measurement)
        return result

    def _begin(self, name: str) -> Case:
        return self._recorder.begin("perf", "perf", name) if self._recorder else Case("", "perf", name)

    @told_clearly
    async def _measure_awaited(
        self,
        case: Case,
        plan: Plan,
        target: Callable[..., Any],
        arguments: dict[str, Any],
        around: dict[str, Any],
    ) -> Any:
        __tracebackhide__ = True
        from pytest_perfgate.metrics import timing

        if self._recorder is None:
            if around["setup"] is not None:
                arguments = _set_up(around["setup"], arguments)
            result = await timing.call_once_async(target, arguments["args"], arguments["kwargs"])
            if around["teardown"] is not None:
                around["teardown"](*arguments["args"], **arguments["kwargs"])
            return result
        with self._recorder.measuring(case):
            result, measurement = await timing.measure_call_async(plan, case, target, **arguments, **around)
        self._recorder.add(measurement)
        return result


def _set_up(setup: Callable[[], Any], arguments: dict[str, Any]) -> dict[str, Any]:
    made = setup()
    if made is None:
        return arguments
    args, kwargs = made
    return {"args": tuple(args), "kwargs": dict(kwargs)}
