# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict YAML: duplicate keys are found, dates stay text, vaulted values stay closed, and each value has its line."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .._libraries import load as library
from .._model.errors import Key, ModelError, show
from .plain import MOST_VALUES

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = library("yaml")

_LONGEST_NUMBER = 400
_DEEPEST = 100
#: Nesting needs brackets, or columns; fewer than these cannot be too deep.
_SURELY_SHALLOW = 300
_MERGE = "tag:yaml.org,2002:merge"


class YamlError(ModelError):
    """A file that is not YAML, or not the YAML that we accept. I(line) is 0 when unknown."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Vaulted(str):
    """A value that Ansible Vault encrypted; its text is the ciphertext."""

    __slots__ = ()


class Literal(str):
    """Text that its author marked C(!unsafe): what looks like a template in it is none."""

    __slots__ = ()


@dataclass(frozen=True)
class Document:
    """What a file holds. I(marked) when values of the types C(Vaulted) and C(Literal) may be among it."""

    value: t.Any
    duplicates: tuple[YamlError, ...] = ()
    marked: bool = False


def _safe() -> t.Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=1)
def _strict() -> t.Any:
    """A safe loader that leaves dates as text and knows Ansible's tags."""
    base = _safe()

    class Strict(base):  # type: ignore[misc,valid-type]
        marked = False

        def vaulted(self, node: yaml.Node) -> Vaulted:
            self.marked = True
            return Vaulted(self.construct_scalar(node))

        def literal(self, node: yaml.Node) -> t.Any:
            self.marked = True
            if isinstance(node, yaml.MappingNode):
                return _literal(self.construct_mapping(node, deep=True))
            if isinstance(node, yaml.SequenceNode):
                return _literal(self.construct_sequence(node, deep=True))
            return Literal(self.construct_scalar(node))

        def short(self, node: yaml.Node) -> t.Any:
            # a number in base 60 takes time that grows with the square of its length
            if isinstance(node, yaml.ScalarNode) and len(node.value) > _LONGEST_NUMBER:
                raise YamlError(f"the number has {len(node.value)} digits.", _line(node))
            kind = node.tag.rpartition(":")[2]
            return self.construct_yaml_int(node) if kind == "int" else self.construct_yaml_float(node)

    Strict.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))
    for tag in ("!vault", "!vault-encrypted"):
        Strict.add_constructor(tag, Strict.vaulted)
    Strict.add_constructor("!unsafe", Strict.literal)
    for tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        Strict.add_constructor(tag, Strict.short)
    return Strict


def _literal(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return Literal(value) if isinstance(value, str) and not isinstance(value, Vaulted) else value


def unmarked(value: t.Any, closed: Callable[[tuple[Key, ...]], t.Any], keys: tuple[Key, ...] = ()) -> t.Any:
    """I(value) in plain types. I(closed) is told the place of each vaulted value, and gives what stands for it."""
    if isinstance(value, dict):
        return {str.__str__(k) if isinstance(k, str) else k: unmarked(v, closed, (*keys, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [unmarked(item, closed, (*keys, index)) for index, item in enumerate(value)]
    if isinstance(value, Vaulted):
        return closed(keys)
    return str.__str__(value) if isinstance(value, str) else value


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _shallow(text: str) -> None:
    """Refuses nesting without end, on which the parser would exhaust the stack and take the whole process with it."""
    brackets = text.count("[") + text.count("{")
    if brackets < _SURELY_SHALLOW and (
        len(text) < _SURELY_SHALLOW or max(map(len, text.split("\n"))) < _SURELY_SHALLOW
    ):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_safe()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise YamlError(f"it is nested more than {_DEEPEST} levels deep.", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _look(node: yaml.Node, known: dict[int, int], duplicates: list[YamlError]) -> int:
    """How many values a node stands for, each alias counted as often as it is used; itself inside itself is endless."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MOST_VALUES + 1
    size = 1
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                name = key.value
                if name in seen and key.tag != _MERGE:
                    what = f"the key {show(name)} stands here twice; it is also on line {seen[name]}."
                    duplicates.append(YamlError(what, _line(key)))
                seen[name] = _line(key)
            else:
                size += _look(key, known, duplicates)
            size += _look(value, known, duplicates)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            size += _look(item, known, duplicates)
    known[id(node)] = size
    return size


def documents(text: str, *, single: bool = False) -> Iterator[Document]:
    """Each document of a YAML file.

    @param single: more than one is an error.
    @raises YamlError: it cannot be read, or holds a tag that is not data.
    """
    loader = None
    try:
        _shallow(text)
        loader = _strict()(text)
        if single:
            node = loader.get_single_node()
            yield _document(loader, node)
            return
        while loader.check_node():
            yield _document(loader, loader.get_node())
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
        if loader is not None:
            loader.dispose()


def _document(loader: t.Any, node: yaml.Node | None) -> Document:
    if node is None:
        return Document(None)
    duplicates: list[YamlError] = []
    if _look(node, {}, duplicates) > MOST_VALUES:
        raise YamlError("its aliases multiply to more values than can be meant.", _line(node))
    loader.marked = False
    return Document(loader.construct_document(node), tuple(duplicates), loader.marked)


def read(text: str) -> Document:
    """The one document of a file, with what is wrong in it.

    @raises YamlError: it cannot be read, or holds a tag that is not data.
    """
    return next(documents(text, single=True))


def load(text: str) -> t.Any:
    """The value of a YAML document.

    @raises YamlError: it cannot be read, holds a key twice, or holds a tag that is not data.
    """
    document = read(text)
    if document.duplicates:
        raise document.duplicates[0]
    return document.value


class Lines:
    """Finds the lines of values in YAML files; every file is parsed once, and only when somebody asks."""

    def __init__(self, read_text: Callable[[Path], str]) -> None:
        self._read_text = read_text
        self._roots: dict[Path, yaml.Node | None] = {}

    def line(self, path: Path, keys: Iterable[Key]) -> int:
        """The line of the value at I(keys), or of its nearest parent; 0 when the file cannot be read."""
        if path not in self._roots:
            try:
                text = self._read_text(path)
                _shallow(text)
                self._roots[path] = yaml.compose(text, Loader=_safe())
            except (OSError, ValueError, RecursionError, yaml.YAMLError):
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
