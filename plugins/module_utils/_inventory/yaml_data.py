# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict YAML: duplicate keys are errors, dates stay text, and every value can be found again by line."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from .._libraries import load as library
from .._model.errors import Key, ModelError
from .plain import MOST_VALUES

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = library("yaml")


class YamlError(ModelError):
    """A file that is not YAML, or not the YAML that we accept. I(line) is 0 when unknown."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _safe() -> t.Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=1)
def _strict() -> t.Any:
    """A safe loader that refuses duplicate keys and leaves dates as text."""
    base = _safe()

    class Strict(base):  # type: ignore[misc,valid-type]
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[t.Any, t.Any]:
            seen: dict[str, int] = {}
            for key, _value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        first = seen[key.value]
                        raise YamlError(
                            f"the key {key.value!r} stands here twice; it is also on line {first}.", _line(key)
                        )
                    seen[key.value] = _line(key)
            return t.cast("dict[t.Any, t.Any]", super().construct_mapping(node, deep))

    for tag in ("tag:yaml.org,2002:timestamp", "!unsafe", "!vault"):
        Strict.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))
    return Strict


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for, each alias counted as often as it is used; itself inside itself is endless."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MOST_VALUES + 1
    if isinstance(node, yaml.MappingNode):
        below = sum(_size(value, known) for _key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        below = sum(_size(item, known) for item in node.value)
    else:
        below = 0
    known[id(node)] = 1 + below
    return 1 + below


def load(text: str) -> t.Any:
    """The value of a YAML document.

    @raises YamlError: it cannot be read, holds a key twice, or holds a tag that is not data.
    """
    loader = _strict()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_VALUES:
            raise YamlError("its aliases multiply to more values than can be meant.", _line(node))
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(
            f"it is not valid YAML: {error.problem or error.context}.", mark.line + 1 if mark else 0
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"it is not valid YAML: {' '.join(str(error).split())[:200]}.", 0) from None
    finally:
        loader.dispose()


class Lines:
    """Finds the lines of values in YAML files; every file is parsed once, and only when somebody asks."""

    def __init__(self) -> None:
        self._roots: dict[Path, yaml.Node | None] = {}

    def line(self, path: Path, keys: Iterable[Key]) -> int:
        """The line of the value at I(keys), or of its nearest parent; 0 when the file cannot be read."""
        if path not in self._roots:
            try:
                self._roots[path] = yaml.compose(path.read_text(encoding="utf-8"), Loader=_safe())
            except (OSError, UnicodeDecodeError, yaml.YAMLError):
                self._roots[path] = None
        node = self._roots[path]
        if node is None:
            return 0
        line = _line(node)
        for key in keys:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node, key: Key) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == str(key):
                return _line(name), value
    elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return _line(node.value[key]), node.value[key]
    return None
