# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML text that every parser reads as what was meant."""
# ruff: noqa: E501, RUF005, SIM905 - tables of text are easier to read in wide lines of words

from __future__ import annotations

import json
import re
import typing as t

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import emit
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

#: What YAML 1.1, YAML 1.2, Go's parser or a hurried reader takes for something else than text.
MISREAD = (
    "y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false null Null NULL ~ nan .nan .NaN inf .inf -.inf "
    "+.inf 1e3 1E3 1e+3 1.5e-3 0o7 0o17 017 0x1F 0b101 12:30:00 1:20 190:20:30.15 1_000 +1 -1 1. .5 -.5 0 00 1.0 1,000 "
    "2026-01-01 2026-01-01T10:00:00Z << = - ? : --- ... ! !!str !vault & &a * *a | |- > >- % %YAML @ ` # #a [] [ ] {} { } , "
    "a: a:b :a a:# '# ' \" ' '' \"\" \\ \\n ${HOME} {{x}} {%x%} - -a ?a :a *.example.org 8 8.8 1e 1E 1Ei 16GI 10.0.0.1.5 "
    "0x 0b 1__ _1 1K 1e5m 5m1 e3 E3 v1e3"
).split(" ") + [
    "",
    " ",
    "  a",
    "a  ",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "a\tb",
    "\t",
    "\ta",
    "é",
    "日本",
    "😀",
    "\ufeff",
    "\x85",
    "\u2028",
    "\x00",
    "\x07",
    "\x7f",
    "\r",
    "a\rb",
    "\ud7ff",
    "\uffff",
    "\ue000",
]
BLOCKS = [
    "a\nb",
    "a\nb\n",
    "a\nb\n\n",
    "\n",
    "\n\n",
    "\na",
    " a\nb",
    "a\n b",
    "a\n  \nb",
    "a\n\n\nb",
    "a\n ",
    "a\n\t",
    "a\r\nb",
    "a\tb\nc",
    "#!/bin/sh\nset -e\n",
    "- a\n- b\n",
    "a: b\n",
    "---\na\n...\n",
    "a \nb \n",
    "\ta\nb",
    "%a\nb",
    "a\n\x85b",
    "a\n\x00b",
]

_PIECES = st.one_of(
    st.sampled_from([*MISREAD, *BLOCKS]),
    st.text(st.sampled_from("ab:#- \n\t'\"\\{}[],&*!|>%@`?\r\x85\u2028\ufeff\x00\x7fé😀=<~.0123e_yn"), max_size=30),
    st.text(max_size=40),
    st.lists(st.text(max_size=8), max_size=6).map("\n".join),
)
TEXT = _PIECES.filter(lambda text: not re.search("[\ud800-\udfff]", text))
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), TEXT
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXT, inner, max_size=5)),
    max_leaves=25,
)


def load_1_2(text: bytes) -> list[t.Any]:
    return list(YAML(typ="safe", pure=True).load_all(text))


LOADERS: dict[str, t.Callable[[bytes], list[t.Any]]] = {
    "PyYAML": lambda text: list(yaml.load_all(text, Loader=yaml.SafeLoader)),
    "libyaml": lambda text: list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))),
    "ruamel.yaml, YAML 1.2": load_1_2,
}


def exactly(value: t.Any) -> str:
    """Tells 1 from 1.0 and from true."""
    return json.dumps(value)


@settings(max_examples=400)
@given(st.lists(st.dictionaries(TEXT, VALUE, max_size=4), max_size=3))
def test_every_parser_reads_back_what_was_written(documents: list[dict[str, t.Any]]) -> None:
    text = emit.render(documents, "a test")
    for name, load in LOADERS.items():
        assert exactly(load(text)) == exactly(documents), name


@pytest.mark.parametrize("text", [*MISREAD, *BLOCKS])
def test_hostile_text_as_key_value_and_item(text: str) -> None:
    documents = [{text: text, "list": [text, [text, [text]], {text: text}], "map": {text: {text: [text]}}}]
    rendered = emit.render(documents, "a test")
    for name, load in LOADERS.items():
        assert exactly(load(rendered)) == exactly(documents), name


# Read by sigs.k8s.io/yaml (a YAML 1.1 parser in Go) these would become booleans or numbers.
@pytest.mark.parametrize(
    "text", "y Y yes No ON off 1e3 0o7 12:30:00 1_000 .5 1. 0x1F 2026-01-01 ~ null .inf << =".split()
)
def test_what_parsers_disagree_on_is_quoted(text: str) -> None:
    assert f'value: "{text}"\n' in emit.render([{"value": text}], "a test").decode()


@pytest.mark.parametrize(
    "text",
    [
        "apps/v1",
        "registry.example.org:5000/a/b:1.2",
        "system:serviceaccount:a:b",
        "16Gi",
        "500m",
        "10.20.0.0/16",
        "./deploy",
        "kubernetes.io/metadata.name",
        "Physics department",
        "team@example.org",
        "5m",
        "v1.30.3",
    ],
)
def test_what_is_harmless_stays_readable(text: str) -> None:
    assert f"value: {text}\n" in emit.render([{"value": text}], "a test").decode()


