# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A placement written into the text of a tenant file, and nothing else changed there."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from .._libraries import load as library
from .._model.entities import Placement
from . import emit
from .errors import TreeError
from .placements import notes

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = library("yaml")

# no word of YAML 1.1 has a dash in it or ends in a digit
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+|[a-z]+[0-9]+")


def record_in_inventory(
    text: str, variable: str, project: str, environment: str, placement: Placement | Mapping[str, t.Any]
) -> str:
    """A tenant file with the placement of one environment written into it.

    Only that one entry is touched: comments, quotes, order and indentation of all else stay as they are, byte for byte.
    What comes out is read again and compared before it is returned.

    @param text: the tenant file.
    @param variable: the tenant's variable, such as C(tenant__physics).
    @param placement: a placement, or a mapping with C(clusters), C(decided_at) and C(reason).
    """
    where = f"{variable}.projects[{project}].environments[{environment}]"
    entry: dict[str, t.Any] = (
        {"clusters": list(placement.clusters), **notes(placement)}
        if isinstance(placement, Placement)
        else {key: placement[key] for key in ("clusters", "decided_at", "reason") if placement.get(key)}
    )
    entry["clusters"] = list(entry["clusters"])
    node = _environment_node(text, variable, project, environment, where)
    result = _insert(text, node, _flow(entry))
    expected = _meaning(_compose(text, where))
    _find_meaning(expected, variable, project, environment)["placement"] = _meaning(_compose(_flow(entry), where))
    try:
        same = _meaning(_compose(result, where)) == expected
    except TreeError:
        same = False
    if not same:
        raise TreeError(
            where,
            "the placement cannot be written here without changing something else (an anchor, or an unusual form).",
            f"Write it by hand: placement: {_flow(entry)}",
        )
    return result


def declares_placement(text: str, variable: str, project: str, environment: str) -> bool:
    """Whether the tenant file already says where an environment lives."""
    where = f"{variable}.projects[{project}].environments[{environment}]"
    return _child(_environment_node(text, variable, project, environment, where), "placement") is not None


def _flow(entry: Mapping[str, t.Any]) -> str:
    parts = [f"clusters: [{', '.join(map(_name, entry['clusters']))}]"]
    parts += [f"{key}: {emit.quoted(str(entry[key]))}" for key in ("decided_at", "reason") if key in entry]
    return "{" + ", ".join(parts) + "}"


def _name(cluster: str) -> str:
    return cluster if _PLAIN_NAME.fullmatch(cluster) else emit.quoted(cluster)


def _compose(text: str, where: str) -> yaml.Node:
    try:
        # the Python parser: its marks count characters
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise TreeError(
            where, f"the file is not YAML{f' in line {mark.line + 1}' if mark else ''}.", "Mend it first."
        ) from None
    if node is None:
        raise TreeError(where, "the file is empty.", "Look for the right file.")
    return node


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                return t.cast(yaml.Node, value)
    return None


def _item(node: yaml.Node | None, key: str, name: str) -> yaml.Node | None:
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        found = _child(item, key)
        if isinstance(found, yaml.ScalarNode) and found.value == name:
            return t.cast(yaml.Node, item)
    return None


def _environment_node(text: str, variable: str, project: str, environment: str, where: str) -> yaml.MappingNode:
    listed = _child(_child(_compose(text, where), variable), "projects")
    node = _item(_child(_item(listed, "id", project), "environments"), "name", environment)
    if not isinstance(node, yaml.MappingNode):
        raise TreeError(where, "the file does not declare this environment.", "Look for the right file.")
    return node


def _insert(text: str, node: yaml.MappingNode, flow: str) -> str:
    for key, old in node.value:
        if key.value == "placement":
            return f"{text[: key.end_mark.index]}: {flow}{text[_end(old) :]}"
    name = next(value for key, value in node.value if key.value == "name")
    at = name.end_mark.index
    if node.flow_style:
        at = _end(node) - 1
        before = text[:at].rstrip()
        comma = " " if before.endswith(",") else ", "
        return f"{before}{comma}placement: {flow}{text[len(before) :]}"
    line_end = text.find("\n", at)
    indent = " " * node.value[0][0].start_mark.column
    if line_end < 0:
        # the last line stays without an end, as it was
        newline = "\r\n" if "\r\n" in text else "\n"
        return f"{text}{newline}{indent}placement: {flow}"
    newline = "\r\n" if text[line_end - 1] == "\r" else "\n"
    return f"{text[: line_end + 1]}{indent}placement: {flow}{newline}{text[line_end + 1 :]}"


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends. The mark of a block collection stands after the comments that follow it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return t.cast(int, node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _meaning(node: yaml.Node) -> t.Any:
    if isinstance(node, yaml.MappingNode):
        return {_hashable(key): _meaning(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_meaning(item) for item in node.value]
    return (node.tag, node.value)


def _hashable(key: yaml.Node) -> t.Any:
    return key.value if isinstance(key, yaml.ScalarNode) else repr(_meaning(key))


def _find_meaning(data: t.Any, variable: str, project: str, environment: str) -> dict[str, t.Any]:
    def named(items: list[dict[str, t.Any]], key: str, name: str) -> dict[str, t.Any]:
        return next(item for item in items if isinstance(item, dict) and item.get(key, ("", ""))[1] == name)

    return named(named(data[variable]["projects"], "id", project)["environments"], "name", environment)
