"""Small runs, findings and measurements to test with; facts of a made-up machine, never of this one."""

from __future__ import annotations

from typing import Any

from pytest_perfgate.model import (
    Better,
    Case,
    Change,
    Check,
    Finding,
    Location,
    Machine,
    Measurement,
    Operator,
    Python,
    Run,
    Verdict,
)

#: Texts that break writers which forget to escape: control characters, ANSI, lone surrogates, the end of CDATA ...
HOSTILE_TEXTS = (
    "\x1b[31mred\x1b[0m\x00\x07\x7f\x85",
    "lone \ud800 surrogates \udfff",
    "not characters \ufffe \uffff \U0001ffff",
    ']]> <![CDATA[ & <b attr="\'"> [[PROPERTY|a=b]]',
    "two\nlines\r\nand a\ttab \u2028 \u2029",
    "pipes | back`ticks` \\ % {braces} *stars* _lines_",
    "µ × ± … ≤ ∞ 漢字 \U0001f600 e\u0301 \u202e",  # look-alikes are the point
    "x" * 500,
    " ",
)


def make_measurement(
    test: str = "tests/test_a.py::test_b[x]",
    metric: str = "perf",
    *,
    name: str = "",
    value: float | None = 0.0123,
    unit: str = "s",
    **fields: Any,
) -> Measurement:
    """Build a measurement; samples, interval and processes follow *value* unless given."""
    if value is not None:
        fields.setdefault("samples", (value, value * 0.99, value * 1.01))
        fields.setdefault("interval", (value * 0.99, value * 1.01))
        fields.setdefault("processes", (value,))
    else:
        fields.setdefault("error", "the target raised ValueError: boom")
    return Measurement(case=Case(test, metric, name), value=value, unit=unit, **fields)


def make_check(limit: float | None = 0.4, observed: float | None = 0.0123, **fields: Any) -> Check:
    """Build a check of an upper limit in seconds; it holds when *observed* is under it."""
    fields.setdefault("expression", f"median <= {(limit or 0) * 1000:g}ms")
    fields.setdefault("unit", "s")
    fields.setdefault("operator", Operator.LE)
    fields.setdefault("holds", observed is not None and limit is not None and observed <= limit)
    return Check(limit=limit, observed=observed, **fields)


def make_change(ratio: float = 1.083, **fields: Any) -> Change:
    """Build a change; the interval lies 2 % around *ratio*."""
    fields.setdefault("interval", (ratio * 0.98, ratio * 1.02))
    fields.setdefault("tolerance", 0.05)
    fields.setdefault("confidence", 0.99)
    fields.setdefault("against", "base.json")
    return Change(ratio=ratio, **fields)


def make_finding(
    measurement: Measurement | None = None,
    verdict: Verdict = Verdict.PASS,
    reason: str | None = None,
    **fields: Any,
) -> Finding:
    """Build a finding; the warnings are the measurement's unless given."""
    measured = measurement or make_measurement()
    fields.setdefault("warnings", measured.warnings)
    said = reason if reason is not None else f"{measured.case.id}: {verdict.value}, for a test"
    return Finding(measurement=measured, verdict=verdict, reason=said, **fields)


def make_machine(**fields: Any) -> Machine:
    """Build the facts of a four-core Linux machine."""
    facts: dict[str, Any] = {
        "os": "linux",
        "os_release": "6.1.0",
        "arch": "x86_64",
        "cpu": "Example CPU 3000",
        "cores": 4.0,
        "cores_total": 8,
        "memory_bytes": 8 * 1024**3,
        "memory_total_bytes": 16 * 1024**3,
        "hostname": "builder",
    }
    return Machine(**(facts | fields))


def make_python(**fields: Any) -> Python:
    """Build the facts of a CPython 3.12."""
    return Python(**({"implementation": "CPython", "version": "3.12.1"} | fields))


def make_run(*findings: Finding, **fields: Any) -> Run:
    """Build a run of *findings* (none: an empty run) on the made-up machine."""
    facts: dict[str, Any] = {
        "machine": make_machine(),
        "profile": "standard",
        "profile_matched_by": "default",
        "python": make_python(),
        "settings": {"strict": False, "max_regression": 0.05},
        "started": "2026-01-02T03:04:05+00:00",
        "duration_s": 12.5,
    }
    return Run(findings=findings, **(facts | fields))


def empty_run() -> Run:
    """Build a run in which nothing was measured though something should have been."""
    said = "nothing was measured: 3 tests carry a budget and none of them ran"
    return make_run(failures=(said,))


