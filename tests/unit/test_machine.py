"""What this machine is: control groups, CPU names, CI and git, each from a made-up tree or environment."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pytest_perfgate.machine import capacity, current_commit, current_machine, current_python, hosted_ci
from pytest_perfgate.machine.cgroups import cpu_quota, memory_limit_bytes
from pytest_perfgate.machine.processor import _output_of, cpu_model

GIB = 1024**3
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct"
V1_MEMORY = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
V1_GROUPS = "9:name=systemd:/\n4:memory:/jobs/one\n2:cpu,cpuacct:/jobs/one\n0::/\n"
NO_LIMIT = "9223372036854771712\n"


@pytest.fixture
def tree(tmp_path):
    """Write files below a made-up root: ``tree({"proc/self/cgroup": ...}) -> root``."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def v2(tree, files, *, group="/", mount=V2):
    return tree(
        {"proc/self/cgroup": f"0::{group}\n", "proc/self/mountinfo": f"22 1 8:1 / / rw - ext4 x rw\n{mount}\n", **files}
    )


def v1(tree, files, *, groups=V1_GROUPS, mounts=(V1_CPU, V1_MEMORY)):
    return tree({"proc/self/cgroup": groups, "proc/self/mountinfo": "\n".join(mounts), **files})


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert cpu_quota(tmp_path) is None
    assert memory_limit_bytes(tmp_path) is None


def test_version_2_limits_are_read_from_the_own_group(tree):
    root = v2(
        tree,
        {"sys/fs/cgroup/a/b/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/memory.max": f"{2 * GIB}\n"},
        group="/a/b",
    )
    assert cpu_quota(root) == 1.5
    assert memory_limit_bytes(root) == 2 * GIB


@pytest.mark.parametrize("limiting", ["", "a/", "a/b/"])
def test_the_smallest_limit_on_the_way_to_the_root_counts(tree, limiting):
    files = {}
    for folder in ("", "a/", "a/b/"):
        files[f"sys/fs/cgroup/{folder}cpu.max"] = "50000 100000" if folder == limiting else "400000 100000"
        files[f"sys/fs/cgroup/{folder}memory.max"] = f"{GIB if folder == limiting else 4 * GIB}"
    root = v2(tree, files, group="/a/b")
    assert cpu_quota(root) == 0.5
    assert memory_limit_bytes(root) == GIB


def test_the_limits_of_other_groups_do_not_count(tree):
    root = v2(
        tree,
        {
            "sys/fs/cgroup/a/cpu.max": "max 100000",
            "sys/fs/cgroup/a/below/cpu.max": "1000 100000",
            "sys/fs/cgroup/beside/cpu.max": "1000 100000",
            "sys/fs/cgroup/beside/memory.max": "4096",
        },
        group="/a",
    )
    assert cpu_quota(root) is None
    assert memory_limit_bytes(root) is None


@pytest.mark.parametrize(
    "text", ["max 100000", "max", "", "-1 100000", "0 100000", "100000 0", "many 100000", b"\xff\xfe"]
)
def test_a_quota_that_is_none_is_ignored(tree, text):
    assert cpu_quota(v2(tree, {"sys/fs/cgroup/cpu.max": text})) is None


@pytest.mark.parametrize("text", ["max", "", "0", "-1", "lots", b"\xff"])
def test_a_memory_limit_that_is_none_is_ignored(tree, text):
    assert memory_limit_bytes(v2(tree, {"sys/fs/cgroup/memory.max": text})) is None


def test_version_1_limits_are_read_from_the_mount_of_each_controller(tree):
    root = v1(
        tree,
        {
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us": "250000\n",
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT,
            "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": f"{3 * GIB}\n",
            "sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes": NO_LIMIT,
        },
    )
    assert cpu_quota(root) == 2.5
    assert memory_limit_bytes(root) == 3 * GIB


def test_version_1_without_limits_has_none(tree):
    root = v1(
        tree,
        {
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes": "9223372036854710272",  # pages of 64 KiB
        },
    )
    assert cpu_quota(root) is None
    assert memory_limit_bytes(root) is None


def test_a_version_1_container_sees_its_group_as_the_mount_whose_root_is_the_group(tree):
    one = "/docker/1ebedb"
    root = v1(
        tree,
        {
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000",
            "sys/fs/cgroup/cpu/nested/cpu.cfs_quota_us": "50000",
            "sys/fs/cgroup/cpu/nested/cpu.cfs_period_us": "50000",
        },
        groups=f"4:cpu:{one}/nested\n",
        mounts=[f"740 1 0:29 {one} /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu"],
    )
    assert cpu_quota(root) == 1.0
    (root / "proc/self/cgroup").write_text(f"4:cpu:{one}\n")
    assert cpu_quota(root) == 2.0


