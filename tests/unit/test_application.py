"""Applications that get ready, or do not: real small processes, no assertion on how long anything takes."""

import functools
import re
import signal
import socket
import sys
import threading
from pathlib import Path

import psutil
import pytest
from processes import is_gone

from pytest_perfgate.errors import CannotMeasureError, UsageError
from pytest_perfgate.measure import application, probes, readiness
from pytest_perfgate.measure.process import ProcessRun
from pytest_perfgate.measure.spawner import remote
from pytest_perfgate.metrics.startup import measure_app, run_app_once
from pytest_perfgate.model import Case, Plan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

CASE = Case("tests/test_app.py::test_ready", "startup.app")

SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Answer.asked += 1
        status = 503 if self.path == "/late" and Answer.asked < 3 else 200
        self.send_response(status)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.fixture(params=["spawner", "here"], autouse=True)
def way(request, monkeypatch):
    """By way of the spawner, or in this process."""
    if request.param == "here":
        monkeypatch.setattr(remote, "current", lambda: None)
    elif remote.current() is None:
        pytest.skip(remote.problem())
    return request.param


def python(code, *arguments):
    return [sys.executable, "-c", code, *arguments]


# --- ready


@pytest.mark.parametrize(
    "ready",
    ["output", "first_output", re.compile("list.ning"), re.compile(rb"^listening$", re.MULTILINE)],
    ids=["output", "first_output", "pattern", "bytes"],
)
def test_output_makes_an_application_ready(ready):
    result = run_app_once(python("import time; print('listening'); time.sleep(60)"), ready=ready)
    assert result.stdout.strip() == "listening"  # it may be stopped between the word and the line's end
    assert result.returncode == -signal.SIGTERM
    assert result.ready_s > 0


def test_a_pattern_is_looked_for_in_each_stream_across_its_pieces():
    code = (
        "import sys, time\n"
        "for text in ('up ', 'and run', 'ning'):\n"
        "    sys.stderr.write(text); sys.stderr.flush(); print('noise')\n"
        "time.sleep(60)"
    )
    assert run_app_once(python(code), ready=re.compile("up and running")).stderr == "up and running"


@pytest.mark.parametrize(
    "ready", ["port", "http://127.0.0.1:{port}", "http://127.0.0.1:{port}/late?x=1"], ids=["port", "status", "late"]
)
def test_a_free_port_is_chosen_and_waited_for(ready):
    result = run_app_once(python(SERVER, "{port}"), ready=ready)
    assert "{port}" not in result.stdout
    assert result.returncode == -signal.SIGTERM


def test_a_port_of_the_users_is_waited_for():
    port = probes.free_port()
    assert run_app_once(python(SERVER, str(port)), ready=port).ready_s > 0
    assert run_app_once(python(SERVER, str(port)), ready=f"localhost:{port}").ready_s > 0


def test_another_status_may_be_what_is_waited_for():
    port = probes.free_port()
    run_app_once(python(SERVER, str(port)), ready=f"http://127.0.0.1:{port}/late", status=503)