def ordinary_run() -> Run:
    """Build the run of a small healthy project: several metrics, budgets, a commit, one warning."""
    parse = make_measurement("tests/test_parse.py::test_parse[small-µs]", value=43.1e-6, iterations=100)
    start = make_measurement(
        "tests/test_cli.py::TestCommand::test_version",
        "startup.command",
        value=0.382,
        extra={"cpu_s": 0.31, "peak_bytes": 41_943_040, "modules": 132},
        warnings=("the first run took 3 times as long as the others",),
        location=Location("tests/test_cli.py", 12),
    )
    pool = make_measurement(
        "tests/test_pool.py::test_pool_scales_with_workers_on_a_rather_long_name[thread-4]",
        "speedup",
        value=3.1,
        unit="ratio",
        better=Better.HIGHER,
        statistic="value",
        show_as="×",  # as the metric writes it
        ceiling=4.0,
        extra={"efficiency": 0.775, "workers": 4, "curve": {"1": 1.0, "2": 1.8, "4": 3.1}},
    )
    leak = make_measurement("tests/test_cache.py::test_cache", "memory.growth", value=0.0, unit="B/call", interval=None)
    return make_run(
        make_finding(parse, reason="median 43.1 µs, no limit"),
        make_finding(start, reason="within budget", checks=(make_check(0.4, 0.382, profile="ci"),)),
        make_finding(
            pool,
            reason="within budget",
            checks=(make_check(2.5, 3.1, expression="speedup >= 2.5", unit="ratio", operator=Operator.GE, holds=True),),
        ),
        make_finding(
            leak,
            reason="within budget",
            checks=(make_check(0.0, 0.0, expression="growth <= 0 B/call", unit="B/call"),),
        ),
        profile="ci",
        profile_matched_by="GITHUB_ACTIONS=true, cores 4 <= 4",
        commit={"id": "3f2c1ab9d0e44c0f8f5d5a1f3b2c4d5e6f708192", "branch": "main", "dirty": False},
    )


def every_verdict_run(**fields: Any) -> Run:
    """Build a run that has each verdict once, with a change, doubts, warnings, notes and a run-level failure."""
    name = "tests/test_all.py::test_{}".format
    findings = (
        make_finding(make_measurement(name("pass")), checks=(make_check(),)),
        make_finding(
            make_measurement(name("improved"), value=0.2),
            Verdict.IMPROVED,
            "-20.0 % (99 % interval -21.6 … -18.4 %) against base.json",
            change=make_change(0.8),
        ),
        make_finding(
            make_measurement(name("over"), "startup.command", value=0.412, location=Location("tests/test_all.py", 7)),
            Verdict.OVER_BUDGET,
            "over budget: median 412 ms > 400 ms (profile ci, 3 rounds, 95 % interval 408–416 ms)",
            checks=(make_check(0.4, 0.412, profile="ci", reason="median 412 ms > 400 ms"), make_check(0.9, 0.412)),
        ),
        make_finding(
            make_measurement(name("regressed"), name="parse"),
            Verdict.REGRESSED,
            "regressed: +8.3 % (99 % interval +6.1 … +10.5 %, tolerance 5 %) against base.json",
            change=make_change(pairs=640, processes=8),
            checks=(make_check(),),
        ),
        make_finding(
            make_measurement(name("gone"), value=None, error="not measured in this run"),
            Verdict.MISSING,
            "in base.json, but not measured in this run",
        ),
        make_finding(make_measurement(name("new")), Verdict.NO_BASELINE, "not in base.json"),
        make_finding(
            make_measurement(name("unsure"), "rows", unit="rows/s", value=1200.0, better=Better.HIGHER),
            Verdict.INCONCLUSIVE,
            "inconclusive: the interval -1.0 … +9.0 % includes the tolerance of 5 %",
            change=make_change(0.96, better=Better.HIGHER, doubt="about 12 more process pairs would settle it"),
        ),
        make_finding(make_measurement(name("elsewhere")), Verdict.INCOMPARABLE, "base.json is from another CPU"),
        make_finding(
            make_measurement(name("raises"), value=None), Verdict.FAILED_TO_MEASURE, "the target raised ValueError"
        ),
    )
    facts: dict[str, Any] = {
        "notes": ("no profile of yours matched this machine",),
        "failures": ("2 of 4 workers crashed; their tests are not in this report",),
        "settings": {"strict": False, "max_regression": 0.05, "baseline": "base.json"},
    }
    return make_run(*findings, **(facts | fields))


def hostile_run() -> Run:
    """Build a run in which every text that a user or a target can choose is hostile."""
    findings = [
        make_finding(
            make_measurement(
                f"tests/test_h.py::test_h[{position}{text}]",
                f"m{text}",
                name=text,
                unit=text,
                value=1.5,
                extra={text: text, "list": [text]},
                warnings=(text,),
            ),
            verdict,
            text,
            checks=(make_check(expression=text, reason=text, unit=text, profile=text),),
            change=make_change(against=text),
        )
        for position, text in enumerate(HOSTILE_TEXTS)
        for verdict in (Verdict.OVER_BUDGET, Verdict.INCONCLUSIVE, Verdict.FAILED_TO_MEASURE, Verdict.MISSING)[
            position % 4 : position % 4 + 1
        ]
    ]
    bad = "".join(HOSTILE_TEXTS[:5])
    return make_run(
        *findings,
        machine=make_machine(cpu=bad, hostname=bad, extra={bad: bad}),
        python=make_python(implementation=bad),
        profile=bad,
        profile_matched_by=bad,
        commit={"id": bad, "branch": bad, "dirty": True},
        settings={"strict": False, bad: bad},
        started=bad,
        notes=(bad,),
        failures=(bad,),
    )


def large_run(cases: int = 10_000, samples: int = 60) -> Run:
    """Build a run of many passing cases, for what must stay fast."""
    return make_run(
        *(
            make_finding(
                make_measurement(
                    f"tests/test_{number // 100}.py::test_{number}",
                    value=0.001 * (1 + number % 7),
                    samples=tuple(0.001 * (1 + number % 7) + round_ * 1.234567e-8 for round_ in range(samples)),
                ),
                reason="within budget: median 1 ms <= 400 ms",
                checks=(make_check(0.4, 0.001 * (1 + number % 7)),),
            )
            for number in range(cases)
        )
    )
