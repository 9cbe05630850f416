# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments put together to tenants; what all of them have in common moves up, where that is exactly the same."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .._live.adoption import NEVER
from .._model.entities import Settings
from .declare import Draft
from .facts import Object, Subject, binding_of, subjects_of

Rights = set[tuple[str, Subject]]

#: Declared at environments, and the same at a tenant as long as all its environments agree.
_LIFTED = ("pod_security", "deletion_policy")
_LIFTED_KEYS = ("labels", "annotations")
#: The order in which people read an environment.
_ORDER = (
    "name",
    "stage",
    "size",
    "placement",
    "classification",
    "labels",
    "annotations",
    "deletion_policy",
    "resource_quota",
    "limit_range",
    "pod_security",
    "pod_disruption_budget",
    "role_bindings",
    "network",
)


def tenants(drafts: Iterable[Draft], settings: Settings, owner_roles: Sequence[str]) -> dict[str, Object]:
    """What the tenant files declare, by tenant."""
    by_tenant: dict[str, list[Draft]] = {}
    for draft in sorted(drafts, key=lambda each: each.identity):
        by_tenant.setdefault(draft.identity.tenant, []).append(draft)
    return {name: _tenant(name, members, settings, owner_roles) for name, members in by_tenant.items()}


def _common(members: list[Draft]) -> Rights:
    return set.intersection(*(draft.rights for draft in members))


def _tenant(name: str, members: list[Draft], settings: Settings, owner_roles: Sequence[str]) -> Object:
    tenant: Object = {"id": name}
    everywhere = _common(members)
    role = next((role for role in owner_roles if any(r == role for r, _subject in everywhere)), None)
    shared: Rights = everywhere if len(members) > 1 else set()
    if role:
        owners = {right for right in everywhere if right[0] == role}
        tenant["owners"] = subjects_of(subject for _role, subject in owners)
        if role != settings.owner_role:
            tenant["owner_cluster_role"] = role
        shared = shared - owners
        _take(members, owners)
    tenant["adoption_policy"] = NEVER  # until it is proven that nothing changes
    tenant.update(_lift(members))
    if shared:
        _take(members, shared)
        tenant["role_bindings"] = _bindings(shared)
    by_project: dict[str, list[Draft]] = {}
    for draft in members:
        by_project.setdefault(draft.identity.project, []).append(draft)
    tenant["projects"] = [_project(each, own) for each, own in by_project.items()]
    return tenant


def _take(members: list[Draft], rights: Rights) -> None:
    for draft in members:
        draft.rights = draft.rights - rights


def _bindings(rights: Rights) -> list[Object]:
    roles = sorted({role for role, _subject in rights})
    return [binding_of(role, [subject for each, subject in rights if each == role]) for role in roles]


def _lift(members: list[Draft]) -> Object:
    """Takes out of the environments what all of them declare."""
    lifted: Object = {}
    if len(members) < 2:
        return lifted
    for key in _LIFTED:
        values = [draft.values.get(key) for draft in members]
        if values[0] is not None and all(value == values[0] for value in values):
            lifted[key] = values[0]
            for draft in members:
                del draft.values[key]
    for key in _LIFTED_KEYS:
        given: list[Mapping[str, str]] = [draft.values.get(key) or {} for draft in members]
        common = {k: v for k, v in given[0].items() if all(other.get(k) == v for other in given)}
        if common:
            lifted[key] = common
            for draft in members:
                draft.values[key] = {k: v for k, v in draft.values[key].items() if k not in common}
    return lifted


def _project(name: str, members: list[Draft]) -> Object:
    project: Object = {"id": name}
    shared = _common(members) if len(members) > 1 else set()
    if shared:
        _take(members, shared)
        project["role_bindings"] = _bindings(shared)
    project["environments"] = [_environment(draft) for draft in members]
    return project


def _environment(draft: Draft) -> Object:
    values: dict[str, t.Any] = {key: value for key, value in draft.values.items() if value != {}}
    if draft.rights:
        values["role_bindings"] = _bindings(draft.rights)
    return {key: values[key] for key in _ORDER if key in values}