def test_an_answer_that_is_not_http_is_told_on_one_line():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-\x1b[1mOpenSSH\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        one = readiness.make_readiness(f"http://127.0.0.1:{port}/", has_placeholder=False)[0](port)
        assert not one.looks(60.0)
        thread.join(60)
    assert one.remark() == "; it last answered with BadStatusLine: SSH-2.0- [1mOpenSSH"


def test_a_port_may_be_told_by_a_variable():
    code = SERVER.replace("sys.argv[1]", "__import__('os').environ['PORT']")
    run_app_once(python(code), ready="port", env={"PORT": "{port}"})


def test_a_function_says_when(tmp_path):
    mark = tmp_path / "mark"
    asked = []

    def marked():
        asked.append(1)
        return bool(mark.stat().st_size)  # an OSError until it exists

    run_app_once(python(f"import time; open({str(mark)!r}, 'w').write('x'); time.sleep(60)"), ready=marked)
    assert asked


@pytest.mark.parametrize("ready", ["output", re.compile("on"), "function"], ids=["output", "regex", "function"])
def test_a_free_port_may_be_had_whatever_is_waited_for(tmp_path, ready):
    code = "import sys, time; sys.stdout.write('on ' + sys.argv[1] + ';'); open('up', 'w').close(); time.sleep(60)"
    when = (tmp_path / "up").exists if ready == "function" else ready
    result = run_app_once(python(code, "{port}"), ready=when, cwd=tmp_path)
    assert re.fullmatch(r"on \d+;", result.stdout)


def test_a_port_of_the_users_leaves_the_command_as_it_is():
    make, needs_port = readiness.make_readiness(8000, has_placeholder=True)
    assert not needs_port
    assert make(0).shown == "port 8000"


def test_a_function_that_does_not_return_is_given_up():
    with pytest.raises(CannotMeasureError, match=r"not ready within 0\.2 s .*; the function did not return"):
        run_app_once(["sleep", "60"], ready=threading.Event().wait, timeout_s=0.2)


def test_what_an_interpreter_says_of_its_imports_makes_nothing_ready():
    quiet = probes.Quiet(readiness.make_readiness("output", has_placeholder=False)[0](0))
    assert not quiet.hears(b"import _frozen_importlib # frozen\n# code object from '/a", 1)
    assert not quiet.hears(b'.py\'\nProcessing user site-packages\nPython 3.1\nType "help"\n', 1)
    assert quiet.hears(b"# more\nlistening\n", 1)
    assert not quiet.hears(b"# less", 1)
    assert quiet.hears(b"# mine", 0)


# --- the end


def test_everything_that_an_application_started_is_ended():
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    result = run_app_once(python(code), ready="output")
    assert is_gone(int(result.stdout))


def test_the_signal_that_stops_it_may_be_chosen():
    code = "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(7))\nprint(1)\ntime.sleep(60)"
    assert run_app_once(python(code), ready="output", stop="SIGINT").returncode == 7
    assert run_app_once(python(code), ready="output", stop="INT").returncode == 7
    assert run_app_once(python(code), ready="output", stop=int(signal.SIGINT)).returncode == 7


def test_what_does_not_stop_is_killed_and_told(monkeypatch):
    monkeypatch.setattr(application, "STOP_S", 0.1)
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1)\ntime.sleep(60)"
    result, measurement = measure_app(Plan(), CASE, python(code), ready="output", runs=1, warmup=0)
    assert result.returncode == -signal.SIGKILL
    assert "in 1 of 1 runs it went on after the signal" in measurement.warnings[0]


# --- never ready


def test_an_early_exit_is_told_with_its_last_words():
    code = "import sys; print('no database', file=sys.stderr); sys.exit(3)"
    with pytest.raises(CannotMeasureError, match=r"(?s)exited with status 3 before it was ready \(port.*no database"):
        run_app_once(python(code, "{port}"), ready="port")
    with pytest.raises(
        CannotMeasureError, match=r"exited with status 3 before it was ready \(output that matches 'up'"
    ):
        run_app_once(python(code), ready=re.compile("up"))


def test_death_by_a_signal_is_told():
    with pytest.raises(CannotMeasureError, match=r"was killed by signal 9 \(SIGKILL\) before"):
        run_app_once(["sh", "-c", "kill -9 $$"], ready="output")


def test_what_never_gets_ready_is_ended_and_told():
    argv = ["sh", "-c", "echo starting; sleep 60"]
    with pytest.raises(CannotMeasureError, match=r"(?s)not ready within 2 s and was ended.*'up'.*starting"):
        run_app_once(argv, ready=re.compile("up"), timeout_s=2)
    with pytest.raises(CannotMeasureError, match=r"(?s)not ready within 0.5 s.*last raised FileNotFoundError"):
        run_app_once(argv, ready=lambda: Path("/no/such/file").stat(), timeout_s=0.5)


def test_what_goes_into_the_background_is_told(monkeypatch):
    monkeypatch.setattr("pytest_perfgate.measure.ending.GRACE_S", 0)
    with pytest.raises(CannotMeasureError, match="keeps it in the foreground"):
        run_app_once(["sh", "-c", "sleep 60 & exit 0"], ready=re.compile("up"))


