# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a cluster's authorizer: may somebody do something? Many at once, over one pool of connections."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from .session import Session

_API = "authorization.k8s.io/v1"
_PATH = f"/apis/{_API}/subjectaccessreviews"


class Verdict(t.NamedTuple):
    """An answer, and what it says for a reason."""

    allowed: bool
    reason: str


def ask(session: Session, specs: Sequence[Mapping[str, t.Any]], parallel: int = 8) -> list[Verdict]:
    """The answers, in the order of the questions. Nothing is stored on the cluster.

    @param specs: of SubjectAccessReviews.
    @raises LiveError: the API server cannot be reached, or the identity may not ask.
    """

    def one(spec: Mapping[str, t.Any]) -> Verdict:
        body = {"apiVersion": _API, "kind": "SubjectAccessReview", "spec": spec}
        status = session.request("create", "POST", _PATH, body=body, where="access reviews").body["status"]
        return Verdict(bool(status.get("allowed")), str(status.get("reason") or status.get("evaluationError") or ""))

    if not specs:
        return []
    # The first one alone: when it is not allowed to ask, nobody needs to hear that a thousand times.
    first = one(specs[0])
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        return [first, *pool.map(one, specs[1:])]
