"""The model name of the CPU, from wherever the operating system keeps it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_ROOT = Path("/")
#: Keys of /proc/cpuinfo that hold a name: x86, LoongArch; MIPS; RISC-V; POWER; old ARM kernels.
_NAME_KEYS = ("model name", "cpu model", "uarch", "cpu", "processor")
#: CPU part by implementer.  Source: Linux, arch/arm64/include/asm/cputype.h; only what servers, boards and
#: laptops that run tests are made of, everything else keeps its numbers.
_ARM = {
    0x41: (
        "ARM",
        {
            0xD03: "Cortex-A53",
            0xD05: "Cortex-A55",
            0xD07: "Cortex-A57",
            0xD08: "Cortex-A72",
            0xD09: "Cortex-A73",
            0xD0A: "Cortex-A75",
            0xD0B: "Cortex-A76",
            0xD0C: "Neoverse-N1",
            0xD40: "Neoverse-V1",
            0xD41: "Cortex-A78",
            0xD44: "Cortex-X1",
            0xD49: "Neoverse-N2",
            0xD4F: "Neoverse-V2",
        },
    ),
    0x42: ("Broadcom", {}),
    0x43: ("Cavium", {0x0AF: "ThunderX2"}),
    0x46: ("Fujitsu", {0x001: "A64FX"}),
    0x48: ("HiSilicon", {0xD01: "Kunpeng-920"}),
    0x4E: ("NVIDIA", {0x004: "Carmel"}),
    0x51: ("Qualcomm", {}),
    0x61: ("Apple", {0x022: "Icestorm-M1", 0x023: "Firestorm-M1", 0x032: "Blizzard-M2", 0x033: "Avalanche-M2"}),
    0xC0: ("Ampere", {0xAC3: "Ampere-1", 0xAC4: "Ampere-1A"}),
}


def cpu_model(root: Path = _ROOT) -> str:
    """Name the CPU.

    Args:
        root: Where ``proc`` is looked for.

    Returns:
        The model with its blanks made single; the bare architecture where nothing else is known.
    """
    sources: list[Callable[[], str]] = [lambda: _from_cpuinfo(root), _from_sysctl, _from_registry, _last_resort]
    names = (" ".join(source().split()) for source in sources)
    return next((name for name in names if name), "")


def _from_cpuinfo(root: Path) -> str:
    try:
        text = (root / "proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = [
        (key.strip().lower(), value.strip()) for key, _, value in (line.partition(":") for line in text.split("\n"))
    ]
    # 64-bit ARM kernels that run 32-bit programs write "ARMv8 Processor" as the name of every model.
    return " + ".join(dict.fromkeys(_arm_names(fields))) or _named(fields)


def _arm_names(fields: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the model of each core in turn; chips with two kinds of cores are common."""
    implementer = ""
    for key, value in fields:
        if key == "cpu implementer":
            implementer = value
        elif key == "cpu part" and implementer:
            yield _arm_name(implementer, value)


def _arm_name(implementer: str, part: str) -> str:
    try:
        vendor, parts = _ARM.get(int(implementer, 16), (f"ARM implementer {implementer}", {}))
        return f"{vendor} {parts.get(int(part, 16), f'part {part}')}"
    except ValueError:
        return f"ARM implementer {implementer} part {part}"


def _named(fields: list[tuple[str, str]]) -> str:
    """Find a name under the keys that hold one; ``processor: 0`` only counts."""
    for wanted in _NAME_KEYS:
        for key, value in fields:
            if key == wanted and value and not value.isdecimal():
                return value
    return ""


def _from_sysctl() -> str:
    if sys.platform == "darwin":
        return _output_of("/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string")
    return ""


def _output_of(*command: str) -> str:
    import subprocess  # noqa: PLC0415  # needed on macOS only

    try:
        done = subprocess.run(  # noqa: S603  # a fixed command
            command, capture_output=True, text=True, errors="replace", timeout=2, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _from_registry() -> str:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415  # exists on Windows only

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
        except OSError:
            return ""
    return ""


def _last_resort() -> str:
    # Elsewhere platform.processor() starts a program, which says no more than the architecture.
    return (platform.processor() if sys.platform == "win32" else "") or platform.machine()