@pytest.mark.parametrize("ready", ["output", re.compile("config|up")], ids=["output", "pattern"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_a_crash_says_makes_nothing_ready(ready, stream):
    code = f"import sys; print('config error', file=sys.{stream}, flush=True); sys.exit(2)"
    with pytest.raises(CannotMeasureError, match=r"(?s)exited with status 2 as soon as it was ready \(.*config error"):
        run_app_once(python(code), ready=ready)
    with pytest.raises(CannotMeasureError, match="No module named no_such_server_module"):
        measure_app(Plan(), CASE, [sys.executable, "-m", "no_such_server_module"], ready="output", runs=1)


def test_a_death_by_a_signal_after_the_first_output_is_told():
    with pytest.raises(CannotMeasureError, match=r"was killed by signal 9 \(SIGKILL\) as soon as it was ready"):
        run_app_once(["sh", "-c", "echo up; kill -9 $$"], ready="output")


def test_what_fails_only_when_it_is_stopped_is_measured():
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(1))\nprint(1)\ntime.sleep(60)"
    assert run_app_once(python(code), ready="output").returncode == 1


def test_what_ends_well_after_its_output_is_measured():
    assert run_app_once(["sh", "-c", "echo done"], ready="output").returncode == 0


BACKGROUND = """
import os, sys, time
told, tell = os.pipe()
if os.fork():
    if sys.argv[2] == "late":
        os.read(told, 1)
    os._exit(0)
if len(sys.argv) > 3:
    os.setsid()
"""


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_server_that_goes_into_the_background_is_told(way, when):
    code = BACKGROUND + SERVER.replace("server.serve", "os.write(tell, b'x'); server.serve")
    own_session = ["setsid"] if way == "spawner" else []
    for ready in ("port", "http://127.0.0.1:{port}"):
        with pytest.raises(CannotMeasureError, match=r"exited with status 0 (before|as soon as).*in the foreground"):
            run_app_once(python(code, "{port}", when, *own_session), ready=ready)


def test_a_port_that_is_open_before_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for ready in (port, f"http://127.0.0.1:{port}/"):
            with pytest.raises(CannotMeasureError, match=f"port {port} is open before the application is started"):
                run_app_once(["sleep", "60"], ready=ready)


def test_a_function_that_is_true_before_is_refused(tmp_path):
    with pytest.raises(CannotMeasureError, match=r"<lambda>\(\) is true already before the application is started"):
        run_app_once(["sleep", "60"], ready=lambda: True)
    mark = tmp_path / "mark"
    argv = ["sh", "-c", f"touch {mark}; sleep 60"]
    with pytest.raises(CannotMeasureError, match="remove what an earlier run left behind"):
        measure_app(Plan(), CASE, argv, ready=mark.exists, runs=1, warmup=1)
    mark.unlink()

    def found():
        mark.unlink()
        return True

    assert measure_app(Plan(), CASE, argv, ready=found, runs=1, warmup=1)[1].rounds == 1


async def answers():
    return False


def answers_in_steps():
    yield False


@pytest.mark.parametrize(
    "ready",
    [answers, functools.partial(answers), lambda: answers(), answers_in_steps],  # noqa: PLW0108  # a plain one around it
    ids=["async", "partial", "lambda", "generator"],
)
def test_a_function_that_has_to_be_awaited_is_refused(ready):
    with pytest.raises(UsageError, match=r"has to be awaited or iterated.*asyncio\.run"):
        run_app_once(["sleep", "60"], ready=ready)


def test_a_program_that_is_not_there_is_explained():
    with pytest.raises(CannotMeasureError, match="'no-such-server' was not found"):
        run_app_once(["no-such-server"], ready="output")


def test_what_the_function_raises_comes_through():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_app_once(["sleep", "60"], ready=broken)


def test_a_function_that_measures_is_refused_and_does_not_wait_for_itself(way):
    if way != "spawner":
        pytest.skip("this process can start several")
    asked = []

    def measures():
        asked.append(1)
        return len(asked) > 1 and run_app_once(["sleep", "60"], ready="output")

    with pytest.raises(CannotMeasureError, match="within the measurement of another"):
        run_app_once(["sleep", "60"], ready=measures)
    assert run_app_once(["sh", "-c", "echo x; sleep 60"], ready="output").stdout == "x\n"


@pytest.mark.parametrize(
    ("argv", "options", "message"),
    [
        ("app serve", {"ready": 8000}, r"\['app', 'serve'\]"),
        (["app"], {"ready": None}, "needs ready=, by which"),
        (["app"], {"ready": True}, "none of"),
        (["app"], {"ready": "listening"}, r"re.compile\('listening'\)"),
        (["app"], {"ready": 0}, "not a port"),
        (["app"], {"ready": 70000}, "not a port"),
        (["app"], {"ready": "port"}, r"write \{port\} in the command"),
        (["app"], {"ready": "https://localhost/"}, "http only"),
        (["app"], {"ready": "http://"}, "not a URL"),
        (["app"], {"ready": "http://h:99999/"}, "not a URL"),
        (["app"], {"ready": 8000, "status": 200}, "is for a URL"),
        (["app"], {"ready": "http://h/", "status": "200"}, "not an HTTP status"),
        (["app"], {"ready": "http://h/", "status": 42}, "not an HTTP status"),
        (["app"], {"ready": "output", "stop": "SIGNOTHING"}, "not a signal"),
        (["app"], {"ready": "output", "stop": True}, "not a signal"),
        (["app"], {"ready": "output", "timeout_s": -1}, "timeout=-1"),
        (["app"], {"ready": "output", "env": ["A=1"]}, "mapping"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv, options, message):
    with pytest.raises(UsageError, match=message):
        run_app_once(argv, **options)


# --- what a measurement says


def test_the_time_to_ready_is_measured_with_what_was_used_by_then(way):
    result, measurement = measure_app(
        Plan(), CASE, python("import time; print('x'); time.sleep(60)"), ready="output", runs=2, warmup=1
    )
    assert measurement.rounds == 2
    assert measurement.samples[-1] == result.ready_s
    assert measurement.extra["stop_s"] >= 0
    assert measurement.extra["bare_s"] > 0
    if way == "spawner":
        assert measurement.extra["peak_bytes"] > 2**20
        assert measurement.extra["page_faults"] > 100
        assert measurement.extra["major_faults"] >= 0
        assert measurement.extra["blocks_read"] >= 0
        assert not measurement.warnings


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="no account of waiting")
def test_the_waiting_of_a_shell_is_not_taken_for_that_of_the_application_it_starts(way):
    program = f"{sys.executable} -S -c 'import time; print(1, flush=True); time.sleep(60)'; true"
    extra = measure_app(Plan(), CASE, ["sh", "-c", program], ready="output", runs=2)[1].extra
    assert "uncontended_s" not in extra


@pytest.mark.parametrize(("children_s", "is_known"), [(0.0, True), (0.05, True), (0.5, False)])
def test_a_first_process_that_only_starts_others_says_nothing_of_their_waiting(monkeypatch, children_s, is_known):
    used = {"user_s": 0.06, "system_s": 0.02, "on_cpu_s": 0.08, "queued_s": 0.06}
    process = ProcessRun(
        wall_s=2.0,
        user_s=0.06 + children_s,
        system_s=0.02,
        peak_bytes=None,
        minor_faults=1,
        major_faults=0,
        exit_status=0,
        stdout=b"",
        stderr=b"",
    )
    run = application.AppRun(ready_s=1.0, stop_s=0.1, was_killed=False, at_ready=used, process=process)
    monkeypatch.setattr(application.Application, "run", lambda *_: run)
    monkeypatch.setattr("pytest_perfgate.metrics.startup.app.bare_interpreter", lambda *_: lambda: None)
    extra = measure_app(Plan(), CASE, ["app"], ready="output", runs=2)[1].extra
    assert {"contention", "uncontended_s", "starved"} & set(extra) == (
        {"contention", "uncontended_s", "starved"} if is_known else set()
    )


def test_elsewhere_it_is_said_what_is_not_known_of_an_application(monkeypatch):
    monkeypatch.setattr(remote, "current", lambda: None)
    monkeypatch.setattr(remote._Current, "problem", "on plan9 commands are started by pytest's own process")
    start = lambda: measure_app(Plan(), CASE, ["sh", "-c", "echo; sleep 60"], ready="output", runs=1, warmup=0)
    (said,) = start()[1].warnings
    left = "what a command leaves running in a session of its own is not found"
    why = "on plan9 commands are started by pytest's own process"
    assert said == f"{why}: times include what a large pytest process adds, and {left}"
    monkeypatch.setattr(application, "_NOT_FROM_ITS_END", {"blocks_read"})
    monkeypatch.setattr(application, "_IS_LINUX", False)
    (said,) = start()[1].warnings
    assert "not known are the time waited for a processor, processor time, page faults, peak memory; times" in said


def test_no_descriptor_and_no_process_is_left():
    def count():
        return len(list(Path("/proc/self/fd").iterdir())), len(psutil.Process().children(recursive=True))

    argv = python(SERVER, "{port}")
    run_app_once(argv, ready="port")
    before = count()
    run_app_once(argv, ready="port")
    assert count() == before