def test_the_form_of_a_file() -> None:
    documents: list[dict[str, t.Any]] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x", "labels": {}, "finalizers": []},
            "data": {"script": "set -e\necho 'a: b'\n", "kept": "a\n\n", "cut": "a\nb", "on": "no", "number": "1"},
            "list": [{"a": 1, "b": [True, None, 1.5, 1e16]}, ["x", ["y z"]], "t"],
        },
        {"kind": "Second"},
    ]
    assert emit.render(documents, "tenant__physics").decode() == (
        "# Written by k8s.self_provisioning from tenant__physics; changes here are overwritten.\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: {}\n  finalizers: []\n"
        "data:\n  script: |\n    set -e\n    echo 'a: b'\n  kept: |+\n    a\n\n  cut: |-\n    a\n    b\n"
        '  "on": "no"\n  number: "1"\n'
        "list:\n- a: 1\n  b:\n  - true\n  - null\n  - 1.5\n  - 1.0e+16\n- - x\n  - - y z\n- t\n"
        "---\nkind: Second\n"
    )


@pytest.mark.parametrize("text", ["a\n  \nb", "a\n\t\nb", "a\n "])
def test_lines_of_blanks_are_visible(text: str) -> None:
    assert f"value: {json.dumps(text)}\n" in emit.render([{"value": text}], "a test").decode()


def test_shared_parts_become_no_aliases() -> None:
    part = {"a": ["b"]}
    text = emit.render([{"one": part, "two": part, "three": [part, part]}], "a test").decode()
    assert "&" not in text
    assert "*" not in text
    assert yaml.safe_load(text)["three"] == [part, part]


def test_tagged_subclasses_are_written_as_what_they_are() -> None:
    class Text(str):
        __slots__ = ()

    class Table(dict):  # type: ignore[type-arg]
        pass

    class Items(list):  # type: ignore[type-arg]
        pass

    class Number(int):
        pass

    tagged = Table({Text("a"): Items([Text("on"), Number(3), True]), "m": Text("x\ny\n")})
    plain = {"a": ["on", 3, True], "m": "x\ny\n"}
    assert emit.render([tagged], "a test") == emit.render([plain], "a test")
    assert emit.digest([tagged], "a test") == emit.digest([plain], "a test")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1, {"c": object}]}}, "document 1.a.b[1].c: a value of type type has no form in YAML."),
        ({"a": float("nan")}, "document 1.a: nan is not a number that JSON has."),
        ({"a": [float("-inf")]}, "document 1.a[0]: -inf is not a number"),
        ({"a": {1: "x"}}, "document 1.a: the key 1 is not a string."),
        ({"a": {None: "x"}}, "document 1.a: the key None is not a string."),
        ({"a": "\ud800"}, r"document 1.a: '\ud800' is not a character."),
        ({"a": "b\n\udfff"}, r"document 1.a: '\udfff' is not a character."),
        ({"\udfff": 1}, r"is not a character."),
        ({"a": {"k" * 1001: 1}}, "is longer than 1000 characters."),
        ({"a": b"bytes"}, "document 1.a: a value of type bytes has no form in YAML."),
        ({"a": {"set"}}, "a value of type set has no form in YAML."),
    ],
)
def test_what_has_no_form_is_refused_with_its_place(value: dict[str, t.Any], message: str) -> None:
    with pytest.raises(TreeError, match=re.escape(message)):
        emit.render([value], "a test")


def test_text_is_written_as_it_is() -> None:
    assert emit.render("a\n: é\n", "ignored") == "a\n: é\n".encode()
    assert emit.digest("a", "x") == emit.digest("a", "y")
    with pytest.raises(TreeError, match="is not a character"):
        emit.render("a\ud800", "ignored")


@settings(max_examples=300)
@given(
    st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=2),
    st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=2),
)
def test_the_digest_is_equal_when_and_only_when_the_bytes_are(one: list[t.Any], two: list[t.Any]) -> None:
    equal = emit.render(one, "a test") == emit.render(two, "a test")
    assert (emit.digest(one, "a test") == emit.digest(two, "a test")) == equal
    copy = json.loads(json.dumps(one))
    assert emit.digest(copy, "a test") == emit.digest(one, "a test")
    assert emit.render(copy, "a test") == emit.render(one, "a test")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {"a": "null"}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": []}, {"a": {}}),
        ({"a": ""}, {"a": None}),
    ],
)
def test_the_digest_tells_apart(one: dict[str, t.Any], two: dict[str, t.Any]) -> None:
    assert emit.digest([one], "a test") != emit.digest([two], "a test")
    assert emit.digest([one], "a test") != emit.digest([one], "another source")
