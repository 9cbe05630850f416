# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: on which clusters an environment lives, and why.

Filter by rules, then by capacity, then rank by the share that stays free. A placement that was decided once stays; when
it no longer satisfies the rules that is an error, never a move. The result does not depend on the order of the input.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Mapping

from . import schema_layer
from .entities import Candidate, Cluster, Environment, Placement, Rejection, Retained, wanted_clusters
from .errors import Problems, Where, show, suggest
from .quantity import ZERO, Quantity, add_maps
from .resources import STORAGE_CLASS

_TIERS = list(schema_layer.SLA_TIERS)
Amounts = dict[str, Quantity]


def _stage(e: Environment, c: Cluster) -> str | None:
    return None if c.stage == e.stage else f"it serves {c.stage}; {e.stage} is needed"


def _security_domain(e: Environment, c: Cluster) -> str | None:
    wanted, has = e.values["classification"]["security_domain"], c.get("security_domain")
    return None if wanted == has else f"its security domain is {has}; {wanted} is needed"


def _classification(e: Environment, c: Cluster) -> str | None:
    missing = [name for name in e.values["classification"]["data"] if name not in c.classifications]
    return f"it may not hold {', '.join(missing)}" if missing else None


def _sla_tier(e: Environment, c: Cluster) -> str | None:
    has = c.get("sla_tier")
    return (
        None
        if _TIERS.index(has) <= _TIERS.index(e.sla_tier)
        else f"it is built for {has}; at least {e.sla_tier} is needed"
    )


def _features(e: Environment, c: Cluster) -> str | None:
    missing = [name for name in e.values.get("requires", {}).get("features", ()) if name not in c.get("features", ())]
    return f"it lacks {', '.join(missing)}" if missing else None


def _region(e: Environment, c: Cluster) -> str | None:
    regions = e.values.get("requires", {}).get("regions")
    if regions is None or c.get("region") in regions:
        return None
    return f"it stands in {c.get('region') or 'no region'}; {' or '.join(regions) or 'none'} is needed"


def _dedication(e: Environment, c: Cluster) -> str | None:
    reserved = c.get("dedicated_to", [])
    if not reserved or any(tenant.id in reserved for tenant in e.tenant.line):
        return None
    return f"it is reserved for {', '.join(reserved)}"


def _failure_domain(e: Environment, c: Cluster) -> str | None:
    if wanted_clusters(e) < 2 or c.get("failure_domain"):
        return None
    return f"its failure domain is not known; {e.sla_tier} needs different ones"


#: The hard rules, in the order in which they are told.
RULES: dict[str, Callable[[Environment, Cluster], str | None]] = {
    "environment": _stage,
    "security_domain": _security_domain,
    "classification": _classification,
    "sla_tier": _sla_tier,
    "features": _features,
    "region": _region,
    "dedication": _dedication,
    "failure_domain": _failure_domain,
}


def freeze(cluster: Cluster, today: datetime.date) -> str | None:
    """The reason why nothing new may be placed on the cluster today."""
    for window in cluster.get("freeze_windows", ()):
        if window["from"] <= today.isoformat() <= window["to"]:
            return f"it is frozen until {window['to']}: {window['reason']}"
    return None


def capacity_gap(asked: Mapping[str, Quantity], committed: Mapping[str, Quantity], cluster: Cluster) -> str | None:
    """By how much the cluster is too small. Only resources that the cluster declares, and devices, are limited."""
    if not cluster.capacity:
        return None
    gaps = []
    for key, amount in asked.items():
        limit = cluster.capacity.get(key)
        if limit is None:
            if amount and _is_device(key):
                gaps.append(f"{key}: {amount} asked, it has none")
            continue
        free = limit - committed.get(key, ZERO)
        if amount and free < amount:
            gaps.append(f"{key}: {amount} asked, {free if free > ZERO else 0} of {limit} free")
    return "; ".join(gaps) or None


def _is_device(key: str) -> bool:
    return key.startswith("requests.") and "/" in key and STORAGE_CLASS not in key


def _free_share(asked: Mapping[str, Quantity], committed: Mapping[str, Quantity], cluster: Cluster) -> float:
    shares = [
        1 - (committed.get(key, ZERO).nano + asked.get(key, ZERO).nano) / limit.nano
        for key, limit in cluster.capacity.items()
        if limit
    ]
    return min(shares, default=1.0)


