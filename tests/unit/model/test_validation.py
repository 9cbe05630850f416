# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation and what becomes of an inventory with errors: nothing false is said about the parts that are right."""

from __future__ import annotations

import time
import typing as t

import fastjsonschema
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import schema, validation
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems, Where

from .support import base, changed, compiled, environment, messages, put

P = "tenants / tenant__physics"
DOCUMENTS = {"tenant": schema.TENANT_SCHEMA, "cluster": schema.CLUSTER_SCHEMA, "fleet": schema.FLEET_SCHEMA}


def errors_of(kind: str, document: t.Any) -> list[str]:
    problems = Problems()
    sound = validation.check(kind, document, Where("v"), problems)
    assert sound == (problems.errors == [])
    return [p.render() for p in problems]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_schemas_are_schemas(kind: str) -> None:
    jsonschema.Draft7Validator.check_schema(DOCUMENTS[kind])
    assert "$ref" not in str(schema.expand(DOCUMENTS[kind]))


def test_sound_documents_are_sound() -> None:
    inventory = base()
    assert [errors_of("tenant", value) for value in inventory["tenants"].values()] == [[]] * 4
    assert [errors_of("cluster", value) for value in inventory["clusters"].values()] == [[]] * 3
    assert errors_of("fleet", inventory["settings"]) == []


@pytest.mark.parametrize("text", ["lab-sim\n", "\nlab", "lab sim", "a" * 64, "", "lab-", "Lab"])
def test_the_quick_and_the_thorough_validator_agree(text: str) -> None:
    """Python's dollar sign also matches before a line feed; a name with one must not slip through."""
    document = {"id": text}
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validation._quick("tenant")(document)
    assert len(errors_of("tenant", document)) == 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 70000)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["a", "1Gi", "dev"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "hard", "kind", "projects", "_x", "labels", "budget"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(DOCUMENTS)), VALUES)
def test_what_the_schema_refuses_is_told_and_only_that(kind: str, document: t.Any) -> None:
    if kind != "tenant" and not isinstance(document, dict):
        return  # these are Ansible's variables: always a mapping
    fits = jsonschema.Draft7Validator(schema.expand(DOCUMENTS[kind])).is_valid(document)
    if not fits:
        assert errors_of(kind, document)
    else:
        assert all("unknown key" not in text and "is missing" not in text for text in errors_of(kind, document))


# --- what follows from an error is not told as well ---------------------------------------------------------------

#: a change that is one error -> how many findings it may cause in the whole organisation
ONE_EACH: dict[str, dict[str, t.Any]] = {
    "a tenant that others refer to": {"tenants / tenant__arts / colour": "red"},
    "a tenant with children": {f"{P} / colour": "red"},
    "a tenant with an id of another type": {f"{P} / id": 7},
    "the root of the tree": {"tenants / tenant__science / budget": []},
    "a cluster with placements": {"clusters / prod-1 / cluster_sla_tier": "gold"},
    "the only cluster of a stage": {"clusters / dev-1 / cluster_capacity": []},
    "a size that is used": {"settings / fleet_sizes / small / colour": "red"},
    "a size that is no mapping": {"settings / fleet_sizes / small": 5},
    "all sizes": {"settings / fleet_sizes": []},
    "the defaults": {"settings / fleet_defaults / allowed / registries": "r.io"},
    "the quota of the defaults": {"settings / fleet_defaults / resource_quota": {"hard": {"cpu": "x"}}},
    "a data class": {"settings / fleet_data_classes / student_data": 5},
    "all data classes": {"settings / fleet_data_classes": []},
    "a service": {"settings / fleet_services / ingress-nginx / repository": 5},
    "all services": {"settings / fleet_services": "none"},
    "the prices": {"settings / fleet_prices / month / requests.cpu": "ten"},
    "the protected labels": {"settings / fleet_protected_labels": "team"},
    "an unknown data class": {f"{P} / projects / 0 / classification / data": ["student_date"]},
}


@pytest.mark.parametrize("change", ONE_EACH.values(), ids=ONE_EACH)
def test_one_error_is_one_message(change: dict[str, t.Any]) -> None:
    assert len(messages(compiled(changed(change)))) == 1


def test_what_is_right_is_compiled_in_spite_of_what_is_wrong() -> None:
    inventory = base()
    for path, value in (
        (f"{P} / colour", "red"),
        ("clusters / dev-1 / cluster_delivery", "mail"),
        ("settings / fleet_sizes / large / colour", "red"),
    ):
        put(inventory, path, value)
    fleet = compiled(inventory)
    assert sorted(fleet.clusters) == ["prod-1", "prod-2"]
    assert environment(fleet, "arts/site/prod").placement is not None
    assert fleet.tenants["physics"].sound is False
    assert {row["name"] for row in fleet.ledger} >= {"arts", "arts/site/prod", "prod-1"}


def test_a_level_with_many_environments_is_told_once() -> None:
    environments = [{"name": f"e{i}", "stage": "dev"} for i in range(5)]
    change = {
        f"{P} / projects / 0 / environments": environments,
        f"{P} / labels": {"team": "x"},
        f"{P} / projects / 0 / budget": {},
        f"{P} / budget": {},
    }
    change |= {"tenants / tenant__science / limits": {}, "recorded": {}}
    assert [p.code for p in compiled(changed(change)).problems] == ["protected-label"]


def test_other_variables_are_not_ours() -> None:
    inventory = changed({"settings / ansible_user": "x", "clusters / dev-1 / ansible_host": "10.0.0.1"})
    assert messages(compiled(inventory)) == []


@pytest.mark.parametrize("length", [100_000, 1_000_000])
@pytest.mark.parametrize("form", ["a", "a-", "a.", "1m", "/", "x@"])
def test_long_texts_do_not_stop_the_patterns(form: str, length: int) -> None:
    """Every pattern works in time that grows with the text only."""
    text = form * (length // len(form)) + "!"
    started = time.process_time()
    document = {
        "id": text,
        "labels": {text: text},
        "allowed": {"registries": [text], "ingress": {"hostnames": [text]}},
        "projects": [{"id": "x", "gitops": {"url": "ssh://" + text, "interval": text}}],
    }
    assert len(errors_of("tenant", document)) >= 6
    assert time.process_time() - started < 5
