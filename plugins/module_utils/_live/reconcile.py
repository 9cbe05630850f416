# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a cluster to what is declared: read once, write what differs, remove what has gone."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .._objects.common import HOME_NAMESPACE, MANAGED_BY, MANAGER
from . import adoption, prune, wait
from .apply import Applier, Work
from .discovery import Discovery
from .errors import LiveError
from .identity import check_facts
from .kinds import NAMESPACE, Kind, kind_of
from .listing import list_all
from .report import Progress, Report
from .session import Session
from .snapshot import Key, Object, Snapshot, is_ours, key_of, labels_of, take

#: What has to be the same in a namespace that is taken over if it is identical.
_COMPARED: tuple[Kind, ...] = (("v1", "LimitRange"), ("v1", "ResourceQuota"))


@dataclass(frozen=True)
class Options:
    """How to run.

    @param check: ask the API server what would happen, change nothing.
    @param diff: keep objects before and after.
    @param prune: remove what is no longer declared.
    @param prune_limit: how many deletions are too many, as a number or as a share of what is there.
    @param confirm_deletion: namespaces that may be deleted, if their deletion policy says so as well.
    @param force_conflicts: take fields away from other field managers.
    @param tenants: only objects of these tenants count as no longer declared; empty for all.
    @param wait: until quotas are counted and deleted namespaces are gone.
    """

    check: bool = False
    diff: bool = False
    prune: bool = False
    prune_limit: str = "30%"
    confirm_deletion: Collection[str] = ()
    force_conflicts: bool = False
    tenants: Collection[str] = ()
    wait: bool = False
    wait_timeout: float = 120.0
    parallel: int = 8
    label_domain: str = "self-provisioning.internal"


def reconcile(
    session: Session,
    objects: Iterable[Object],
    options: Options,
    *,
    progress: Progress | None = None,
    expect_cluster: str = "",
) -> dict[str, t.Any]:
    """Brings the cluster to exactly these objects.

    A failure of one object or namespace stops no other; the result names each.

    @param objects: what is declared; each with our label. The policies of a namespace are its annotations.
    @param expect_cluster: the name that the cluster's own facts must say, if it has facts.
    @raises LiveError: nothing could be read, so nothing was written.
    """
    report = Report(diff=options.diff, progress=progress)
    desired = _indexed(objects)
    prune.limit(options.prune_limit, 0)
    snapshot = take(session, Discovery(session), desired, parallel=options.parallel, whole=options.diff)
    if expect_cluster:
        found = snapshot.kinds["v1", "ConfigMap"]
        check_facts(session, (*found.different.values(), *found.others), expect_cluster)
    report.lap("read")
    blocked: dict[str, str] = {}
    theirs = _inside(session, desired, snapshot, options.label_domain)
    work = _work(desired, snapshot, options.label_domain, theirs, blocked, report)
    Applier(
        session,
        report,
        check=options.check,
        force=options.force_conflicts,
        parallel=options.parallel,
        namespaces=snapshot.namespaces,
        blocked=blocked,
    ).run(work)
    report.lap("apply")
    declared = {key[2] for key in desired if key[0] == NAMESPACE}
    gone = _prune(session, snapshot, options, report, declared)
    report.lap("prune")
    if options.wait and not options.check:
        quotas = {row["namespace"] for row in report.objects if row["kind"] == "ResourceQuota" and _written(row)}
        wait.settle(session, snapshot, report, quotas=quotas, gone=gone, timeout=options.wait_timeout)
        report.lap("wait")
    return report.result(session.requests, session.warnings)


def _written(row: dict[str, str]) -> bool:
    return row["action"] in ("created", "updated")


def _indexed(objects: Iterable[Object]) -> dict[Key, Object]:
    desired: dict[Key, Object] = {}
    for each in objects:
        key = key_of(each)
        if labels_of(each).get(MANAGED_BY) != MANAGER:
            raise LiveError(f"{each['kind']} {key[2]}", f"it lacks the label {MANAGED_BY}: {MANAGER}.")
        if key in desired:
            raise LiveError(f"{each['kind']} {key[2]}", "it is declared twice.")
        desired[key] = each
    return desired


def _inside(
    session: Session, desired: dict[Key, Object], snapshot: Snapshot, domain: str
) -> dict[str, list[Object]] | LiveError:
    """Quotas and limits of others in namespaces that are to be taken over if they are identical; most runs have none
    and ask nothing."""
    wanted: dict[str, list[Object]] = {
        key[2]: []
        for key, each in desired.items()
        if key[0] == NAMESPACE and (live := snapshot.namespaces.get(key[2])) and adoption.asks(each, live, domain)
    }
    try:
        for kind in _COMPARED if wanted else ():
            resource = snapshot.resource(kind)
            for item in list_all(session, resource, selector="") if resource else ():
                if item["metadata"]["namespace"] in wanted and not is_ours(item):
                    wanted[item["metadata"]["namespace"]].append(item)
    except LiveError as error:
        return error
    return wanted


