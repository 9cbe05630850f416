# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema as reference pages in Markdown."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import schema, schema_layer, schema_tenant
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.inheritance import RULES
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import (
    RELEASE_LINES,
    ReleaseLine,
)

from . import examples
from .markup import NOTICE, markdown, table

Schema = schema_layer.Schema

LAYER_TITLE = "Fields of every level"
#: What each inheritance rule does when two levels set the field.
RULE_WORDS = {
    "override": "the lower level's value counts",
    "keys": "key by key; for a key that both set, the lower level's value counts",
    "quota keys": "resource by resource, in either spelling (`cpu` is `requests.cpu`); for one that both set, the "
    "lower level's value counts",
    "labels": "key by key; for a key that both set, the lower level's value counts, unless `fleet_protected_labels` "
    "protects the key: then changing it is an error",
    "add": "the lists add up",
    "by name": "the lists add up; an item replaces one of the same name from above",
    "by type": "the lists add up; an item replaces one of the same type from above",
    "stricter": "the stricter one counts",
    "narrow": "the lower level may only leave items out; anything else is an error",
    "narrow paths": "the lower level may only leave items out or name paths below them; anything else is an error",
    "narrow hosts": "the lower level may only leave items out or name hosts they cover; anything else is an error",
}
_GLOSSARIES = (
    schema_layer.SECURITY_DOMAINS,
    schema_layer.SLA_TIERS,
    schema_layer.STAGES,
    schema_layer.STATES,
)
_TYPES = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}
_COMPONENTS = {"calico": "Calico", "cilium": "Cilium", "flannel": "Flannel"}
_INLINE = ("contacts", "classification", "resource_quota", "limit_range", "allowed")
_ITEM_NAMES = {"fleet_sizes": "<size>", "fleet_services": "<service>", "cluster_services": "<service>"}


@dataclass(frozen=True)
class Section:
    """A heading of its own for a part of the schema that others link to."""

    title: str
    page: str
    node: Schema

    def link(self, page: str) -> str:
        anchor = "#" + self.title.lower().replace(" ", "-")
        return f"[{self.title.lower()}]({'' if page == self.page else self.page}{anchor})"


_TENANT, _CLUSTER, _FLEET = "tenant.md", "cluster.md", "fleet.md"
_SECTIONS = (
    Section("Project", _TENANT, schema_tenant.PROJECT),
    Section("Environment", _TENANT, schema_tenant.ENVIRONMENT),
    Section("Placement", _TENANT, schema_tenant.PLACEMENT),
    Section("Grant", _TENANT, schema_tenant.GRANT),
    Section("Address pool", _CLUSTER, schema.POOL),
    Section("Platform service", _FLEET, schema.SERVICE),
    Section("Kubernetes", _CLUSTER, schema.KUBERNETES),
)
_SHAPES = {
    name: Section(name.replace("_", " ").capitalize(), _TENANT, node)
    for name, node in schema_layer.DEFINITIONS.items()
    if name not in _INLINE
}
_LAYER_SECTION = Section(LAYER_TITLE, _TENANT, {})


def pages() -> dict[str, str]:
    """The pages by their path."""
    examples.check()
    contents: dict[str, Callable[[], str]] = {
        _TENANT: _tenant_page,
        _CLUSTER: _cluster_page,
        _FLEET: _fleet_page,
        "inheritance.md": _inheritance_page,
        "release-lines.md": _release_lines_page,
    }
    return {f"docs/reference/{name}": NOTICE + write() for name, write in contents.items()}


def _tenant_page() -> str:
    parts = [
        "# A tenant file\n",
        "`group_vars/all/tenants/<tenant>.yml` holds one variable, `tenant__<id>`, with dashes of the id written as "
        "underscores. Its text is data and is never templated. Keys that start with `_` are yours to use and are "
        "ignored; any other unknown key is an error.\n",
        "For completion and checks while you type, start the file with\n"
        "`# yaml-language-server: $schema=<path to>/docs/schema/tenant-file.schema.json`.\n",
        "## Tenant\n",
        _object(schema_tenant.TENANT, _TENANT),
        *(_section(each) for each in _SECTIONS if each.page == _TENANT),
        f"## {LAYER_TITLE}\n",
        "They can stand in `fleet_defaults`, in a size, and at a tenant, a project and an environment. What happens "
        "when several levels set the same field is in the column *Inheritance*; the order of the levels is in the "
        "[guide](../guides/inheritance.md).\n",
        _layer_table(),
        "## Values that appear in several places\n",
        *(_section(each, "###") for each in _SHAPES.values()),
        _example(examples.TENANT),
    ]
    return "\n".join(parts)