def place(
    environments: list[Environment],
    clusters: Mapping[str, Cluster],
    recorded: Mapping[str, Mapping[str, t.Any]],
    today: datetime.date,
    problems: Problems,
    broken: frozenset[str] = frozenset(),
    retained: Iterable[Retained] = (),
) -> None:
    """Gives every environment its placement: first all that are declared or recorded, then the new ones.

    New ones are taken by SLA tier, then by key, so that the outcome is the same for every order of the input.

    @param broken: clusters whose variables have errors. Nothing is said about what they would have changed.
    @param retained: what nobody declares any more and still takes its room.
    """
    committed: dict[str, Amounts] = {name: {} for name in clusters}
    retained = list(retained)
    for each in retained:
        _commit(each.quota, (name for name in each.clusters if name in clusters), committed)
    fresh = []
    for environment in environments:
        if "placement" in environment.declared:
            _keep(environment, environment.declared["placement"], "declared", clusters, committed, problems, broken)
            _warn_of_data(environment, recorded.get(environment.key, {}), problems)
        elif environment.key in recorded:
            _keep(environment, recorded[environment.key], "recorded", clusters, committed, problems, broken)
        else:
            fresh.append(environment)
    _check_committed(_users(environments, retained), clusters, committed, problems)
    for environment in sorted(fresh, key=lambda e: (_TIERS.index(e.sla_tier), e.key)):
        _decide(environment, clusters, committed, today, problems, quiet=bool(broken) or not _is_sound(environment))


def _is_sound(environment: Environment) -> bool:
    """Whether what it needs is known: a level above with errors may have said more, or a name stands for nothing."""
    return not environment.doubtful and all(tenant.sound for tenant in environment.tenant.line)


def _commit(quota: Mapping[str, Quantity], names: Iterable[str], committed: dict[str, Amounts]) -> None:
    for name in names:
        committed[name] = add_maps(committed[name], quota)


def _warn_of_data(environment: Environment, recorded: Mapping[str, t.Any], problems: Problems) -> None:
    """An environment that comes back to another place than its data."""
    now = environment.placement.clusters if environment.placement else ()
    left = [name for name in recorded.get("clusters", ()) if name not in now]
    since = f" on {recorded['since']}" if recorded.get("since") else ""
    if recorded.get("retained") and left:
        problems.warn(
            "data-elsewhere",
            environment.where / "placement",
            f"when it was removed{since}, its namespace and data stayed on {', '.join(left)}.",
            "Move the data, or place it there.",
        )


def _keep(
    environment: Environment,
    placement: Mapping[str, t.Any],
    origin: str,
    clusters: Mapping[str, Cluster],
    committed: dict[str, Amounts],
    problems: Problems,
    broken: frozenset[str],
) -> None:
    declared = origin == "declared"
    at = environment.where / "placement" if declared else environment.where
    move = f"{_DECLARE} {_LET_GO}" if placement.get("retained") else _DECLARE
    known = []
    for index, name in enumerate(placement["clusters"]):
        if name not in clusters:
            if declared and name not in broken:
                what = f"there is no cluster {show(name)}."
                problems.error("unknown-name", at / "clusters" / index, what, suggest(name, clusters))
            elif name not in broken:
                what = f"it was placed on {show(name)}, and there is no such cluster any more."
                problems.error("placement-broken", at, what, move)
            continue
        known.append(name)
        for rule, test in RULES.items():
            detail = test(environment, clusters[name]) if _is_sound(environment) else None
            if detail:
                problems.error(
                    "placement-broken",
                    at,
                    f"it is placed on {name}, which breaks the rule {rule!r}: {detail}.",
                    f"Change the requirement or the cluster. {_REMOVE if declared else move}",
                )
    domains = {clusters[name].get("failure_domain") for name in known} - {None}
    wanted = wanted_clusters(environment) if _is_sound(environment) else 1
    if len(known) == len(placement["clusters"]) and (len(known) < wanted or 1 < wanted > len(domains)):
        problems.error(
            "placement-broken",
            at,
            f"{environment.sla_tier} needs {wanted} clusters in different failure domains; "
            f"it is on {', '.join(f'{name} ({_domain(clusters[name])})' for name in known)}.",
            _REMOVE if declared else move,
        )
    environment.placement = Placement(
        tuple(known), origin, placement.get("reason", ""), placement.get("decided_at", "")
    )
    _commit(environment.quota, known, committed)


_REMOVE = "To have a new one decided, remove the placement."
_DECLARE = "To move it, write the new clusters as placement.clusters of the environment."
_LET_GO = "Its namespace and data stayed there; when they are gone, remove its entry from placements.yaml."


def _domain(cluster: Cluster) -> str:
    return str(cluster.get("failure_domain") or "no failure domain")


def _users(
    environments: Iterable[Environment], retained: Iterable[Retained]
) -> list[tuple[str, tuple[str, ...], Mapping[str, Quantity]]]:
    """Who takes room where: name, clusters and quota."""
    users = [(e.key, e.placement.clusters, e.quota) for e in environments if e.placement]
    return [*users, *((f"{each.key} (retained)", each.clusters, each.quota) for each in retained)]


