# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run `ansible-test sanity` on a copy of the checkout; arguments are passed on (`--test pep8`, a file name ...).

ansible-test insists on a folder `ansible_collections/k8s/self_provisioning`, links do not count: so the files that Git
knows or would take are copied below .cache/sanity. It also gets its own HOME there, for two reasons:

- it hides pip's environment variables from the pip that it runs, so pip's settings are written to that home;
- it downloads a get-pip script from a host of its own, unless that is cached: a stand-in that installs the same pip
  from the package index is put in the cache.

ansible-test's virtual environments are kept there as well, so that only the first run is slow.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / ".cache" / "sanity"
HOME = SCRATCH / "home"
TREE = SCRATCH / "ansible_collections" / "k8s" / "self_provisioning"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SKIPPED = {"pslint": "needs PowerShell, and there is no PowerShell code here"}
#: Rendered trees and broken inventories are data: read by tests, not linted.
DATA = ("tests/golden/", "tests/unit/model/corpus/")

GET_PIP = '''"""Stand-in for get-pip: install pip from the index that pip is configured for."""
import runpy
import sys
sys.path.insert(0, {wheel!r})
sys.argv[1:] = ["install", "--disable-pip-version-check", "pip=={version}"]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def main() -> int:
    """Copy, prepare, run."""
    files = copy_files()
    write_pip_config()
    seed_get_pip()
    print(f"sanity: {files} files, Python {PYTHON}, environments in {HOME.relative_to(ROOT)}", flush=True)
    for test, reason in SKIPPED.items():
        print(f"sanity: {test} is left out: it {reason}", flush=True)
    command = ["ansible-test", "sanity", "--python", PYTHON, "--color", "no"]
    command += [part for test in SKIPPED for part in ("--skip-test", test)]
    environment = {**os.environ, "HOME": str(HOME)}
    return subprocess.run([*command, *sys.argv[1:]], cwd=TREE, env=environment, check=False).returncode


def copy_files() -> int:
    """Copy what Git has or would take, and return the number of files."""
    listing = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    if TREE.exists():
        shutil.rmtree(TREE)
    count = 0
    for name in filter(None, listing.split("\0")):
        source, target = ROOT / name, TREE / name
        if (name.startswith(DATA) and not name.endswith(".py")) or not os.path.lexists(source):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
        count += 1
    # ansible-test asks Git which files there are, and to the checkout's own repository everything in .cache is ignored
    subprocess.run(["git", "init", "--quiet", str(TREE)], check=True)
    return count


def write_pip_config() -> None:
    """Write pip's effective settings (files and environment, the latter wins) where ansible-test's pip finds them."""
    listing = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    settings: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        key, value = line.split("=", 1)
        settings[key.rpartition(".")[2]] = ast.literal_eval(value)
    certificates = os.environ.get("SSL_CERT_FILE")
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    for key, fallback in (("cert", certificates), ("proxy", proxy)):
        if fallback:
            settings.setdefault(key, fallback)
    settings.pop("config-file", None)
    settings["cache-dir"] = subprocess.check_output([sys.executable, "-m", "pip", "cache", "dir"], text=True).strip()
    parser = configparser.RawConfigParser()
    parser["global"] = settings
    path = HOME / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # an index address may hold a password
    with path.open("w", encoding="utf-8") as handle:
        parser.write(handle)


def seed_get_pip() -> None:
    """Put the stand-in where ansible-test caches the script that it would download."""
    version = get_venv_packages(SimpleNamespace(version=PYTHON))["pip"]
    cache = HOME / ".ansible" / "test" / "cache"
    wheel = cache / f"pip-{version}-py3-none-any.whl"
    if not wheel.exists():
        cache.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*download, "--dest", str(cache), f"pip=={version}"], check=True)
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text(GET_PIP.format(wheel=str(wheel), version=version), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
