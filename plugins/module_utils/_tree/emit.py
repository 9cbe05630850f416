# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to YAML text.

Written by hand and not with PyYAML for two reasons. The tree must be byte-identical on every controller, and PyYAML's
C and Python emitters differ from one another and between versions. And it is what most of a run's time goes into: this
one is several times faster than PyYAML's C emitter.

The text means the same to YAML 1.1 parsers (PyYAML, C(sigs.k8s.io/yaml)) and to YAML 1.2 parsers: a string is written
plain only when it has one of a few harmless forms, all others are quoted. There are no aliases, no flow collections but
empty ones, and no folded lines.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import typing as t
from functools import lru_cache

from .errors import TreeError

#: What a file holds: YAML documents, or text that is written as it is.
Content: t.TypeAlias = "t.Sequence[t.Mapping[str, t.Any]] | str"

#: Raise it when the same objects give other text, so that files are written anew.
FORMAT = "1"
MARK = "# Written by k8s.self_provisioning"

# Parsers look at most 1024 characters ahead for the colon of a key.
_LONGEST_KEY = 1000
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_PLAIN = re.compile(
    r"(?:[A-Za-z/]|\./)(?:[A-Za-z0-9_./+@=(),;'-]|:(?=[A-Za-z0-9_./-])| (?=[A-Za-z0-9_/(]))*"  # words, paths, images
    r"|[0-9]+(?:[smhkMGTP]|[KMGTPE]i)"  # amounts and durations
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?",  # addresses
    re.ASCII,
)
# everything that a parser might drop, join, or refuse
_UNSAFE = re.compile(r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile(
    r"[^\x20\x21\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# blanks at the end of a line cannot be seen, and editors remove them
_BLANK = re.compile(r"\n[ \t]+(?:\n|\Z)")
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def render(content: Content, source: str) -> bytes:
    """The bytes of a file.

    @param content: documents, or text.
    @param source: where it comes from, for the comment in the first line.
    @raises TreeError: a value that YAML has no form for; the message names its place.
    """
    if isinstance(content, str):
        return _encode(content, "the text")
    out = [f"{header(source)}\n"]
    for number, document in enumerate(content):
        out.append("---\n")
        try:
            if document:
                _mapping(out, t.cast("dict[str, t.Any]", _plain(document)), "", "")
            else:
                out.append("{}\n")
        except _Unfit:
            place, what = _fault(document, f"document {number + 1}") or (
                f"document {number + 1}",
                "it cannot be written.",
            )
            raise TreeError(place, what, "Correct what it is built from.") from None
    return _encode("".join(out), "the documents")


def header(source: str) -> str:
    """The comment in the first line."""
    return f"{MARK} from {source}; changes here are overwritten."


def digest(content: Content, source: str) -> str:
    """Changes when, and only when, C(render) would give other bytes; much cheaper than rendering."""
    if isinstance(content, str):
        source, text = "text", content
    else:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=repr)
    data = f"{FORMAT}\n{source}\n{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class _Unfit(Exception):
    """A value without a form in YAML."""


def _mapping(out: list[str], value: dict[str, t.Any], indent: str, first: str) -> None:
    """I(first) is the indent of the first line: none when it continues the line of a dash."""
    for key, item in value.items():
        head = first + _key(key)
        first = indent
        if item.__class__ is str:
            out.append(f"{head}: {_text(item, indent)}\n")
            continue
        item = _plain(item)
        if item.__class__ is dict and item:
            out.append(head + ":\n")
            deeper = indent + "  "
            _mapping(out, item, deeper, deeper)
        elif item.__class__ is list and item:
            out.append(head + ":\n")
            _sequence(out, item, indent, indent)
        else:
            out.append(f"{head}: {_scalar(item, indent)}\n")


def _sequence(out: list[str], value: list[t.Any], indent: str, first: str) -> None:
    for item in value:
        item = _plain(item)
        if item.__class__ is dict and item:
            out.append(first + "- ")
            _mapping(out, item, indent + "  ", "")
        elif item.__class__ is list and item:
            out.append(first + "- ")
            _sequence(out, item, indent + "  ", "")
        else:
            out.append(f"{first}- {_scalar(item, indent)}\n")
        first = indent


def _plain(value: t.Any) -> t.Any:
    """Subclasses (such as those in which ansible-core tags values) become what they are a kind of."""
    kind = type(value)
    if kind in _KINDS:
        return value
    for base, convert in _CONVERSIONS:
        if isinstance(value, base):
            return convert(value)
    raise _Unfit


_KINDS = frozenset((str, bool, int, float, dict, list, type(None)))
_CONVERSIONS: tuple[tuple[type, t.Callable[[t.Any], t.Any]], ...] = (
    (str, str),
    (int, int),
    (float, float),
    (dict, dict),
    (list, list),
    (tuple, list),
)


def _scalar(value: t.Any, indent: str) -> str:
    if isinstance(value, str):
        return _text(value, indent)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        digits = repr(value)
        # YAML 1.1 wants a point before an exponent
        return digits.replace("e", ".0e") if "e" in digits and "." not in digits else digits
    if not value and isinstance(value, (dict, list)):
        return "[]" if isinstance(value, list) else "{}"
    raise _Unfit


@lru_cache(maxsize=1 << 14)
def _key(key: t.Any) -> str:
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        raise _Unfit
    return _line(key if key.__class__ is str else str(key))


def _text(value: str, indent: str) -> str:
    if "\n" in value and value[0] not in " \t\n" and not _UNSAFE.search(value) and not _BLANK.search(value):
        return _literal(value, indent + "  ")
    return _line(value)


def _literal(value: str, indent: str) -> str:
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    lines = [indent + line if line else "" for line in body.split("\n")]
    # the last new line is that of the line itself
    return "\n".join(["|-" if ends == 0 else "|" if ends == 1 else "|+", *lines, *[""] * (ends - 1)])


@lru_cache(maxsize=1 << 16)
def _line(value: str) -> str:
    """A string on one line: plain when that is safe, else in double quotes."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """A string in double quotes."""
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise _Unfit
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _fault(value: t.Any, place: str) -> tuple[str, str] | None:
    """Where and why a value has no form in YAML."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return place, f"the key {key!r} is not a string."
            if len(key) > _LONGEST_KEY:
                return place, f"the key {key[:20]!r}… is longer than {_LONGEST_KEY} characters."
            found = _fault(key, f"{place}, key {key[:60]!r}") or _fault(item, f"{place}.{key[:60]}")
            if found:
                return found
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found = _fault(item, f"{place}[{index}]")
            if found:
                return found
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return place, f"{value[error.start]!r} is not a character."
    elif isinstance(value, float):
        return None if math.isfinite(value) else (place, f"{value} is not a number that JSON has.")
    elif value is not None and not isinstance(value, int):
        return place, f"a value of type {type(value).__name__} has no form in YAML."
    return None


def _encode(text: str, place: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TreeError(place, f"{text[error.start]!r} is not a character.", "Remove it.") from None