def _check_committed(
    users: Iterable[tuple[str, tuple[str, ...], Mapping[str, Quantity]]],
    clusters: Mapping[str, Cluster],
    committed: dict[str, Amounts],
    problems: Problems,
) -> None:
    for name, cluster in clusters.items():
        if not cluster.capacity:
            continue
        lacking = {key: ZERO for key in committed[name] if key not in cluster.capacity and _is_device(key)}
        for key, limit in {**cluster.capacity, **lacking}.items():
            amount = committed[name].get(key, ZERO)
            if amount > limit:
                shares = sorted(
                    ((who, quota[key]) for who, places, quota in users if name in places and quota.get(key)),
                    key=lambda share: (-share[1].nano, share[0]),
                )
                named = ", ".join(f"{who} {share}" for who, share in shares[:5])
                left = (
                    f"{amount - limit} more than the {limit} of capacity and overcommit" if limit else "and it has none"
                )
                problems.error(
                    "over-capacity",
                    Where("cluster_capacity", host=name) / key,
                    f"{amount} is committed, {left}; the largest: {named}{' …' if len(shares) > 5 else ''}.",
                    "Shrink or move some, or raise the capacity.",
                )


def candidates(
    environment: Environment, clusters: Mapping[str, Cluster], committed: Mapping[str, Amounts], today: datetime.date
) -> list[Candidate]:
    """What every cluster says to an environment that is not placed yet, the best first."""
    result = []
    for name, cluster in sorted(clusters.items()):
        rejection = _rejection(environment, cluster, committed.get(name, {}), today)
        share = None if rejection else _free_share(environment.quota, committed.get(name, {}), cluster)
        result.append(Candidate(name, rejection, share))
    return sorted(result, key=lambda c: (c.rejection is not None, -(c.free_share or 0), c.cluster))


def _rejection(
    environment: Environment, cluster: Cluster, committed: Amounts, today: datetime.date
) -> Rejection | None:
    for rule, test in RULES.items():
        detail = test(environment, cluster)
        if detail:
            return Rejection(rule, detail)
    frozen = freeze(cluster, today)
    if frozen:
        return Rejection("freeze_window", frozen)
    gap = capacity_gap(environment.quota, committed, cluster)
    return Rejection("capacity", gap) if gap else None


def _decide(
    environment: Environment,
    clusters: Mapping[str, Cluster],
    committed: dict[str, Amounts],
    today: datetime.date,
    problems: Problems,
    *,
    quiet: bool,
) -> None:
    ranked = candidates(environment, clusters, committed, today)
    wanted = wanted_clusters(environment)
    chosen: list[str] = []
    domains: set[str | None] = set()
    for candidate in ranked:
        domain = clusters[candidate.cluster].get("failure_domain")
        if candidate.rejection is None and len(chosen) < wanted and (not chosen or domain not in domains):
            chosen.append(candidate.cluster)
            domains.add(domain)
    if len(chosen) < wanted:
        if not quiet:
            what = _nowhere(environment, ranked, chosen, clusters)
            problems.error("no-cluster", environment.where, what, "Change what it asks for, or add capacity.")
        return
    environment.placement = Placement(
        tuple(chosen), "decided", _because(environment, ranked, chosen, clusters), today.isoformat(), tuple(ranked)
    )
    _commit(environment.quota, chosen, committed)


def _nowhere(
    environment: Environment, ranked: list[Candidate], chosen: list[str], clusters: Mapping[str, Cluster]
) -> str:
    if not ranked:
        return "there is no cluster to place it on."
    told = ". ".join(f"{c.cluster} ({c.rejection.rule}): {c.rejection.detail}" for c in ranked if c.rejection)
    feasible = [c.cluster for c in ranked if c.rejection is None]
    if chosen:
        return (
            f"{environment.sla_tier} needs {wanted_clusters(environment)} clusters in different failure domains, "
            f"and only {', '.join(f'{name} ({_domain(clusters[name])})' for name in feasible)} would do"
            f"{'. Rejected: ' + told if told else ''}."
        )
    return f"no cluster can take it. {told}."


def _because(
    environment: Environment, ranked: list[Candidate], chosen: list[str], clusters: Mapping[str, Cluster]
) -> str:
    shares = {c.cluster: c.free_share for c in ranked}
    feasible = sum(c.rejection is None for c in ranked)
    picked = ", ".join(f"{name} ({round(100 * (shares[name] or 0))} % stays free)" for name in chosen)
    why = (
        "the only cluster that meets every rule"
        if feasible == len(chosen) == 1
        else f"most room of {feasible} that meet every rule"
    )
    if len(chosen) > 1:
        domains = ", ".join(str(clusters[name].get("failure_domain")) for name in chosen)
        why = f"{environment.sla_tier}: failure domains {domains}"
    return f"{picked}: {why}"
