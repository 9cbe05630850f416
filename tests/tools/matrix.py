# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit and golden tests on every Python and ansible-core that can be installed here.

    matrix.py                     every pair
    matrix.py --only 3.12-2.20    pairs whose name contains the text

Interpreters: python3.10 and newer on PATH, pyenv's and uv's. Every pair has an environment of its own in .cache/matrix.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "matrix"
REQUIREMENTS = ("requirements.txt", "tests/unit/requirements.txt")
TESTS = ("tests/unit", "tests/golden")
LOWEST_PYTHON = (3, 10)
LOWEST_CORE = (2, 17)
Version = tuple[int, ...]


def main() -> int:
    """Run all pairs, print the table, and say whether any failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run only pairs whose name contains this text")
    only = parser.parse_args().only
    pythons = find_pythons()
    cores = {python: installable_cores(python) for python in pythons}
    every_core = sorted(set(itertools.chain.from_iterable(cores.values())))
    results: dict[tuple[Version, Version], str] = {}
    for python, core in itertools.product(pythons, every_core):
        if core not in cores[python]:
            results[python, core] = "not installable"
        elif only in f"{text(python)}-{text(core)}":
            results[python, core] = run_pair(python, pythons[python], core)
        else:
            results[python, core] = "not asked for"
    print_table(list(pythons), every_core, results)
    ran = [result for result in results.values() if result.startswith(("passed", "FAILED"))]
    if not ran:
        print("matrix: no pair was run", file=sys.stderr)
    return 0 if ran and not any(result.startswith("FAILED") for result in ran) else 1


def find_pythons() -> dict[Version, str]:
    """The interpreters of this machine by version (major, minor)."""
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local" / "share" / "uv" / "python"))
    candidates = [path for minor in range(10, 30) if (path := shutil.which(f"python3.{minor}"))]
    candidates += [sys.executable, *map(str, sorted(pyenv.glob("versions/3.*/bin/python3")))]
    candidates += map(str, sorted(uv.glob("cpython-3.*/bin/python3")))
    found: dict[Version, str] = {}
    probe = "import ssl, sys, venv; print(sys.version_info[0], sys.version_info[1], sys.version_info[3] == 'final')"
    for candidate in candidates:
        result = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, check=False)
        if result.returncode == 0:
            major, minor, final = result.stdout.split()
            version = (int(major), int(minor))
            if version >= LOWEST_PYTHON and final == "True":
                found.setdefault(version, candidate)
    return dict(sorted(found.items()))


def installable_cores(python: Version) -> list[Version]:
    """The minors of ansible-core that the package index has for a Python."""
    command = [sys.executable, "-m", "pip", "index", "versions", "ansible-core", "--only-binary=:all:"]
    output = subprocess.check_output([*command, "--python-version", text(python)], text=True, stderr=subprocess.DEVNULL)
    listed = re.search(r"^Available versions: (.*)$", output, re.MULTILINE)
    if not listed:
        raise SystemExit(f"matrix: pip lists no ansible-core for Python {text(python)}:\n{output}")
    minors = {tuple(int(part) for part in version.split(".")[:2]) for version in listed[1].split(", ")}
    return sorted(minor for minor in minors if minor >= LOWEST_CORE)


def run_pair(python: Version, interpreter: str, core: Version) -> str:
    """Set up one environment if needed and run the tests in it."""
    name = f"py{text(python)}-core{text(core)}"
    print(f"\n=== {name}", flush=True)
    began = time.monotonic()
    venv = CACHE / name
    problem = set_up(venv, interpreter, core)
    if problem:
        return "FAILED set-up"
    ready = time.monotonic()
    environment = {**os.environ, "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = [str(venv / "bin" / "python"), "-m", "pytest", "-q", "-o", f"cache_dir={venv / 'pytest'}", *TESTS]
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print(f"--- {name}: set-up {ready - began:.0f} s, tests {time.monotonic() - ready:.0f} s", flush=True)
    return "passed" if code == 0 else f"FAILED ({code})"


def set_up(venv: Path, interpreter: str, core: Version) -> int:
    """Make the environment unless it is there with the same requirements; return pip's exit code."""
    requirements = [f"ansible-core=={text(core)}.*", *itertools.chain(*(("-r", name) for name in REQUIREMENTS))]
    content = b"".join((ROOT / name).read_bytes() for name in REQUIREMENTS) + f"{ROOT} {interpreter}".encode()
    wanted = hashlib.sha256(content).hexdigest()
    stamp = venv / "matrix.stamp"
    if stamp.exists() and stamp.read_text() == wanted and (venv / "bin" / "python").exists():
        return 0
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([interpreter, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "--quiet"]
    code = subprocess.run([*pip, *requirements], cwd=ROOT, check=False).returncode
    if code == 0:
        stamp.write_text(wanted)
    return code


def print_table(pythons: list[Version], cores: list[Version], results: dict[tuple[Version, Version], str]) -> None:
    """One row a Python, one column an ansible-core."""
    print("\n" + f"{'':12}" + "".join(f"{'core ' + text(core):18}" for core in cores))
    for python in pythons:
        print(f"python {text(python):5}" + "".join(f"{results[python, core]:18}" for core in cores))


def text(version: Version) -> str:
    """(3, 11) as 3.11."""
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