def _cluster_page() -> str:
    return "\n".join(
        [
            "# Cluster variables\n",
            "Every host of the inventory group `clusters` is a cluster. These are its variables, in "
            "`host_vars/<cluster>.yml` or in the `group_vars` of a group of clusters. They belong to operators and may "
            "be templates. An unknown name that starts with `cluster_` is an error.\n",
            "`cluster_environment`, `cluster_security_domain` and `cluster_sla_tier` have to be set.\n",
            _object(schema.CLUSTER_SCHEMA, _CLUSTER),
            *(_section(each) for each in _SECTIONS if each.page == _CLUSTER),
            "## Machine\n",
            "Variables of the machines of a cluster, in `group_vars/<cluster>/` (the cluster's name with `_` for `-`), "
            "`host_vars/<machine>.yml` or next to the machine in `hosts.yml`. An unknown name that starts with `node_` "
            "is an error. How machines and clusters belong together is in the [guide](../guides/clusters.md).\n",
            _object(schema.NODE_SCHEMA, _CLUSTER),
            _example(examples.CLUSTER),
        ]
    )


def _fleet_page() -> str:
    return "\n".join(
        [
            "# Settings of the organisation\n",
            "They stand in `group_vars/all`, by habit in `fleet.yml`, and hold for all clusters and tenants. They "
            "belong to operators and may be templates. An unknown name that starts with `fleet_` is an error.\n",
            _object(schema.FLEET_SCHEMA, _FLEET),
            *(_section(each) for each in _SECTIONS if each.page == _FLEET),
            _example(examples.FLEET),
        ]
    )


def _inheritance_page() -> str:
    rows = [(f"`{path}`", RULE_WORDS[rule]) for path, rule in _leaf_rules(schema_layer.LAYER)]
    return "\n".join(
        [
            "# Inheritance, field by field\n",
            "What happens when two levels set the same field. The levels and their order are in the "
            "[guide](../guides/inheritance.md), the fields in [tenant.md](tenant.md#fields-of-every-level).\n",
            table(("Field", "When two levels set it"), rows),
        ]
    )


def _release_lines_page() -> str:
    lines = RELEASE_LINES.values()
    components = list(dict.fromkeys(name for line in lines for name in line.release.components))
    clients = sorted({name for line in lines for name in line.flux_api})
    rows: list[tuple[str, ...]] = [
        ("Kubernetes", *(line.kubernetes for line in lines)),
        ("end of life of that Kubernetes", *(line.end_of_life for line in lines)),
        *((_COMPONENTS.get(c, c), *(line.release.components[c] for line in lines)) for c in components),
        ("Kubespray", *(line.kubespray for line in lines)),
        ("commit of that Kubespray", *(f"`{line.release.commit[:12]}`" for line in lines)),
        ("ansible-core of that Kubespray", *("≥ {}, < {}".format(*line.release.ansible_core) for line in lines)),
        ("Python of that Kubespray", *(", ".join(line.release.python) for line in lines)),
        ("Flux", *(line.flux for line in lines)),
        ("oldest Kubernetes of that Flux", *(line.flux_kubernetes for line in lines)),
        ("MetalLB", *(line.services["metallb"] for line in lines)),
        *((f"`{name}` API", *(line.flux_api[name] for line in lines)) for name in clients),
        ("API of OCIRepository", *(f"`{line.oci_repository}`" for line in lines)),
        (
            "when a Helm release fails",
            *(
                "it stays and is tried again" if x.helm_retry_strategy else "it is taken back and tried again"
                for x in lines
            ),
        ),
    ]
    return "\n".join(
        [
            "# Release lines\n",
            "A release line is one tested set of versions. `fleet_release_line` chooses it for the fleet, "
            "`cluster_release_line` for one cluster. Charts choose their version by line in "
            "[`fleet_services`](fleet.md#platform-service).\n",
            table(("", *(f"`{line.name}`" for line in lines)), rows),
            "## From line to line\n",
            "Kubernetes and Kubespray allow no minor version to be left out. The playbook `upgrade` walks these steps, "
            "and continues from the version that a cluster runs.\n",
            *(_steps(line) for line in lines if line.follows),
        ]
    )


def _steps(line: ReleaseLine) -> str:
    rows = [(step.kubernetes, step.kubespray) for step in line.steps]
    return f"From `{line.follows}` to `{line.name}`:\n\n" + table(("Kubernetes", "with Kubespray"), rows)


def _example(text: str) -> str:
    return f"## The smallest complete example\n\n```yaml\n{text}```\n"


def _section(section: Section, level: str = "##") -> str:
    has_keys = "properties" in section.node
    body = _object(section.node, section.page) if has_keys else f"{_meaning(section.node)}\n"
    return f"{level} {section.title}\n\n{body}"