def _work(
    desired: dict[Key, Object],
    snapshot: Snapshot,
    domain: str,
    theirs: dict[str, list[Object]] | LiveError,
    blocked: dict[str, str],
    report: Report,
) -> list[Work]:
    """What is to be applied; what cannot be is reported."""
    taken: set[str] = set()
    inside: dict[str, list[Object]] = {}
    for key, each in desired.items():
        if key[0] in _COMPARED and not isinstance(theirs, LiveError) and key[1] in theirs:
            inside.setdefault(key[1], []).append(each)
    for key, each in desired.items():
        if key[0] != NAMESPACE:
            continue
        live = snapshot.namespaces.get(key[2])
        if live and key[2] == HOME_NAMESPACE and not live["metadata"].get("deletionTimestamp"):
            # whoever set up the provisioner has made it
            snapshot.kinds[NAMESPACE].equal.add(key)
            continue
        why = _refusal(each, live, domain, inside, theirs) if live else ""
        if why:
            report.add(each, "failed", why)
            blocked[key[2]] = f"the namespace {key[2]} cannot be used: {why}"
        elif live and not is_ours(live) and adoption.policy(each, domain) == adoption.ALWAYS:
            taken.add(key[2])
    work = []
    for key, each in desired.items():
        found = snapshot.kinds[key[0]]
        namespace = key[2] if key[0] == NAMESPACE else key[1]
        if key[0] == NAMESPACE and namespace in blocked:
            continue
        if namespace in blocked:
            report.add(each, "skipped", blocked[namespace])
        elif key in found.equal:
            report.unchanged()
        elif found.error:
            report.add(each, "failed", str(found.error))
        elif found.resource is None:
            version, kind = kind_of(each)
            report.add(
                each,
                "failed",
                f"the cluster does not serve {kind} of {version}. Install what brings it first, or take "
                "out of the inventory what needs it.",
            )
        else:
            work.append(Work(each, found.resource, found.different.get(key), takeover=namespace in taken))
    return work


def _refusal(
    declared: Object,
    live: Object,
    domain: str,
    inside: dict[str, list[Object]],
    theirs: dict[str, list[Object]] | LiveError,
) -> str:
    name = declared["metadata"]["name"]
    if isinstance(theirs, LiveError):
        unknown = f"it is there already, and whether it is identical cannot be told: {theirs}"
        return unknown if adoption.asks(declared, live, domain) else adoption.refusal(declared, live, domain)
    return adoption.refusal(declared, live, domain, ours=inside.get(name, ()), theirs=theirs.get(name, ()))


def _prune(
    session: Session, snapshot: Snapshot, options: Options, report: Report, declared: Collection[str]
) -> list[str]:
    """Removes, or tells what it would; gives the namespaces that were deleted."""
    for kind, found in snapshot.kinds.items():
        if found.error:
            report.note(f"{kind[1]} objects that are no longer declared are not known: {found.error}")
    what = prune.plan(
        snapshot,
        domain=options.label_domain,
        tenants=options.tenants,
        confirmed=options.confirm_deletion,
        declared=declared,
    )
    if what.left_alone:
        report.note(
            f"{len(what.left_alone)} objects carry our label but were not applied by us, and are left alone: "
            f"{prune.names(what.left_alone[:10])}"
        )
    if not options.prune:
        if what.delete or what.orphan:
            report.note(f"{len(what.delete) + len(what.orphan)} objects are no longer declared; prune removes them.")
        if options.confirm_deletion:
            report.note("confirm_deletion does nothing without prune.")
        return []
    for text in prune.unheeded(
        snapshot, what, domain=options.label_domain, confirmed=options.confirm_deletion, declared=declared
    ):
        report.note(text)
    for each in what.held:
        name = each["metadata"]["name"]
        report.add(each, "kept", f"deletion_policy is delete, but confirm_deletion does not name {name}.")
    most = prune.limit(options.prune_limit, what.known)
    if len(what.delete) > most:
        target = {"apiVersion": "v1", "kind": "List", "metadata": {"name": "prune"}}
        report.add(
            target,
            "failed",
            f"{len(what.delete)} of {what.known} objects would be deleted, more than the limit of {most}: nothing was. "
            "Check the inventory; if all this is meant, raise prune_limit.",
        )
        return []
    pruner = prune.Pruner(session, snapshot, report, check=options.check, parallel=options.parallel)
    pruner.run(what)
    return pruner.deleted_namespaces
