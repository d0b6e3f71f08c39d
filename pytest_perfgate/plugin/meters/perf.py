"""The ``perf`` fixture: wall time per call."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pytest_perfgate.errors import UsageError
from pytest_perfgate.model import Case, Plan
from pytest_perfgate.plugin.meters._front import Front, loop_is_running, told_clearly

if TYPE_CHECKING:
    from pytest_perfgate.measure.sampler import Planner
    from pytest_perfgate.plugin.recorder import Recorder

#: A test's traceback ends in the user's own code.
__tracebackhide__ = True


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
        how = _checked(args, kwargs, setup, teardown)
        begun = self._begin("perf", "perf", name)
        if timing.is_async(target) and loop_is_running():
            return self._measure_awaited(begun, plan, target, how)
        if begun is None:
            call = timing.call_in_loop_once if timing.is_async(target) else timing.call_once
            how.set_up()
            result = call(target, how.args, how.kwargs)
            how.tear_down()
            return result
        measure = timing.measure_call_in_loop if timing.is_async(target) else timing.measure_call
        return self._measured(
            begun,
            lambda recorder, case: measure(plan, case, target, planner=_planner(recorder, case), **vars(how)),
        )

    @told_clearly
    async def _measure_awaited(
        self, begun: tuple[Recorder, Case] | None, plan: Plan, target: Callable[..., Any], how: _How
    ) -> Any:
        __tracebackhide__ = True
        from pytest_perfgate.metrics import timing

        if begun is None:
            how.set_up()
            result = await timing.call_once_async(target, how.args, how.kwargs)
            how.tear_down()
            return result
        recorder, case = begun
        with recorder.measuring(case):
            result, measurement = await timing.measure_call_async(
                plan, case, target, planner=_planner(recorder, case), **vars(how)
            )
        recorder.add(measurement)
        return result


def _planner(recorder: Recorder, case: Case) -> Planner:
    from pytest_perfgate.measure.sampler import schedule

    return recorder.planner(case) or schedule


def _checked(args: object, kwargs: object, setup: object, teardown: object) -> _How:
    """Take what the target is called with.

    Raises:
        UsageError: Naming the argument that cannot be meant.
    """
    if not isinstance(args, Iterable):
        raise UsageError(f"args={reprlib.repr(args)}: give a sequence of positional arguments, such as args=(5,)")
    if kwargs is not None and not (isinstance(kwargs, Mapping) and all(isinstance(key, str) for key in kwargs)):
        raise UsageError(f"kwargs={reprlib.repr(kwargs)}: give a dict of keyword arguments, such as kwargs={{'n': 5}}")
    for name, function in (("setup", setup), ("teardown", teardown)):
        if function is not None and not callable(function):
            raise UsageError(f"{name}={reprlib.repr(function)}: give a function, or None")
    return _How(tuple(args), dict(kwargs or {}), cast("Any", setup), cast("Any", teardown))


@dataclass
class _How:
    """With what a target is called; the fields are keywords of the measuring functions."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    setup: Callable[[], Any] | None
    teardown: Callable[..., Any] | None

    def set_up(self) -> None:
        """Run the set-up of the one call that is made when nothing is measured."""
        made = self.setup() if self.setup is not None else None
        if made is not None:
            args, kwargs = made
            self.args, self.kwargs = tuple(args), dict(kwargs)

    def tear_down(self) -> None:
        """Run its tear-down."""
        if self.teardown is not None:
            self.teardown(*self.args, **self.kwargs)
