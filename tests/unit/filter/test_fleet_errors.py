# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters say of what they cannot use."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from .organisation import DAY, FILTERS, broken, hostvars, source

NEEDED = "the result of the filter k8s.self_provisioning.tenancy is needed."


ERRORS: list[tuple[str, tuple[t.Any, ...], str]] = [
    ("tenancy", ([],), "Ansible's 'hostvars' is needed, not list."),
    ("tenancy", ({"web": {"group_names": []}},), "the inventory has no host in the group 'clusters'."),
    ("tenancy", (None,), "Ansible's 'hostvars' is needed, not NoneType."),
    ("tenancy", ("text",), "Ansible's 'hostvars' is needed, not str."),
    ("tenancy", ({"web": 5},), "Ansible's 'hostvars' is needed, not a mapping with int in it (at 'web')."),
    ("tenancy", (source(),), "the inventory has no host in the group 'clusters'."),
    ("tenancy", (hostvars(), 5), "tree: the folder of a fleet tree is needed, not 5."),
    ("tenancy", (hostvars(), " "), "tree: the folder of a fleet tree is needed, not ' '."),
    (
        "ledger",
        ({**source(), "clusters": []},),
        "clusters: a mapping is needed, not list. Take the result of the filter k8s.self_provisioning.tenancy.",
    ),
    (
        "placements",
        ({**source(), "recorded": {"a/b/c": "x"}},),
        "recorded: the entry 'a/b/c' has no list of clusters. "
        "Take the result of the filter k8s.self_provisioning.tenancy.",
    ),
    ("effective", ({}, "physics/lab-sim/dev"), NEEDED),
    ("placements", ("text",), NEEDED),
    ("ledger", ({"settings": {}, "tenants": {}},), NEEDED),
    ("cluster_objects", (None, "east-dev"), NEEDED),
    (
        "effective",
        (source(), "physics/labsim/dev", DAY),
        "there is no environment 'physics/labsim/dev'. Did you mean 'physics/lab-sim/dev'? "
        "Known: physics/lab-sim/dev, physics/lab-sim/prod.",
    ),
    (
        "cluster_objects",
        (source(), "east_dev", DAY),
        "there is no cluster 'east_dev'. Did you mean 'east-dev'? Known: east-dev, east-prod, west-prod.",
    ),
    (
        "ledger",
        (source(), "tenants"),
        "'tenants' is not a scope. Did you mean 'tenant'? Known: cluster, environment, tenant.",
    ),
    ("placements", (source(), "tomorrow"), "today: 'tomorrow' is not a day. Write it as YYYY-MM-DD."),
    (
        "placements",
        (broken(parent="scinece"), DAY),
        "tenant__physics.parent: there is no tenant 'scinece'. None are defined. Run k8s.self_provisioning.validate "
        "to see all.",
    ),
    (
        "placements",
        (broken(parent="scinece", budget={"hard": {"requests.cpu": "1"}}), DAY),
        "tenant__physics.parent: there is no tenant 'scinece'. None are defined. This is the first of 2 errors. "
        "Run k8s.self_provisioning.validate to see all.",
    ),
    (
        "ledger",
        (broken(budget={"hard": {"requests.cpu": "1"}}, display_name="{{ 7 }}"), None, DAY),
        "tenant__physics.display_name: '{{ 7 }}' looks like a template; tenant files are data and are never templated. "
        "Write the value itself. Run k8s.self_provisioning.validate to see all.",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "message"), ERRORS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERRORS)])
def test_error(name: str, arguments: tuple[t.Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert str(caught.value) == f"k8s.self_provisioning.{name}: {message}"
