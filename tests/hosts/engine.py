# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""podman with settings and storage of its own: nothing below /etc/containers is read or written."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

from .machine import RigError, cache_root

#: Networks of hosts are taken from here, the first that nobody uses.
SUBNETS = "10.98.0.0/16"
_CONFIG = """\
# Written by tests/hosts; changes are lost.
[containers]
base_hosts_file = "none"
cgroupns = "private"
default_ulimits = []
log_driver = "k8s-file"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
static_dir = "{storage}/libpod"
tmp_dir = "{run}/libpod"
volume_path = "{storage}/volumes"

[network]
network_backend = "netavark"
network_config_dir = "{storage}/networks"
default_subnet_pools = [{{"base" = "{subnets}", "size" = 24}}]
"""
_STORAGE = """\
# Written by tests/hosts; changes are lost.
[storage]
driver = "overlay"
graphroot = "{storage}"
runroot = "{run}/storage"
"""
RUN = Path("/run/k8s-self-provisioning-hosts")


def configure() -> dict[str, str]:
    """Write the configuration, and return the environment in which podman uses it."""
    root = cache_root()
    (root / "storage").mkdir(parents=True, exist_ok=True)
    values = {"storage": root / "storage", "run": RUN, "subnets": SUBNETS}
    files = {"containers.conf": _CONFIG, "storage.conf": _STORAGE}
    for name, text in files.items():
        content = text.format(**values)
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
    conf, storage = str(root / "containers.conf"), str(root / "storage.conf")
    return {**os.environ, "CONTAINERS_CONF": conf, "CONTAINERS_STORAGE_CONF": storage}


def podman(*arguments: str, check: bool = True, given: str | None = None) -> str:
    """Run podman, and return what it printed."""
    command = ["podman", *arguments]
    result = subprocess.run(command, env=configure(), input=given, capture_output=True, text=True, check=False)
    if check and result.returncode:
        raise RigError(f"{' '.join(command)} failed ({result.returncode}):\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


def listed(*arguments: str) -> list[dict[str, t.Any]]:
    """Run a podman command that prints a JSON list."""
    found: list[dict[str, t.Any]] = json.loads(podman(*arguments, "--format", "json") or "[]")
    return found or []