@pytest.mark.parametrize(
    ("group", "top"),
    [
        ("/system.slice/docker-1.scope", "/"),  # the path of the host, the tree of the container
        ("/../other", "/"),  # moved out of its own namespace
        ("/", "/../../.."),  # a namespace without a mount of its own
        ("/mine", "/another"),
    ],
)
def test_a_group_that_is_not_visible_is_taken_for_the_root_of_the_mount(tree, group, top):
    files = {"sys/fs/cgroup/cpu.max": "200000 100000", "sys/fs/cgroup/memory.max": f"{GIB}"}
    files["sys/fs/other/cpu.max"] = "1000 100000"  # outside the mount
    root = v2(tree, files, group=group, mount=V2.replace(" / /sys", f" {top} /sys"))
    assert cpu_quota(root) == 2.0
    assert memory_limit_bytes(root) == GIB


def test_a_mount_that_shows_another_part_of_the_tree_is_left_alone(tree):
    elsewhere = "31 23 0:26 /other /mnt/other rw - cgroup2 cgroup2 rw"
    files = {"mnt/other/cpu.max": "1000 100000", "sys/fs/cgroup/mine/cpu.max": "300000 100000"}
    assert cpu_quota(v2(tree, files, group="/mine", mount=f"{elsewhere}\n{V2}")) == 3.0


def test_mount_points_are_taken_from_mountinfo_with_their_escapes(tree):
    mount = r"31 23 0:26 / /run/c\040groups rw shared:1 master:2 - cgroup2 none rw"
    assert cpu_quota(v2(tree, {"run/c groups/cpu.max": "70000 100000"}, mount=mount)) == 0.7


@pytest.mark.parametrize("mountinfo", [None, "", "garbage\n1 2 - cgroup2\n - \n5 5 0:1 / relative rw - cgroup2 c rw\n"])
def test_without_a_readable_mountinfo_the_usual_places_are_looked_at(tree, mountinfo):
    files = {
        "proc/self/cgroup": "nonsense\n0::/\n",
        "sys/fs/cgroup/cpu.max": "150000 100000",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}",
    }
    root = tree(files if mountinfo is None else {**files, "proc/self/mountinfo": mountinfo})
    assert cpu_quota(root) == 1.5
    assert memory_limit_bytes(root) == GIB


def test_in_a_hybrid_layout_both_versions_are_looked_at(tree):
    unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"
    root = v1(
        tree,
        {
            "sys/fs/cgroup/unified/cpu.max": "200000 100000",
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us": "100000",
            "sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us": "100000",
        },
        mounts=[V1_CPU, V1_MEMORY, unified],
    )
    assert cpu_quota(root) == 1.0


@pytest.fixture
def hardware(monkeypatch):
    """Make psutil tell of 8 CPUs, 4 of them usable, and 16 GiB."""

    def set_up(affinity=(0, 1, 2, 3), battery=None):
        process = SimpleNamespace(cpu_affinity=lambda: list(affinity))
        monkeypatch.setattr(psutil, "Process", lambda: process)
        monkeypatch.setattr(psutil, "cpu_count", lambda: 8)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=16 * GIB))
        monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)

    set_up()
    return set_up


@pytest.mark.parametrize(("quota", "cores"), [("150000", 1.5), ("400000", 4), ("1600000", 4), ("max", 4)])
def test_cores_are_the_smaller_of_affinity_and_quota(tree, hardware, quota, cores):
    root = v2(tree, {"sys/fs/cgroup/cpu.max": f"{quota} 100000"})
    assert capacity(root=root) == cores
    machine = current_machine(root=root, environ={})
    assert machine.cores == cores
    assert isinstance(machine.cores, float)
    assert machine.cores_total == 8


@pytest.mark.parametrize(("limit", "usable"), [(f"{2 * GIB}", 2 * GIB), (f"{64 * GIB}", 16 * GIB), ("max", 16 * GIB)])
def test_memory_is_the_smaller_of_what_there_is_and_the_limit(tree, hardware, limit, usable):
    machine = current_machine(root=v2(tree, {"sys/fs/cgroup/memory.max": limit}), environ={})
    assert machine.memory_bytes == usable
    assert machine.memory_total_bytes == 16 * GIB


def test_where_there_is_no_affinity_all_cpus_count(tmp_path, hardware, monkeypatch):
    monkeypatch.setattr(psutil, "Process", SimpleNamespace)  # as on macOS
    assert capacity(root=tmp_path) == 8


@pytest.mark.parametrize(
    "error", [OSError("no /proc"), RuntimeError("odd"), psutil.AccessDenied(1), NotImplementedError()]
)
def test_psutil_that_cannot_tell_stops_nothing(tmp_path, monkeypatch, error):
    def fail():
        raise error

    for name in ("Process", "cpu_count", "virtual_memory", "sensors_battery"):
        monkeypatch.setattr(psutil, name, fail, raising=False)
    machine = current_machine(root=tmp_path, environ={})
    assert machine.cores >= 1
    assert machine.cores_total == (os.cpu_count() or 1)
    assert machine.memory_bytes == machine.memory_total_bytes == 0
    assert not machine.on_battery