def _object(node: Schema, page: str) -> str:
    rows = [
        (f"`{path}`", _type(child, page), _need(child, required), _meaning(child))
        for path, child, required in _properties(node)
    ]
    parts = [markdown(node["description"]) + "\n", table(("Key", "Type", "Default", "Meaning"), rows)]
    for condition in node.get("allOf", ()):
        when = " and ".join(f"`{k}` is `{v['const']}`" for k, v in condition["if"]["properties"].items())
        needed = ", ".join(f"`{key}`" for key in condition["then"]["required"])
        parts.append(f"When {when}, {needed} must be given.\n")
    if "oneOf" in node:
        parts.append(node["x-hint"] + "\n")
    if set(schema_layer.LAYER) <= set(node["properties"]):
        parts.append(f"Besides these, the {_LAYER_SECTION.link(page)}.\n")
    return "\n".join(parts)


def _layer_table() -> str:
    rules = dict(_leaf_rules(schema_layer.LAYER))
    rows = []
    for path, child, required in _properties({"properties": schema_layer.LAYER}, layer=True):
        rule = next((words for known, words in rules.items() if path == known), "")
        rows.append(
            (f"`{path}`", _type(child, _TENANT), _need(child, required), RULE_WORDS.get(rule, ""), _meaning(child))
        )
    return table(("Key", "Type", "Default", "Inheritance", "Meaning"), rows)


def _leaf_rules(fields: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    def walk(path: str, rule: t.Any) -> Iterator[tuple[str, str]]:
        if isinstance(rule, str):
            yield path, rule
        else:
            for key, below in rule.items():
                yield from walk(f"{path}.{key}", below)

    for name, node in fields.items():
        yield from walk(name, node["x-merge"])


def _properties(node: Schema, prefix: str = "", layer: bool = False) -> Iterator[tuple[str, Schema, bool]]:
    """Every key below I(node), down to parts that have a section of their own."""
    for key, child in node["properties"].items():
        if not layer and schema_layer.LAYER.get(key) is child:
            continue
        path = prefix + key
        yield path, child, key in node.get("required", ())
        if layer and "$ref" in child:
            child = _target(child)
        while child.get("type") == "array" and "$ref" not in child:
            child, path = child["items"], path + "[]"
        if isinstance(child.get("additionalProperties"), dict):
            child, path = child["additionalProperties"], f"{path}.{_ITEM_NAMES.get(key, '<name>')}"
        if "properties" in child and not _named(child):
            yield from _properties(child, path + ".", layer)
            if not layer and set(schema_layer.LAYER) <= set(child["properties"]):
                yield path + ".…", {"description": "The fields of every level.", "x-layer": True}, False


def _target(node: Schema) -> Schema:
    return t.cast(Schema, schema_layer.DEFINITIONS[node["$ref"].rsplit("/", 1)[1]])


def _named(node: Schema) -> Section | None:
    if "$ref" in node:
        return _SHAPES.get(node["$ref"].rsplit("/", 1)[1])
    # the same keys with another description are the same section
    return next((section for section in _SECTIONS if section.node["properties"] is node.get("properties")), None)


def _type(node: Schema, page: str) -> str:
    section = _named(node)
    if section:
        return section.link(page)
    if node.get("x-layer"):
        return _LAYER_SECTION.link(page)
    if "$ref" in node:
        return "mapping"
    kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
    words = []
    for kind in kinds:
        inside = node.get("items") if kind == "array" else node.get("additionalProperties")
        text = _TYPES[kind]
        words.append(f"{text} of {_type(inside, page)}" if isinstance(inside, dict) else text)
    return " or ".join(words)


def _need(node: Schema, required: bool) -> str:
    if required:
        return "**required**"
    return f"`{json.dumps(node['default'])}`" if "default" in node else ""


def _meaning(node: Schema) -> str:
    known = {**_target(node), **node} if "$ref" in node else node
    parts = [markdown(known["description"])]
    values = known.get("enum") or (known.get("items") or {}).get("enum")
    if values:
        words = next((g for g in _GLOSSARIES if list(g) == values), {})
        told = [f"`{value}`" + (f" ({words[value]})" if value in words else "") for value in values]
        parts.append(f"One of {', '.join(told)}.")
    if "pattern" in known and not known.get("x-date"):
        parts.append(known.get("x-hint", ""))
    return " ".join(part for part in parts if part)


if set(RULE_WORDS) != set(RULES):
    raise SystemExit(f"an inheritance rule has no words: {sorted(set(RULE_WORDS) ^ set(RULES))}")
