"""One test on two workers: both run it, and meet at every case it measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pytest_perfgate.paired.line import Message
from pytest_perfgate.paired.worker import CaseLostError, Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """How the test ended on each side: ``outcome`` (``passed``, ``failed``, ``skipped``) and ``problem``."""

    base: Message
    head: Message


class Listener(Protocol):
    """What is done at the cases of a test."""

    def on_pair(self, told: Message) -> None:
        """Both sides wait at the same case, which head has announced so; leave both past it."""

    def on_head_alone(self, told: Message, why: str) -> None:
        """Head waits at a case that base never comes to; leave it past it."""


def converse(base: Worker, head: Worker, listener: Listener, timeout_s: float | None) -> Endings:
    """Follow the test that both workers were told to run, to its end on both sides.

    Args:
        base: One worker.
        head: The other.
        listener: Told of every case.
        timeout_s: Patience with whatever the test does between cases.

    Raises:
        WorkerLostError: A worker is gone or hangs.
    """
    at = {worker: worker.hear(timeout_s) for worker in (base, head)}
    while not (_is_over(at[base]) and _is_over(at[head])):
        old, new = at[base], at[head]
        try:
            if not _is_over(new) and not _is_over(old) and _key(old) == _key(new):
                listener.on_pair(new)
                at = {worker: worker.hear(timeout_s) for worker in (base, head)}
            elif not _is_over(old):
                # Another case than head's, or one that head has not: it may still come to head's.
                base.say(do="end")
                at[base] = base.hear(timeout_s)
            else:
                listener.on_head_alone(new, _why_alone(old, new))
                at[head] = head.hear(timeout_s)
        except CaseLostError as lost:
            at[lost.worker] = lost.message
            other = base if lost.worker is head else head
            if lost.other_is_past:
                at[other] = other.hear(timeout_s)
            elif not _is_over(at[other]) and (other is base or not _is_over(lost.message)):
                # Base waits in vain; or a phase turned out to hold a case, at which both can meet.
                other.say(do="end")
                at[other] = other.hear(timeout_s)
    return Endings(base=at[base], head=at[head])


def follow(head: Worker, listener: Listener, why: str, timeout_s: float | None) -> Endings:
    """Follow the test that only head was told to run, to its end.

    Args:
        head: The worker.
        listener: Told of every case.
        why: Base does not run it.
        timeout_s: As for :func:`converse`.

    Raises:
        WorkerLostError: The worker is gone or hangs.
    """
    at = head.hear(timeout_s)
    while not _is_over(at):
        try:
            listener.on_head_alone(at, why)
            at = head.hear(timeout_s)
        except CaseLostError as lost:  # noqa: PERF203  # a case takes a millisecond at the least
            at = lost.message
    return Endings(base={"say": "over", "outcome": "passed", "problem": ""}, head=at)


def _is_over(message: Message) -> bool:
    return bool(message["say"] == "over")


def _key(message: Message) -> tuple[str, str, str]:
    return message["kind"], message["metric"], message["name"]


def _why_alone(base: Message, head: Message) -> str:
    """Say why base does not measure what head does."""
    if base["outcome"] == "failed":
        return f"the test fails against the base: {base['problem']}"
    if base["outcome"] == "skipped":
        return f"the test is skipped against the base: {base['problem']}"
    case = head["metric"] + (f":{head['name']}" if head["name"] else "")
    return f"against the base the test does not measure {case} at this place"