def test_a_limit_is_known_even_where_the_total_is_not(tree, hardware, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=0))
    root = v2(tree, {"sys/fs/cgroup/memory.max": f"{GIB}"})
    assert current_machine(root=root, environ={}).memory_bytes == GIB


def test_a_warning_of_psutil_is_not_the_users_affair(tmp_path, hardware, monkeypatch):
    def warn():
        warnings.warn("no buffers in /proc/meminfo", RuntimeWarning, stacklevel=1)
        return SimpleNamespace(total=GIB)

    monkeypatch.setattr(psutil, "virtual_memory", warn)
    assert current_machine(root=tmp_path, environ={}).memory_bytes == GIB


@pytest.mark.parametrize(("plugged", "on_battery"), [(False, True), (True, False), (None, False)])
def test_a_machine_is_on_battery_only_when_that_is_sure(tmp_path, hardware, plugged, on_battery):
    hardware(battery=SimpleNamespace(power_plugged=plugged))
    assert current_machine(root=tmp_path, environ={}).on_battery is on_battery


def test_a_platform_without_battery_sensors_is_not_on_battery(tmp_path, hardware, monkeypatch):
    monkeypatch.delattr(psutil, "sensors_battery")
    assert not current_machine(root=tmp_path, environ={}).on_battery


def test_the_facts_of_this_machine_are_all_there():
    machine = current_machine()
    assert machine.os == {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    assert 0 < machine.cores <= machine.cores_total
    assert 0 < machine.memory_bytes <= machine.memory_total_bytes
    assert machine.cpu == " ".join(machine.cpu.split()) != ""
    assert machine.arch == platform.machine()
    assert machine.hostname == platform.node()


def arm(implementer, part, name=""):
    return f"{name}CPU implementer\t: {implementer}\nCPU variant\t: 0x3\nCPU part\t: {part}\n\n"


ARMV8 = "model name : ARMv8 Processor rev 0 (v8l)\n"
X86 = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763  64-Core   Processor \n"
CPUINFO = {
    "x86": (X86, "AMD EPYC 7763 64-Core Processor"),
    "arm server": (arm("0x41", "0xd49") * 4, "ARM Neoverse-N2"),
    "arm with two kinds of cores": (arm("0x41", "0xd03") + arm("0x41", "0xd09"), "ARM Cortex-A53 + ARM Cortex-A73"),
    "arm with a name for every model": (arm("0x48", "0xd01", ARMV8), "HiSilicon Kunpeng-920"),
    "arm of an unknown part": (arm("0x41", "0xfff"), "ARM part 0xfff"),
    "arm of an unknown implementer": (arm("0x99", "0x1"), "ARM implementer 0x99 part 0x1"),
    "arm with garbage": (arm("x", "y"), "ARM implementer x part y"),
    "power": ("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported"),
    "riscv": ("processor\t: 0\nhart\t: 1\nuarch\t: sifive,u74-mc\n", "sifive,u74-mc"),
    "loongarch": ("processor\t: 0\nModel Name\t: Loongson-3A5000\n", "Loongson-3A5000"),
    "old arm": ("Processor\t: ARM926EJ-S rev 5 (v5l)\nHardware : Versatile\n", "ARM926EJ-S rev 5 (v5l)"),
}


@pytest.mark.parametrize(("text", "name"), list(CPUINFO.values()), ids=list(CPUINFO))
def test_the_cpu_is_named_from_cpuinfo(tree, text, name):
    assert cpu_model(tree({"proc/cpuinfo": text})) == name


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these ask somewhere else next")
@pytest.mark.parametrize(
    "files", [{}, {"proc/cpuinfo": "processor : 0\nmodel name :\n"}, {"proc/cpuinfo": b"\xff\xfe\x00"}]
)
def test_a_cpu_without_a_name_is_called_by_its_architecture(tree, files, monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: pytest.fail("starts a program"))
    assert cpu_model(tree(files)) == platform.machine()


def test_a_program_that_is_missing_or_fails_names_nothing():
    assert _output_of("/no/such/program") == ""
    assert _output_of(sys.executable, "-c", "print('Some  CPU')").split() == ["Some", "CPU"]
    assert _output_of(sys.executable, "-c", "raise SystemExit(1)") == ""


CI = {
    "GITHUB_ACTIONS": ("true", "github-actions"),
    "GITLAB_CI": ("true", "gitlab"),
    "CIRCLECI": ("true", "circleci"),
    "TF_BUILD": ("True", "azure-pipelines"),
    "JENKINS_URL": ("https://ci.example", "jenkins"),
    "BUILDKITE": ("true", "buildkite"),
    "TRAVIS": ("true", "travis"),
    "DRONE": ("true", "drone"),
    "BITBUCKET_BUILD_NUMBER": ("12", "bitbucket-pipelines"),
    "TEAMCITY_VERSION": ("2025.3", "teamcity"),
    "APPVEYOR": ("True", "appveyor"),
    "CODEBUILD_BUILD_ID": ("project:1", "codebuild"),
    "CI": ("1", "ci"),
}


@pytest.mark.parametrize("variable", list(CI))
def test_a_hosted_ci_is_known_by_its_variable(variable):
    value, name = CI[variable]
    assert hosted_ci({variable: value}) == name
    assert hosted_ci({variable: value, "CI": "true"}) == name
    assert hosted_ci({variable: ""}) is None
    assert hosted_ci({variable: "false"}) is None


def test_no_ci_is_none():
    assert hosted_ci({}) is None
    assert hosted_ci({"CI_SOMETHING": "true"}) is None


@pytest.mark.parametrize("no", ["false", "False", "0", "no", " off "])
def test_ci_false_is_a_persons_word_that_this_is_no_ci(no):
    assert hosted_ci({"CI": no}) is None
    assert hosted_ci({"CI": no, "GITHUB_ACTIONS": "true"}) is None


def test_the_machine_takes_its_ci_from_the_environment(tmp_path, hardware, monkeypatch):
    assert current_machine(root=tmp_path, environ={"DRONE": "true"}).ci == "drone"
    for variable in CI:
        monkeypatch.delenv(variable, raising=False)
    assert current_machine(root=tmp_path).ci is None
    monkeypatch.setenv("BUILDKITE", "true")
    assert current_machine(root=tmp_path).ci == "buildkite"


@pytest.mark.parametrize(
    ("no_gil", "debug", "build"), [(0, 0, ""), (1, 0, "free-threaded"), (0, 1, "debug"), (1, 1, "free-threaded debug")]
)
def test_builds_that_cannot_be_compared_are_told_apart(monkeypatch, no_gil, debug, build):
    monkeypatch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": no_gil, "Py_DEBUG": debug}.get)
    monkeypatch.delattr(sys, "gettotalrefcount", raising=False)
    python = current_python()
    assert python.build == build
    assert python.version == platform.python_version()
    assert python.implementation == platform.python_implementation()


def test_a_debug_build_is_known_by_its_reference_counts_as_well(monkeypatch):
    monkeypatch.setattr(sysconfig, "get_config_var", {}.get)
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 1, raising=False)
    assert current_python().build == "debug"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository without a commit, and a function that runs git in it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*args):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *args]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("init", "-q")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git")
    git("symbolic-ref", "HEAD", "refs/heads/feature/x(1)")
    return tmp_path, git


