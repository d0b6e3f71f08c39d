"""Settings: every one from every source, the order of the layers, the two files, and every mistake in words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_perfgate
from pytest_perfgate.errors import PerfgateError, ProfileError, SettingsError
from pytest_perfgate.model import MatchedProfile, Profile
from pytest_perfgate.settings import FileSettings, Settings, idle_marker, read_settings_file, resolve, with_profile
from pytest_perfgate.settings.table import SETTINGS

#: Setting -> two pairs of what is written (in TOML; options and variables take the text) and what comes of it.
VALUES = {
    "enabled": [("true", True), ("false", False)],
    "marker": [('"perf_budget"', "perf_budget"), ('"limits"', "limits")],
    "profile": [('"ci"', "ci"), ('"auto"', "auto")],
    "max_regression": [('"7%"', 0.07), ('"0.5 %"', 0.005)],
    "max_time": [('"500ms"', 0.5), ('"1min"', 60.0)],
    "max_run_time": [('"45min"', 2700.0), ('"90s"', 90.0)],
    "packages": [('"pkg"', ("pkg",)), ('["pkg", "ns.part"]', ("pkg", "ns.part"))],
    "timeout": [('"30s"', 30.0), ('"0s"', 0.0)],
    "unknown_profile": [('"fail"', "fail"), ('"ignore"', "ignore")],
    "strict": [("true", True), ("false", False)],
    "baseline": [('"base.json"', "base.json"), ('"runs/b.json"', "runs/b.json")],
    "against": [('"origin/main"', "origin/main"), ('"path:../old"', "path:../old")],
    "report": [('"json=a.json"', ("json=a.json",)), ('["json=-", "junit=b.xml"]', ("json=-", "junit=b.xml"))],
    "profiles": [("{a = {scale = 2}}", (Profile(name="a", scale=2.0),)), ("{}", ())],
}
SOURCES = ["pyproject.toml", "perfgate.toml", "PERFGATE_PROFILE", "option"]


def from_toml(text):
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return toml.loads(f"value = {text}")["value"]


def give(folder, setting, source, text):
    """Give one setting in one source; return file, environment and options for ``resolve``."""
    if source == "pyproject.toml":
        (folder / source).write_text(f"[tool.perfgate]\n{setting.name} = {text}\n")
    elif source == "perfgate.toml":
        (folder / source).write_text(f"{setting.name} = {text}\n")
    value = from_toml(text)
    environ = {source: value} if source.isupper() else {}
    options = {}
    if source == "option":
        options[setting.name] = [value] if setting.name == "report" and isinstance(value, str) else value
    return read_settings_file(folder), environ, options


def combinations():
    for setting in SETTINGS:
        for source in SOURCES:
            if (source == "option" and not setting.has_option) or (source.isupper() and setting.environment != source):
                continue
            for text, value in VALUES[setting.name]:
                yield pytest.param(setting, source, text, value, id=f"{setting.name}-{source}-{text}")


def test_every_setting_has_values_to_test_it_with():
    assert set(VALUES) == {setting.name for setting in SETTINGS}
    assert {setting.field for setting in SETTINGS} == set(Settings.__dataclass_fields__) - {"sources"}


@pytest.mark.parametrize(("setting", "source", "text", "value"), list(combinations()))
def test_every_setting_can_be_set_from_each_of_its_sources(tmp_path, setting, source, text, value):
    settings = resolve(*give(tmp_path, setting, source, text))
    assert getattr(settings, setting.field) == value
    expected = "--perfgate-" + setting.name.replace("_", "-") if source == "option" else source
    assert settings.sources == {setting.name: expected}
    others = {other.field for other in SETTINGS} - {setting.field}
    assert {name: getattr(settings, name) for name in others} == {name: getattr(Settings(), name) for name in others}


@pytest.mark.parametrize("setting", SETTINGS, ids=[setting.name for setting in SETTINGS])
def test_a_stronger_source_covers_a_weaker_one(tmp_path, setting):
    (weak, _), (strong, value) = VALUES[setting.name]
    file, _, _ = give(tmp_path, setting, "pyproject.toml", weak)
    if setting.environment:
        assert getattr(resolve(file, {setting.environment: from_toml(strong)}, {}), setting.field) == value
        assert getattr(resolve(file, {setting.environment: " "}, {}), setting.field) == from_toml(weak)
    if setting.has_option:
        environ = {setting.environment: "laptop"} if setting.environment else {}
        settings = resolve(file, environ, {setting.name: from_toml(strong)})
        assert getattr(settings, setting.field) == value
        assert getattr(resolve(file, {}, {setting.name: None}), setting.field) == VALUES[setting.name][0][1]


def test_without_any_source_the_defaults_count():
    settings = resolve(FileSettings(), {}, {})
    assert settings == Settings()
    assert (settings.enabled, settings.marker, settings.profile) == (False, "budget", "auto")
    assert (settings.max_regression, settings.timeout_s, settings.unknown_profile) == (0.05, 300.0, "warn")
    assert settings.profile_source == ""


def test_the_time_for_one_case_is_longer_in_a_paired_comparison():
    assert resolve(FileSettings(), {}, {}).case_time_s == 3
    assert resolve(FileSettings(), {}, {"against": "HEAD~1"}).case_time_s == 20
    assert resolve(FileSettings(), {}, {"against": "HEAD~1", "max_time": "2s"}).case_time_s == 2


def test_what_asked_for_the_profile_is_said_as_it_was_written():
    file = FileSettings({"profile": "laptop"}, path="/some/where/pyproject.toml", table="[tool.perfgate]")
    assert resolve(file, {}, {}).profile_source == 'pyproject.toml: profile = "laptop"'
    assert resolve(file, {"PERFGATE_PROFILE": "ci"}, {}).profile_source == "PERFGATE_PROFILE=ci"
    assert resolve(file, {"PERFGATE_PROFILE": "ci"}, {"profile": "x"}).profile_source == "--perfgate-profile x"
    assert resolve(file, {}, {"profile": "x"}, option_prefix="--").profile_source == "--profile x"


def test_the_profile_in_force_has_a_tolerance_that_only_the_command_line_covers():
    file = FileSettings({"max_regression": "7%"}, path="pyproject.toml")
    settings = resolve(file, {}, {})
    strict = MatchedProfile(profile=Profile(name="farm", max_regression=0.02), matched_by="test")
    silent = MatchedProfile(profile=Profile(name="farm"), matched_by="test")
    assert with_profile(settings, strict, explicit_tolerance=False).max_regression == 0.02
    assert with_profile(settings, strict, explicit_tolerance=False).sources["max_regression"] == "profile farm"
    assert with_profile(settings, strict, explicit_tolerance=True) == settings
    assert with_profile(settings, silent, explicit_tolerance=False) == settings
    assert settings.max_regression == 0.07


BAD_VALUES = {
    "enabled": [('"yes"', "is neither true nor false"), ("1", "is neither true nor false")],
    "marker": [
        ('"two words"', "not the name of a marker"),
        ('"parametrize"', "another meaning"),
        ("3", "name of a marker"),
    ],
    "profile": [
        ('""', 'not the name of a profile, or "auto"'),
        ("{ci = {scale = 2}}", "[tool.perfgate.profiles.NAME]"),
    ],
    "max_regression": [
        ("5", 'write "5%"'),
        ("0.07", 'write "7%"'),
        ('"5"', 'write "5%"'),
        ('"-5%"', "negative"),
        ('"nan%"', "finite"),
        ('"inf%"', "finite"),
        ('"five%"', '"5%"'),
        ("true", 'write "5%"'),
    ],
    "max_time": [
        ("3", '"3s"'),
        ('"3"', '"3s"'),
        ('"0s"', "no time at all"),
        ('"-1s"', "negative"),
        ('"5%"', "wrong unit"),
    ],
    "max_run_time": [("1800", '"3s"'), ('"0s"', "no time at all")],
    "packages": [("[]", "not a list of import names"), ("3", "not a list"), ('["my-pkg"]', "not the name")],
    "timeout": [("300", '"300s"'), ('"-1s"', "negative"), ('"1e999s"', "finite"), ('"soon"', '"0s" for never')],
    "unknown_profile": [('"warm"', 'did you mean "warn"'), ("true", "is none of warn, fail, ignore")],
    "strict": [('"true"', "is neither true nor false")],
    "baseline": [("true", "path of a stored run"), ('" "', "path of a stored run")],
    "against": [
        ('""', "origin/main"),
        ('"path:"', "names nothing after path:"),
        ('"dist: "', "names nothing after dist:"),
    ],
    "report": [
        ('"json"', 'write it like "json=run.json"'),
        ('["json=a", "=b"]', "holds '=b'"),
        ('"json="', "FORMAT=PATH"),
        ("[3]", "FORMAT=PATH"),
        ("3", "neither a text nor a list"),
    ],
    "profiles": [("3", "[tool.perfgate.profiles.NAME]")],
}


def bad_combinations():
    for setting in SETTINGS:
        for text, said in BAD_VALUES[setting.name]:
            for source in ("pyproject.toml", "perfgate.toml", "option"):
                is_text = text.startswith(('"', "["))
                if source == "option" and not (
                    setting.has_option and is_text and setting.name not in ("enabled", "strict")
                ):
                    continue
                yield pytest.param(setting, source, text, said, id=f"{setting.name}-{source}-{text}")


@pytest.mark.parametrize(("setting", "source", "text", "said"), list(bad_combinations()))
def test_a_value_that_cannot_be_meant_is_told_with_its_source(tmp_path, setting, source, text, said):
    with pytest.raises(SettingsError) as caught:
        resolve(*give(tmp_path, setting, source, text))
    message = str(caught.value)
    place = {
        "pyproject.toml": f"{tmp_path / 'pyproject.toml'}: [tool.perfgate] {setting.name} = ",
        "perfgate.toml": f"{tmp_path / 'perfgate.toml'}: {setting.name} = ",
        "option": "--perfgate-" + setting.name.replace("_", "-") + " ",
    }[source]
    assert message.startswith(place)
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_regression": "5"}, '--perfgate-max-regression 5 is not a percentage; write "5%"'),
        ({"max_regression": "0.05"}, '--perfgate-max-regression 0.05 is not a percentage; write "5%"'),
        ({"profile": ""}, '--perfgate-profile "" is not the name of a profile, or "auto"'),
        ({"report": ["json=a", "junit"]}, "--perfgate-report json=a junit holds 'junit', which is not FORMAT=PATH"),
        ({"report": [""]}, '--perfgate-report "" is not FORMAT=PATH; write it like'),
        ({"report": ["junit"]}, "--perfgate-report junit is not FORMAT=PATH; write it like"),
        ({"baseline": "\t"}, "--perfgate-baseline '\\t' is not the path of a stored run"),
    ],
)
def test_a_mistake_on_the_command_line_is_shown_as_it_was_typed(options, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        resolve(FileSettings(), {}, options)


def test_a_mistake_is_found_although_a_stronger_source_covers_it(tmp_path):
    (tmp_path / "perfgate.toml").write_text("max_regression = 5\n")
    with pytest.raises(SettingsError, match="max_regression = 5"):
        resolve(read_settings_file(tmp_path), {}, {"max_regression": "5%"})


def test_an_option_that_nobody_reads_is_a_slip_of_the_caller():
    with pytest.raises(TypeError, match="max_tme"):
        resolve(FileSettings(), {}, {"max_tme": None})
    with pytest.raises(TypeError, match="marker"):
        resolve(FileSettings(), {}, {"marker": "x"})


def test_no_perfgate_is_stronger_than_the_file(tmp_path):
    (tmp_path / "perfgate.toml").write_text("enabled = true\n")
    file = read_settings_file(tmp_path)
    assert resolve(file, {}, {"enabled": None}).enabled
    assert not resolve(file, {}, {"enabled": False}).enabled
    assert resolve(FileSettings(), {}, {"enabled": True}).enabled


def test_profiles_keep_the_order_in_which_they_are_written(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        "[tool.perfgate.profiles.zebra]\nscale = 2\n"
        '[tool.perfgate.profiles.ant]\nmatch = {os = "linux"}\nmax_regression = "3%"\n'
        '[tool.perfgate.profiles.ant.budgets]\n"tests/*" = {ms = 5}\n'
    )
    zebra, ant = resolve(read_settings_file(tmp_path), {}, {}).profiles
    assert zebra == Profile(name="zebra", scale=2.0)
    assert ant == Profile(name="ant", match={"os": "linux"}, max_regression=0.03, budgets={"tests/*": {"ms": 5}})


def test_a_mistake_in_a_profile_names_the_file_and_the_profile(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.perfgate.profiles.mine]\nmatch = {core = 4}\n")
    with pytest.raises(ProfileError, match=r'^pyproject\.toml: profile "mine": "core" .* did you mean "cores"\?'):
        resolve(read_settings_file(tmp_path), {}, {})


def test_a_folder_without_configuration_has_no_settings(tmp_path):
    assert read_settings_file(tmp_path) == {}
    assert read_settings_file(tmp_path / "missing") == {}
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["pytest-perfgate"]\n')
    assert read_settings_file(tmp_path) == {}
    (tmp_path / "perfgate.toml").mkdir()
    assert read_settings_file(tmp_path) == {}


@pytest.mark.parametrize(
    "text",
    [
        "[tool.perfgate]\nstrict = true\n",
        "[tool]\nperfgate = {strict = true}\n",
        "tool.perfgate.strict = true\n",
        '["tool" . "perfgate"]\r\nstrict = true\r\n',
        '[project]\ndependencies = ["pytest-perfgate"]\n[tool.perfgate]\nstrict = true\n',
    ],
)
def test_the_table_is_found_however_it_is_written(tmp_path, text):
    (tmp_path / "pyproject.toml").write_bytes(text.encode())
    assert read_settings_file(tmp_path) == {"strict": True}


@pytest.mark.parametrize(
    "text",
    [
        "strict = true\n",
        "[tool.perfgate]\nstrict = true\n",
        "\N{ZERO WIDTH NO-BREAK SPACE}strict = true # saved by an editor\n",
    ],
)
def test_perfgate_toml_has_its_keys_at_the_top_or_in_the_table(tmp_path, text):
    (tmp_path / "perfgate.toml").write_text(text, "utf-8")
    assert read_settings_file(tmp_path) == {"strict": True}


def test_settings_in_both_files_are_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.perfgate]\nstrict = true\n")
    (tmp_path / "perfgate.toml").write_text("# nothing yet\n")
    assert read_settings_file(tmp_path) == {"strict": True}
    (tmp_path / "perfgate.toml").write_text("strict = true\n")
    with pytest.raises(
        SettingsError, match=r"configured twice: in .*perfgate\.toml and in \[tool\.perfgate\] of .*pyproject"
    ):
        read_settings_file(tmp_path)


def test_settings_at_the_top_and_in_the_table_of_perfgate_toml_are_refused(tmp_path):
    (tmp_path / "perfgate.toml").write_text("strict = true\n[tool.perfgate]\nenabled = true\n")
    with pytest.raises(SettingsError, match="at the top and in"):
        read_settings_file(tmp_path)


BAD_FILES = {
    "unfinished": (b"[tool.perfgate\n", ["not valid TOML", "line 1, column 15"]),
    "defined twice": (
        b"[tool.perfgate.profiles.a]\n[tool.perfgate.profiles.a]\n",
        ["not valid TOML", "line 2", "twice"],
    ),
    "not UTF-8": (b'[tool.perfgate]\nmarker = "\xe4"\n', ["not UTF-8", "0xe4", "line 2, column 11"]),
    "nested too deeply": (b"[tool.perfgate]\nreport = " + b"[" * 100_000, ["not valid TOML"]),
    "not a table": (b"[tool]\nperfgate = true\n", ["[tool.perfgate]"]),
    "a list of tables": (b"[[tool.perfgate]]\nstrict = true\n", ["not a table"]),
    "misspelt table": (b"[tool.pytest-perfgate]\nstrict = true\n", ["[tool.perfgate], not [tool.pytest-perfgate]"]),
    "misspelt key": (b"[tool.perfgate]\nmax_regresion = 1\n", ['"max_regresion"', 'did you mean "max_regression"?']),
    "key of an option": (b"[tool.perfgate]\nmax-time = '3s'\n", ['did you mean "max_time"?']),
    "word of another tool": (b"[tool.perfgate]\ntolerance = '3%'\n", ['did you mean "max_regression"?']),
    "key like none": (b"[tool.perfgate]\nquux = 1\n", ['"quux" is not a setting; known are enabled, marker,']),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), list(BAD_FILES.values()), ids=list(BAD_FILES))
def test_a_file_that_cannot_be_meant_is_told_with_its_name(tmp_path, data, words):
    (tmp_path / "pyproject.toml").write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        read_settings_file(tmp_path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "pyproject.toml"))
    assert [word for word in words if word not in message] == []


def test_a_broken_file_that_does_not_speak_of_perfgate_is_not_our_affair(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.other\n\xff")
    assert read_settings_file(tmp_path) == {}


@pytest.mark.parametrize("name", ["pyproject.toml", "perfgate.toml"])
def test_a_file_that_cannot_be_read_is_told_with_its_name(tmp_path, monkeypatch, name):
    def read_bytes(path):
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return b""

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(SettingsError, match=rf"{re.escape(name)} cannot be read: Permission denied"):
        read_settings_file(tmp_path)


@pytest.mark.parametrize(
    ("text", "options", "marker"),
    [
        ("", {}, "budget"),
        ("", {"enabled": True}, None),
        ("", {"enabled": False}, "budget"),
        ('marker = "limits"\n', {}, "limits"),
        ('marker = "limits"\nenabled = false\n', {"enabled": None, "profile": "x"}, "limits"),
        ("enabled = true\n", {}, None),
        ("enabled = true\n", {"enabled": False}, "budget"),
        ('max_regression = "what"\n', {}, "budget"),
    ],
)
def test_the_cheap_question_has_the_answer_of_the_full_one(tmp_path, text, options, marker):
    (tmp_path / "perfgate.toml").write_text(text)
    file = read_settings_file(tmp_path)
    assert idle_marker(file, options) == marker
    if "what" not in text:
        settings = resolve(file, {}, options)
        assert (None if settings.enabled else settings.marker) == marker


@pytest.mark.parametrize(("text", "word"), [("enabled = 1\n", "enabled = 1"), ('marker = "a b"\n', "marker")])
def test_an_idle_plugin_finds_mistakes_in_what_it_uses(tmp_path, text, word):
    (tmp_path / "perfgate.toml").write_text(text)
    with pytest.raises(SettingsError, match=word):
        idle_marker(read_settings_file(tmp_path), {})


@pytest.mark.parametrize(
    ("text", "heavy"),
    [
        ("[project]\nname = 'perf'\n", {"settings.file", "settings.table", "settings.layers", "errors"}),
        ('[tool.perfgate]\nmax_regression = "5%"\n[tool.perfgate.profiles.a]\nscale = 2\n', {"settings.layers"}),
    ],
)
def test_an_idle_project_imports_nothing_heavy(tmp_path, text, heavy):
    (tmp_path / "pyproject.toml").write_text(text)
    code = (
        "import sys, pathlib; from pytest_perfgate.settings import idle_marker, read_settings_file\n"
        "assert idle_marker(read_settings_file(pathlib.Path()), {}) == 'budget'\n"
        "print(*sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(pytest_perfgate.__file__).parent.parent)}
    command = [sys.executable, "-S", "-c", code] if sys.version_info >= (3, 11) else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    forbidden = {f"pytest_perfgate.{name}" for name in heavy | {"model", "units", "profiles"}}
    assert loaded & forbidden == set()
    assert "pytest_perfgate.settings" in loaded
    if "tool.perfgate" not in text:
        assert loaded & {"tomllib", "tomli", "dataclasses"} == set()


def test_a_name_that_settings_do_not_offer_is_an_attribute_error():
    with pytest.raises(AttributeError, match="resolv"):
        pytest_perfgate.settings.resolv  # noqa: B018  # asking is the point


def test_every_message_is_a_usage_error():
    assert issubclass(SettingsError, PerfgateError)
    assert issubclass(ProfileError, PerfgateError)
