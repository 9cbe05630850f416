# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of OpenVZ 6 and 7, from what C(vzlist -a -j) prints."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterable, Mapping

from .look import Section, days
from .machine import OPENVZ, RUNNING, STOPPED, Machine, gib, os_name
from .virsh import day

_STATES = {"running": RUNNING, "stopped": STOPPED, "mounted": STOPPED, "suspended": "suspended"}
#: vzlist writes a text as it is, with quotes and backslashes; each stands on a line of its own.
_TEXT = re.compile(r'^(\s*"[\w.]+": ")(.*)("(?:,)?)$')
_PAGE = 4096
#: What beancounters hold when there is no limit is the largest number of the architecture.
_NO_LIMIT = 1 << 31


def machines(host: str, answer: Iterable[Section]) -> tuple[list[Machine], list[str]]:
    """The containers of a host, and what could not be read."""
    listed: list[Mapping[str, t.Any]] = []
    problems: list[str] = []
    times: dict[str, list[int]] = {}
    for section in answer:
        if section.title[0] == "vzlist":
            rows, problem = _rows(section)
            listed += rows
            problems += [problem] if problem else []
        elif section.title[0] == "vzfiles":
            for words in map(str.split, section.lines):
                if len(words) == 3:
                    name = words[2].rpartition("/")[2].removesuffix(".conf")
                    times.setdefault(name, []).extend(days(words[:2]))
    return [_machine(host, row, times) for row in listed], problems


def _rows(section: Section) -> tuple[list[Mapping[str, t.Any]], str]:
    text = section.text.strip()
    if not text:  # a host without containers prints nothing
        return (
            [],
            f"vzlist failed: {section.errors[0] if section.errors else 'no reason given'}" if section.failed else "",
        )
    for attempt in (text, "\n".join(_TEXT.sub(_quoted, line) for line in section.lines)):
        try:
            rows = json.loads(attempt)
        except ValueError:
            continue
        if isinstance(rows, list) and all(isinstance(row, dict) and "ctid" in row for row in rows):
            return rows, ""
    return [], "what vzlist printed cannot be read: it is no list of containers in JSON."


def _quoted(match: re.Match[str]) -> str:
    inside = json.dumps(match.group(2), ensure_ascii=False)[1:-1]
    return f"{match.group(1)}{inside}{match.group(3)}"


def _machine(host: str, row: Mapping[str, t.Any], times: Mapping[str, list[int]]) -> Machine:
    number = str(row["ctid"])
    name = _word(row, "name") or _word(row, "hostname") or f"ct{number}"
    machine = Machine(f"{host}/{number}", name, OPENVZ, host, sources=[host])
    machine.state = _STATES.get(_word(row, "status"), "unknown")
    machine.note = _word(row, "description")
    machine.os = os_name(_word(row, "ostemplate") or _word(row, "distribution"))
    machine.addresses = [each.split("/")[0] for each in row.get("ip") or [] if isinstance(each, str)]
    cpus = row.get("cpus")
    machine.cpus = cpus if isinstance(cpus, int) and cpus > 0 else None
    pages, blocks = _limit(row, "physpages", "limit"), _limit(row, "diskspace", "hardlimit")
    machine.memory_gib = gib(pages * _PAGE / (1 << 20)) if pages else None
    machine.disk_gib = gib(blocks / (1 << 10)) if blocks else None
    known = times.get(number)
    if known:
        machine.created, machine.created_from = day(min(known)), "files"
    return machine


def _word(row: Mapping[str, t.Any], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) and value.strip() != "-" else ""


def _limit(row: Mapping[str, t.Any], key: str, part: str) -> int:
    values = row.get(key)
    value = values.get(part) if isinstance(values, dict) else None
    return value if isinstance(value, int) and 0 < value < _NO_LIMIT else 0