def test_the_commit_has_an_id_a_branch_and_says_whether_files_differ(repository):
    folder, git = repository
    (folder / "a.py").write_text("a = 1\n")
    git("add", "a.py")
    git("commit", "-qm", "first")
    clean = {"id": git("rev-parse", "HEAD"), "branch": "feature/x(1)", "dirty": False}
    (folder / "report.json").write_text("{}")  # untracked: made by the run itself, as often as not
    assert current_commit(folder) == clean
    (folder / "sub").mkdir()
    (folder / "a.py").write_text("a = 2\n")
    assert current_commit(folder / "sub") == {**clean, "dirty": True}


def test_a_detached_commit_has_no_branch(repository):
    folder, git = repository
    git("commit", "-qm", "first", "--allow-empty")
    git("checkout", "-q", "--detach")
    assert current_commit(folder) == {"id": git("rev-parse", "HEAD"), "branch": None, "dirty": False}


def test_a_hook_of_another_repository_does_not_answer_for_this_one(repository, monkeypatch):
    folder, git = repository
    git("commit", "-qm", "first", "--allow-empty")
    there = current_commit(folder)
    monkeypatch.setenv("GIT_DIR", str(folder / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(folder / "nothing"))
    assert current_commit(folder) == there is not None


def test_before_the_first_commit_there_is_none(repository):
    assert current_commit(repository[0]) is None


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert current_commit(tmp_path) is None
    assert current_commit(tmp_path / "missing") is None
    assert current_commit(Path("nul\0l")) is None


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert current_commit(tmp_path) is None


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("git", 5), PermissionError("no")])
def test_a_git_that_hangs_or_cannot_be_run_gives_no_commit(tmp_path, monkeypatch, error):
    def run(*args, timeout, **kwargs):
        assert timeout <= 10
        raise error

    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/git")
    monkeypatch.setattr(subprocess, "run", run)
    assert current_commit(tmp_path) is None
