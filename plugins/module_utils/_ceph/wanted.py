# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be on a Ceph cluster, compared with what is there. Nothing that holds data is ever removed."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .command import Ceph, CephError

Item = Mapping[str, t.Any]
_SECONDS = 60.0


@dataclass
class Step:
    """One change: words for people, what is to be run, and how the thing was and will be."""

    what: str
    run: Callable[[], None]
    before: str = ""
    after: str = ""


@dataclass
class Plan:
    """What would be changed, and why it cannot."""

    steps: list[Step] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Look:
    """What is there, asked once."""

    def __init__(self, ceph: Ceph) -> None:
        self.pools = {each["pool_name"]: each for each in ceph.ask("osd", "pool", "ls", "detail")}
        self.filesystems = {each["name"]: each for each in ceph.ask("fs", "ls")}


def plan(ceph: Ceph, pools: list[Item], filesystems: list[Item], users: list[Item]) -> Plan:
    """The changes in their order: pools, file systems in them, users with rights to them."""
    result, look = Plan(), Look(ceph)
    for each in pools:
        _pool(ceph, look, each, result)
    for each in filesystems:
        _filesystem(ceph, look, each, result)
    for each in users:
        _user(ceph, each, result)
    return result


def removal(ceph: Ceph, users: list[Item]) -> Plan:
    """Users go. Pools, file systems and what is in them stay."""
    result = Plan()
    for each in users:
        name = each["name"]
        if _caps(ceph, name) is not None:
            result.steps.append(
                Step(f"user {name} removed", _doing(ceph, "auth", "del", name), before=f"{name}\n", after="")
            )
    return result


def keys(ceph: Ceph, users: list[str]) -> tuple[dict[str, str], list[str]]:
    """The key of each user, and those users that there are not."""
    found, missing = {}, []
    for name in users:
        answer = ceph.ask("auth", "get", name)
        if answer:
            found[name] = str(answer[0]["key"])
        else:
            missing.append(name)
    return found, missing


def _doing(ceph: Ceph, *words: str) -> Callable[[], None]:
    return lambda: ceph.do(*words)


def _pool(ceph: Ceph, look: Look, wanted: Item, result: Plan) -> None:
    name, application = wanted["name"], wanted.get("application") or "rbd"
    found = look.pools.get(name)
    if found is None:
        result.steps.append(
            Step(f"pool {name} created", _doing(ceph, *_create(name, wanted)), after=f"pool {name} for {application}\n")
        )
    elif found.get("application_metadata") and application not in found["application_metadata"]:
        owner = ", ".join(found["application_metadata"])
        result.findings.append(
            f"the pool {name} belongs to {owner}, not to {application}. Name another pool: their data must stay apart."
        )
        return
    size = wanted.get("size")
    if size and (found is None or found["size"] != size):
        before = "" if found is None else f"{name}: size {found['size']}\n"
        words = ("osd", "pool", "set", name, "size", str(size))
        # With one copy Ceph asks for a promise that the loss of data is accepted.
        sure = ("--yes-i-really-mean-it",) if size == 1 else ()
        step = Step(f"pool {name}: size {size}", _doing(ceph, *words, *sure), before, f"{name}: size {size}\n")
        result.steps.append(step)
    if found is None or not found.get("application_metadata"):

        def enable() -> None:
            ceph.do("osd", "pool", "application", "enable", name, application)
            if application == "rbd":
                ceph.init_pool(name)

        result.steps.append(Step(f"pool {name} prepared for {application}", enable, after=f"{name}: {application}\n"))


def _create(name: str, wanted: Item) -> list[str]:
    words = ["osd", "pool", "create", name]
    return [*words, str(wanted["pg_num"])] if wanted.get("pg_num") else words


