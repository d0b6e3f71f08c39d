"""What is said of the interpreter lock of a free-threaded Python, on made-up interpreters."""

import sys
import types
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader

import pytest

from pytest_perfgate.measure import interpreterlock
from pytest_perfgate.measure.interpreterlock import GilWatch, extension_modules


@pytest.fixture
def interpreter(monkeypatch):
    """Set what kind of Python it is, and whether its lock is on."""

    def chosen(*, free_threaded, enabled):
        monkeypatch.setattr(interpreterlock.sysconfig, "get_config_var", {"Py_GIL_DISABLED": free_threaded}.get)
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)

    return chosen


def imported(monkeypatch, name, loader):
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, loader(name, f"/nowhere/{name}"))
    monkeypatch.setitem(sys.modules, name, module)


def test_an_ordinary_python_and_a_free_one_are_nothing_to_speak_of(interpreter):
    for free_threaded, enabled in ((0, True), (1, False)):
        interpreter(free_threaded=free_threaded, enabled=enabled)
        assert GilWatch().remark() == ""


def test_who_switched_the_lock_back_on_is_named(interpreter, monkeypatch):
    interpreter(free_threaded=1, enabled=False)
    watch = GilWatch()
    assert not watch.was_enabled
    imported(monkeypatch, "_old_module", ExtensionFileLoader)
    imported(monkeypatch, "plain_module", SourceFileLoader)
    interpreter(free_threaded=1, enabled=True)
    said = watch.remark()
    assert said == "GIL re-enabled by _old_module while the work ran: from then on its threads took turns"


def test_many_that_may_have_done_it_are_counted(interpreter, monkeypatch):
    interpreter(free_threaded=1, enabled=False)
    watch = GilWatch()
    for number in range(5):
        imported(monkeypatch, f"_old_{number}", ExtensionFileLoader)
    interpreter(free_threaded=1, enabled=True)
    assert "by _old_0, _old_1, _old_2 and 2 more while" in watch.remark()


def test_one_that_nobody_saw_is_not_made_up(interpreter):
    interpreter(free_threaded=1, enabled=False)
    watch = GilWatch()
    interpreter(free_threaded=1, enabled=True)
    assert "by an extension module while" in watch.remark()


def test_a_lock_that_was_on_before_is_told(interpreter):
    interpreter(free_threaded=1, enabled=True)
    assert GilWatch().remark().startswith("this free-threaded Python runs with its GIL on")


def test_only_extension_modules_are_listed():
    assert extension_modules(["sys", "json", "no_such_module"]) == []
