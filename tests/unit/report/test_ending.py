# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last words of a run, for everything that a run can have done at once."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.account import Account
from ansible_collections.k8s.self_provisioning.plugins.module_utils._report.changes import Run, plan, summary
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.deliver import Outcome, of_result
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.writer import TreeResult

from .orgs import cluster, fleet, on, tenant

ROOT = Path("/srv/fleet")
FLEET = fleet([tenant("a", {"name": "prod", **on("east")})], {"east": cluster(), "west": cluster()})
EAST, WEST = "clusters/east/config/facts.yaml", "clusters/west/config/facts.yaml"
WRITTEN = "clusters/east/tenants/a/a-lab-prod.yaml"
COMMIT = "0123456789abcdef"
FACTS = ("written", "repaired", "foreign", "committed", "pushed", "recorded", "limited", "check")


def outcome(facts: dict[str, bool]) -> Outcome:
    tree = TreeResult(
        created=[WRITTEN] if facts["written"] else [],
        repaired=[EAST] if facts["repaired"] else [],
        foreign=["clusters/east/config/theirs.yaml"] if facts["foreign"] else [],
        unchanged=[WEST, "ledger.csv"],
        manifest_changed=facts["written"],
    )
    return Outcome(
        FLEET,
        tree,
        of_result(tree),
        commit=COMMIT if facts["committed"] and not facts["check"] else "",
        committed=facts["committed"],
        pushed=facts["pushed"],
        left_out=["west"] if facts["limited"] else [],
    )


def ending(text: list[str]) -> str:
    """The last paragraph, as one line."""
    return " ".join(text[len(text) - text[::-1].index("") :])


@pytest.mark.parametrize("report", [plan, summary])
def test_the_last_words_are_true(report: object) -> None:
    for values in itertools.product((False, True), repeat=len(FACTS)):
        facts = dict(zip(FACTS, values, strict=True))
        run = Run(facts["check"], ["east"] if facts["limited"] else [], ["tenants/a.yml"] if facts["recorded"] else [])
        lines = report(outcome(facts), Account(), ROOT, run)  # type: ignore[operator]
        last, text = ending(lines), "\n".join(lines)
        did = [name for name in ("written", "repaired", "committed", "pushed", "recorded") if facts[name]]
        begin = ("Would be done", "Nothing would change") if facts["check"] else ("Done", "Nothing changed")
        assert last.startswith(f"{begin[0 if did else 1]} in {ROOT}: "), (facts, last)
        told = {
            "written": "1 file created",
            "repaired": "1 file put back after a change by hand",
            "committed": "committed" if facts["check"] else f"committed as {COMMIT[:12]}",
            "pushed": "pushed",
            "recorded": "1 tenant file given placements",
        }
        for name, words in told.items():
            assert (words in last) is facts[name], (facts, last)
        if did:
            assert "nothing" not in text.lower().replace("nothing for any tenant", ""), (facts, text)
        earlier = not (facts["written"] or facts["repaired"])
        assert ("what had not been committed yet is" in last) is (facts["committed"] and earlier), (facts, last)
        assert ("earlier commits are pushed" in last) is (facts["pushed"] and not facts["committed"]), (facts, last)
        if facts["limited"]:
            assert "1 file of east and of the fleet as a whole was as declared already" in last, (facts, last)
            assert last.endswith("1 other cluster (west) was not looked at."), (facts, last)
        else:
            assert last.endswith("2 files were as declared already."), (facts, last)
        assert ("  clusters/east/config/theirs.yaml" in lines) is facts["foreign"]
        assert (f"  {EAST}" in lines) is facts["repaired"]
        put_back = "CHANGED BY HAND, WOULD BE PUT BACK (1)" if facts["check"] else "CHANGED BY HAND, PUT BACK (1)"
        assert (put_back in lines) is facts["repaired"]
        if not facts["check"]:
            assert "would" not in text.lower(), (facts, text)


@pytest.mark.parametrize(
    ("tree", "more", "check", "expected"),
    [
        (TreeResult(recovered=True), {}, False, "Done in /srv/fleet: an interrupted earlier run completed."),
        (TreeResult(manifest_changed=True), {}, False,
         "Done in /srv/fleet: the list of files, .fleet-manifest.json, written anew."),
        (TreeResult(removed=["x"]), {"refusals": ["too much"]}, True,
         "A real run would stop and leave /srv/fleet as it is; see the warning. It was to do: 1 file removed."),
    ],
)  # fmt: skip
def test_rare_endings(tree: TreeResult, more: dict[str, list[str]], check: bool, expected: str) -> None:
    lines = plan(Outcome(FLEET, tree, of_result(tree), **more), Account(), ROOT, Run(check))
    assert ending(lines) == expected


@pytest.mark.parametrize("kind", ["repaired", "foreign"])
def test_files_of_others_are_named_up_to_a_bound(kind: str) -> None:
    files = [f"clusters/east/config/{index:02}.yaml" for index in range(22)]
    result = TreeResult(repaired=files) if kind == "repaired" else TreeResult(foreign=files)
    lines = plan(Outcome(FLEET, result, of_result(result)), Account(), ROOT, Run(check=True))
    at = lines.index(f"  {files[0]}")
    assert lines[at : at + 11] == [*(f"  {name}" for name in files[:10]), "  and 12 more"]
    assert "(22)" in lines[at - 1]
