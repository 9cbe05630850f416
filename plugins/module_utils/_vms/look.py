# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script of the role prints on a hypervisor, cut into sections.

A line C(@@ title) begins a section, C(@@ error ...) is a line of a program's error output, and C(@@ failed N) says that
the program of the section ended with an error. The last line is C(@@ end), so that a torn answer is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_MARK = "@@ "
END = "end"


@dataclass
class Section:
    """The output of one program. I(title) says which: C(libvirt), C(xml <uuid>) and so on."""

    title: list[str]
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def sections(output: str) -> list[Section]:
    """The sections of an answer. What stands before the first one, such as a banner, is left out."""
    found: list[Section] = []
    # a terminal stands between, and sends a carriage return with each line
    for line in output.replace("\r", "").split("\n"):
        if not line.startswith(_MARK):
            if found:
                found[-1].lines.append(line)
            continue
        word, _space, rest = line[len(_MARK) :].partition(" ")
        if word == "error" and found:
            found[-1].errors.append(rest)
        elif word == "failed" and found:
            found[-1].failed = True
        else:
            found.append(Section([word, *rest.split()]))
    return found


def days(numbers: list[str]) -> list[int]:
    """Seconds since 1970 among what C(stat -c '%W %Y') printed, which is 0, - or ? where it is not known."""
    return [int(number) for number in numbers if number.isdigit() and int(number) > 0]
