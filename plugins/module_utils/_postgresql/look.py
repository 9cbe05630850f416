# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host that is going to be, or is, a database host."""

from __future__ import annotations

import glob
import hashlib
import os
import pwd
import re
import typing as t

from .._hosts import look_network, look_storage, look_system, read, services

#: What each distribution brings.
VERSIONS = {("debian", "12"): "15", ("ubuntu", "22.04"): "14", ("ubuntu", "24.04"): "16"}
#: And of Patroni; for a host that has no lists of packages yet.
_PATRONI = {("debian", "12"): "3.0.2", ("ubuntu", "22.04"): "2.1.2", ("ubuntu", "24.04"): "3.2.2"}
#: Before, a leader whose lease has run out while it stood still overwrites its successor's key in etcd's API 3, whose
#: commits are then lost. With API 2 it compares first.
_COMPARES = (3, 0, 3)
_CANDIDATE = re.compile(r"^(\S+):$|^  Candidate: (\S+)$", re.MULTILINE)


def look(
    expect: t.Mapping[str, t.Any],
    packages: list[str],
    paths: list[str],
    expected: t.Mapping[str, t.Mapping[str, t.Any]],
) -> dict[str, t.Any]:
    """Everything that the preflight and the role want to know.

    @param packages: names of packages; those of several distributions may be among them.
    @param paths: paths whose file systems to look at.
    """
    system = look_system.look("", packages, {}, [])
    network = look_network.look([], {}, [], 22, "", 1)
    storage = look_storage.look(paths, "/var/lib/etcd", 0)
    version = expect.get("version") or VERSIONS.get(_system(system["os"]), "")
    data = expect.get("data") or f"/var/lib/postgresql/{version}/{expect.get('cluster', '')}"
    folder = expect.get("folder", "")
    candidates = _candidates(packages)
    patroni = system["packages"].get("patroni") or candidates.get("patroni") or _PATRONI.get(_system(system["os"]), "")
    config = read.text("/etc/patroni/config.yml")
    return {
        **{key: system[key] for key in ("uid", "os", "cores", "memory_mib", "packages", "time")},
        **{key: network[key] for key in ("interfaces", "default", "listening")},
        "version": version,
        "data_folder": data,
        "filesystems": storage["filesystems"],
        "candidates": candidates,
        "services": services.states(expected),
        "patroni": patroni,
        "etcd_api": {"used": _etcd_api(config), "safe": safe_etcd_api(patroni)},
        "package_lists": bool(glob.glob("/var/lib/apt/lists/*Packages*")),
        "ca": _digest(f"{folder}/ca.crt"),
        "secret": _digest(f"{folder}/secret"),
        "data": os.path.exists(f"{data}/PG_VERSION"),
        "etcd_data": os.path.isdir(f"/var/lib/etcd/{expect.get('cluster', '')}/member"),
        "other_data": [
            os.path.dirname(each)
            for each in sorted(glob.glob("/var/lib/postgresql/*/*/PG_VERSION"))
            if os.path.dirname(each) != data and ".before-" not in each
        ],
        "scope": _scope(config),
        "postgres_uid": _uid("postgres"),
        "watchdog": os.path.exists("/dev/watchdog"),
        "folders": {path: os.path.isdir(path) for path in expect.get("folders", ())},
    }


def safe_etcd_api(patroni: str) -> str:
    """The API of etcd, as Patroni's settings call it, in which this version of Patroni overwrites no other leader."""
    numbers = tuple(map(int, re.findall(r"[0-9]+", patroni.partition("-")[0])[:3]))
    return "etcd3" if numbers >= _COMPARES else "etcd"


def _system(system: t.Mapping[str, str]) -> tuple[str, str]:
    return system["id"], system["version"]


def _etcd_api(config: str) -> str:
    found = re.search(r"^(etcd3?):", config, re.MULTILINE)
    return found[1] if found else ""


def _candidates(packages: list[str]) -> dict[str, str]:
    """The version that would be installed of each package; nothing for one that does not exist here."""
    found, name = {}, ""
    for match in _CANDIDATE.finditer(read.run("apt-cache", "policy", *packages) if packages else ""):
        if match[1]:
            name = match[1]
        elif match[2] != "(none)":
            found[name] = match[2]
    return found


def _digest(path: str) -> str:
    content = read.text(path)
    return hashlib.sha256(content.encode()).hexdigest()[:16] if content else ""


def _scope(config: str) -> str:
    found = re.search(r"^scope: *[\"']?([^\"'\n]+)", config, re.MULTILINE)
    return found[1] if found else ""


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