def _filesystem(ceph: Ceph, look: Look, wanted: Item, result: Plan) -> None:
    name = wanted["name"]
    found = look.filesystems.get(name)
    size = wanted.get("size")
    needed = [wanted["metadata_pool"], wanted["data_pool"]] if found is None else []
    extra = [each for each in wanted.get("data_pools") or () if found is None or each not in found["data_pools"]]
    for pool in [*needed, *extra]:
        there = look.pools.get(pool)
        if there and there.get("application_metadata"):
            owner = ", ".join(there["application_metadata"])
            result.findings.append(f"the pool {pool} belongs to {owner} already. Name another one for {name}.")
            return
        if there is None:
            words = _create(pool, wanted)
            result.steps.append(Step(f"pool {pool} created", _doing(ceph, *words), after=f"pool {pool} for {name}\n"))
            if size:
                sure = ("--yes-i-really-mean-it",) if size == 1 else ()
                words = ["osd", "pool", "set", pool, "size", str(size), *sure]
                result.steps.append(
                    Step(f"pool {pool}: size {size}", _doing(ceph, *words), after=f"{pool}: size {size}\n")
                )
    if found is None:
        step = _doing(ceph, "fs", "new", name, *needed)
        result.steps.append(Step(f"file system {name} created", step, after=f"file system {name}\n"))
    for pool in extra:
        step = _doing(ceph, "fs", "add_data_pool", name, pool)
        result.steps.append(Step(f"file system {name}: data pool {pool}", step, after=f"{name}: data pool {pool}\n"))
    _groups(ceph, name, found is None, wanted.get("subvolume_groups") or (), result)


def _groups(ceph: Ceph, name: str, new: bool, wanted: t.Iterable[str], result: Plan) -> None:
    there: set[str] = set()
    wanted = list(wanted)
    if not new and wanted:
        if not _served(ceph, name):
            result.findings.append(_unserved(name))
            return
        there = {each["name"] for each in ceph.ask("fs", "subvolumegroup", "ls", name)}
    for group in wanted:
        if group not in there:

            def create(group: str = group) -> None:
                _wait(ceph, name)
                ceph.do("fs", "subvolumegroup", "create", name, group)

            result.steps.append(
                Step(f"subvolume group {group} of {name} created", create, after=f"{name}: subvolume group {group}\n")
            )


def _served(ceph: Ceph, name: str) -> bool:
    dump = ceph.ask("fs", "dump")
    ours = [each["mdsmap"] for each in dump["filesystems"] if each["mdsmap"]["fs_name"] == name]
    return any(info["state"] == "up:active" for each in ours for info in each["info"].values())


def _unserved(name: str) -> str:
    return (
        f"no metadata server is active for the file system {name}. Start one, for example with "
        f"`ceph orch apply mds {name}`."
    )


def _wait(ceph: Ceph, name: str) -> None:
    """A new file system is served a moment after a free metadata server has taken it."""
    end = time.monotonic() + _SECONDS
    while not _served(ceph, name):
        if time.monotonic() > end:
            raise CephError(_unserved(name))
        time.sleep(0.5)


def _caps(ceph: Ceph, name: str) -> dict[str, str] | None:
    found = ceph.ask("auth", "get", name)
    return None if not found else dict(found[0].get("caps") or {})


def _user(ceph: Ceph, wanted: Item, result: Plan) -> None:
    name, caps = wanted["name"], dict(sorted(wanted["caps"].items()))
    found = _caps(ceph, name)
    if found == caps:
        return
    words = [part for daemon, rights in caps.items() for part in (daemon, rights)]
    if found is None:
        step = Step(f"user {name} created", _doing(ceph, "auth", "get-or-create", name, *words))
    else:
        step = Step(f"user {name}: rights", _doing(ceph, "auth", "caps", name, *words), before=_shown(name, found))
    step.after = _shown(name, caps)
    result.steps.append(step)


def _shown(name: str, caps: Mapping[str, str]) -> str:
    return "".join(f"{name}: {daemon} {rights!r}\n" for daemon, rights in sorted(caps.items()))
