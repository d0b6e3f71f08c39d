"""``dist:``: a release against the project it is made from, or against what is installed."""

from __future__ import annotations

import pytest
from checkouts import nowhere, only_wheels_in, run, write_wheel

from pytest_perfgate.errors import AgainstError
from pytest_perfgate.paired.environment import prepared
from pytest_perfgate.paired.environment.distributions import read_requirement


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of two releases that pip looks in, and in nothing else."""
    for name, value in only_wheels_in(tmp_path / "index").items():
        monkeypatch.setenv(name, value)
    for version in ("1.0", "2.0"):
        write_wheel(
            tmp_path / "index", version, {"pkg/__init__.py": f"V = {version!r}", "_pkg_fast.py": f"V = {version!r}"}
        )
    return tmp_path / "index"


def test_a_release_against_the_project(index, repository, both):
    repository.commit({"pyproject.toml": '[project]\nname = "Probe.Dist"\n', "src/pkg/__init__.py": "V = 'tree'"})
    said = []
    assert both("pkg", "pkg.V", "dist:probe-dist==1.0", say=said.append) == ["1.0", "tree"]
    base, head = both("_pkg_fast", "_pkg_fast.V", "dist:probe-dist==1.0", say=said.append)
    assert (base, head) == ("1.0", "ModuleNotFoundError: No module named '_pkg_fast' in head (the working tree)")
    assert said == ["installing probe-dist==1.0 ..."]


def test_a_release_against_what_is_installed(index, tmp_path, monkeypatch):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name, text in write_wheel(tmp_path, "2.0", {"pkg/__init__.py": "V = '2.0'", "pkg/data.txt": ""}).items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    code = (
        "import pkg, importlib.metadata as m; print(pkg.V, m.version('probe-dist'), len(list(m.files('probe-dist'))))"
    )
    with prepared("dist:probe-dist<2", root=elsewhere) as sides:
        assert [run(side, code)[:7] for side in (sides.base, sides.head)] == ["1.0 1.0", "2.0 2.0"]
        assert (sides.base.label, sides.head.label) == ("probe-dist 1.0", "probe-dist 2.0 as installed")
        assert sides.base.roots == ("_pkg_fast", "pkg")
        assert sides.head.missing == ("_pkg_fast",)
        assert (sides.head.location / "pkg" / "data.txt").exists()


@pytest.mark.parametrize(
    ("text", "name", "pinned"),
    [
        ("yarl==1.9.2", "yarl", True),
        ("yarl == 1.9.2", "yarl", True),
        ("yarl===1.9", "yarl", True),
        ("zope.interface[test]>=5,<6", "zope.interface", False),
        ("yarl==1.*", "yarl", False),
        ("yarl", "yarl", False),
        ("yarl @ file:///x.whl", "yarl", False),
    ],
)
def test_requirements(text, name, pinned):
    wanted = read_requirement(text)
    assert (wanted.name, wanted.pinned) == (name, pinned)


@pytest.mark.parametrize("text", ["", "==1", "yarl==", "-r x", "yarl 1.9", "--target=/", "a/b", "yarl=1.9"])
def test_what_is_no_requirement(text, tmp_path):
    with (
        pytest.raises(AgainstError, match="names no distribution; write dist:NAME==VERSION"),
        prepared(f"dist:{text}", root=tmp_path),
    ):
        pass


def test_a_release_that_does_not_exist(index, tmp_path, runs):
    with pytest.raises(AgainstError) as raised, prepared("dist:probe-dist==7", root=tmp_path, locate=nowhere):
        pass
    assert str(raised.value).startswith("dist:probe-dist==7 cannot be installed on this Python; check name and version")
    assert "No matching distribution found for probe-dist==7" in str(raised.value)
    assert runs() == []


def test_a_release_of_what_is_not_here(index, tmp_path):
    with (
        pytest.raises(AgainstError, match="neither this project nor installed here"),
        prepared("dist:probe-dist==1.0", root=tmp_path, locate=nowhere),
    ):
        pass


def test_a_release_for_another_python(index, tmp_path):
    write_wheel(index, "3.0", {"pkg/__init__.py": ""}, requires="Requires-Python: >=9\n")
    with (
        pytest.raises(AgainstError, match="cannot be installed on this Python"),
        prepared("dist:probe-dist==3.0", root=tmp_path),
    ):
        pass


def test_a_release_of_another_project_than_the_one_under_test(index, repository, runs):
    repository.commit({"pyproject.toml": '[project]\nname = "distpkg"\n', "src/own/__init__.py": ""})
    with pytest.raises(AgainstError) as raised, prepared("dist:probe-dist==1.0", root=repository.path, locate=nowhere):
        pass
    assert str(raised.value) == (
        "probe-dist is not the project under test, distpkg, and holds none of its packages (own); write "
        "dist:distpkg==VERSION, or, to compare probe-dist itself, "
        '[tool.perfgate] packages = ["_pkg_fast", "pkg"]'
    )
    assert runs() == []


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        ({"src/own/__init__.py": ""}, ["pkg"]),  # the user says what is meant
        ({"src/pkg/__init__.py": ""}, []),  # the project by its former name
        ({"tests/test_it.py": ""}, []),  # a suite without code of its own
    ],
)
def test_a_release_of_another_name_that_may_be_meant(index, repository, tmp_path, monkeypatch, files, packages):
    repository.commit({"pyproject.toml": '[project]\nname = "distpkg"\n', **files})
    site = tmp_path / "site"
    for name, text in write_wheel(tmp_path, "2.0", {"pkg/__init__.py": "V = '2.0'"}).items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    with prepared("dist:probe-dist==1.0", root=repository.path, locate=nowhere, packages=packages) as sides:
        assert sides.head.label == "probe-dist 2.0 as installed"
