# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one API server: one pool of connections, retries within bounds, errors that people understand."""

from __future__ import annotations

import json
import re
import threading
import time
import typing as t
import zlib
from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from urllib.parse import urlencode

from .._libraries import load
from . import unreachable
from .access import Access
from .errors import CONFLICT, LiveError
from .login import Login

urllib3 = load("urllib3")

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY, _INTERNAL, _FORBIDDEN, _INVALID = 401, 404, 429, 500, 403, 422
#: The server, or what stands before it, is away for a moment.
_AWAY = (502, 503, 504)
#: What a server that breaks on this very request gets; others get the whole patience.
_INTERNAL_TRIES = 5
_CONFLICT_TRIES = 8
_LONGEST_PAUSE = 5.0
#: Until the first answer of a server, which may not exist.
_FIRST_PATIENCE = 20.0
#: The same when it refuses connections: a server that starts does so for a moment, a wrong address for ever.
_REFUSED_PATIENCE = 4.0
#: Seconds of silence after which people are told what is waited for, and between two such lines.
_SILENCE, _SILENCE_BETWEEN = 1.0, 10.0
#: Seconds after it was away in which a server may refuse what it allows: it has not read all rights yet.
_SETTLING = 10.0
_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')
_MOST_WARNINGS = 50


class Answer(t.NamedTuple):
    """An answer of the API server."""

    status: int
    body: dict[str, t.Any]
    headers: Mapping[str, str]


class Session:
    """Requests of one run to one API server. Threads may share it.

    @param patience: seconds for which a request is repeated while the server does not answer or asks to wait. When it
      has done nothing else for so long, later requests fail at once.
    @param timeout: seconds to wait for a single answer.
    @param progress: tells people what it waits for.
    """

    def __init__(
        self,
        access: Access,
        *,
        parallel: int = 8,
        patience: float = 60.0,
        timeout: float = 30.0,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self._access, self._parallel, self._patience = access, parallel, patience
        self._timeout = urllib3.Timeout(connect=min(10.0, timeout), read=timeout)
        self._lock = threading.Lock()
        self._login = Login(access, parallel)
        self._progress, self._told = progress, 0.0
        self._away_since: float | None = None
        self._back_since: float | None = None
        self._answered = False
        self._given_up: LiveError | None = None
        #: Nobody counts quotas: waited for once is enough.
        self._uncounted = False
        self.requests: dict[str, int] = {}
        self.warnings: list[str] = []

    @classmethod
    def open(cls, access: Access, **options: t.Any) -> Session:
        """@raises LiveError: the configuration cannot be used."""
        return cls(access, **options)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._login.close()

    @property
    def host(self) -> str:
        return self._login.host

    @property
    def endpoint(self) -> dict[str, t.Any]:
        """The way to the API server, as a kubeconfig tells it."""
        return self._login.endpoint()

    def get(self, path: str) -> dict[str, t.Any] | None:
        """The object at a path, None when there is none."""
        answer = self.request("get", "GET", path, ok=(_NOT_FOUND,))
        return None if answer.status == _NOT_FOUND else answer.body

    def request(
        self,
        verb: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: t.Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        ok: Collection[int] = (),
        where: str = "",
    ) -> Answer:
        """Sends a request that may be sent twice, as all of ours may.

        @param verb: the Kubernetes verb, for the count.
        @param ok: statuses from 400 on that are an answer, not an error.
        @param where: what the request is about, for messages.
        @raises LiveError: there is no answer, or it is an error.
        """
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        start, tries, renewed = time.monotonic(), 0, False
        while True:
            if self._given_up:
                raise LiveError(where or self.host, f"not tried, because {self._given_up.what}", self._given_up.fix)
            login = self._login
            tries += 1
            self._count(verb if tries == 1 else "retry", verb)
            try:
                answer = self._send(login, method, target, data, content_type, accept)
            except urllib3.exceptions.HTTPError as error:
                refused = unreachable.is_refused(error)
                self._pause(self._unreachable(error, login), tries, start, target, away=True, refused=refused)
                continue
            if answer.status in (*_AWAY, _TOO_MANY):
                # when it turns everybody away for the whole patience, there is no use in asking for each object anew
                self._answered = self._answered or answer.status == _TOO_MANY
                failure = _error(answer, where or self.host, login)
                self._pause(failure, tries, start, target, away=True, wait=_retry_after(answer))
                continue
            if self._away_since is not None:
                self._away_since, self._back_since = None, time.monotonic()
            self._answered = True
            if answer.status < 400 or answer.status in ok:
                return answer
            if answer.status == _UNAUTHORIZED and not renewed:
                renewed = True
                if self._renew(login):
                    continue
            failure = _error(answer, where or self.host, login)
            uncounted = _is_uncounted(answer)
            unsettled = answer.status in (_UNAUTHORIZED, _FORBIDDEN) and self._is_settling()
            if not (unsettled or _passing(answer, failure, tries) or (uncounted and not self._uncounted)):
                raise failure
            try:
                self._pause(failure, tries, start, target, wait=_retry_after(answer))
            except LiveError:
                self._uncounted = self._uncounted or uncounted
                raise

    def _send(
        self, login: Login, method: str, target: str, data: bytes | None, content_type: str, accept: str
    ) -> Answer:
        headers = login.headers()
        headers["Accept"] = accept
        if data is not None:
            headers["Content-Type"] = content_type
        # a public name of the library that sends headers as they are: one may be there several times
        raw = login.pool.request_encode_url(
            method,
            login.host + target,
            body=data,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=self._timeout,
        )
        self._hear(raw.headers)
        try:
            body = json.loads(raw.data) if raw.data else {}
        except ValueError:
            body = {"message": raw.data.decode("utf-8", "replace")[:300].strip()}
            if raw.status < 400:
                raise LiveError(
                    login.host, "its answer is not JSON, so it is no API server.", "Check the host and the proxy."
                ) from None
        return Answer(raw.status, body, raw.headers)

    def _count(self, verb: str, kind: str) -> None:
        with self._lock:
            self.requests[kind] = self.requests.get(kind, 0) + 1
            if verb == "retry":
                self.requests["retry"] = self.requests.get("retry", 0) + 1

    def _hear(self, headers: t.Any) -> None:
        for line in headers.getlist("Warning") if "Warning" in headers else ():
            for text in _WARNING.findall(line):
                with self._lock:
                    if text not in self.warnings and len(self.warnings) < _MOST_WARNINGS:
                        self.warnings.append(text.replace('\\"', '"'))

    def _unreachable(self, error: t.Any, login: Login) -> LiveError:
        text = unreachable.reason(error)
        if isinstance(error, urllib3.exceptions.SSLError) and "certificate" in str(error).lower():
            raise LiveError(
                login.host,
                f"the encrypted connection fails: {text}.",
                "Check ca_cert (or certificate-authority-data of the kubeconfig), the host name, and the clock.",
            ) from None
        return LiveError(
            login.host, f"the API server cannot be reached: {text}.", "Check that it runs and that the way is open."
        )

    def _pause(
        self,
        failure: LiveError,
        tries: int,
        start: float,
        target: str,
        *,
        away: bool = False,
        refused: bool = False,
        wait: float = 0.0,
    ) -> None:
        """Waits before the next try, or gives up."""
        now = time.monotonic()
        first = _REFUSED_PATIENCE if refused else _FIRST_PATIENCE
        patience = self._patience if self._answered else min(self._patience, first)
        if away:
            with self._lock:
                since = self._away_since = self._away_since or now
            if now - since >= patience:
                self._given_up = failure
                raise failure
        spread = 0.5 + zlib.crc32(target.encode()) % 1000 / 2000
        pause = max(wait, min(0.1 * 2 ** (tries - 1), _LONGEST_PAUSE) * spread)
        if now + pause - start > patience:
            raise LiveError(
                failure.where,
                f"{failure.what.rstrip('.')} (tried {tries} times).",
                failure.fix,
                status=failure.status,
                body=failure.body,
            )
        self._tell(failure, now - start + pause, patience)
        time.sleep(pause)

    def _is_settling(self) -> bool:
        return self._back_since is not None and time.monotonic() - self._back_since < _SETTLING

    def _tell(self, failure: LiveError, waited: float, patience: float) -> None:
        """A line while nothing happens, one for all threads."""
        now = time.monotonic()
        with self._lock:
            if self._progress is None or waited < _SILENCE or now - self._told < _SILENCE_BETWEEN:
                return
            self._told = now
        self._progress(f"{failure.where}: {failure.what.rstrip('.')}; trying again for up to {patience:.0f} s")

    def _renew(self, refused: Login) -> bool:
        """Logs in again, once for all threads: the token's file or the exec plugin may have a newer one."""
        with self._lock:
            if self._login is not refused:
                return True
            try:
                self._login = Login(self._access, self._parallel)
            except LiveError:
                return False
            return True


def _passing(answer: Answer, failure: LiveError, tries: int) -> bool:
    """Whether the same request may succeed a little later."""
    message = str(answer.body.get("message", ""))
    if answer.status == _INTERNAL:
        # an object that does not fit its schema is answered like this as well
        return tries < _INTERNAL_TRIES and "typed" not in message and "schema" not in message
    if answer.status == CONFLICT:
        # others wrote the same object in the same moment; a precondition that fails once fails for ever
        return tries < _CONFLICT_TRIES and not failure.is_conflict and "recondition" not in message
    return False


def _is_uncounted(answer: Answer) -> bool:
    """Whether the quota is so new that nobody has counted yet."""
    return answer.status == _FORBIDDEN and "status unknown for quota" in str(answer.body.get("message", ""))


def _retry_after(answer: Answer) -> float:
    try:
        return max(0.0, float(answer.headers.get("Retry-After", 0)))
    except ValueError:
        return 0.0


_INSTALL = "ansible-playbook k8s.self_provisioning.provisioner_access -e provisioner_kubeconfig=<administrator's>"
_RIGHTS = f"Give this identity the provisioner's rights ({_INSTALL}), or use another one."
#: What the provisioner has only when an administrator says so.
_ON_REQUEST = {
    'cannot delete resource "namespaces"': "The provisioner may delete namespaces only when it is told so: "
    f"{_INSTALL} -e provisioner_delete_namespaces=true",
    'cannot create resource "subjectaccessreviews"': "The provisioner may ask for rights only when it is told so: "
    f"{_INSTALL} -e provisioner_access_reviews=true",
}


def _error(answer: Answer, where: str, login: Login) -> LiveError:
    message = str(answer.body.get("message") or f"HTTP status {answer.status}").rstrip(".")
    fix = ""
    if answer.status == _UNAUTHORIZED:
        since = login.expired()
        message = f"the API server does not accept the login{f': its token expired at {since}' if since else ''} (401)"
        fix = "Get a new token or client certificate, then run again; what was done stays done."
        where = login.host
    elif _is_uncounted(answer):
        fix = "Check that kube-controller-manager runs; it counts quotas."
    elif answer.status == _FORBIDDEN and "cannot" in message:
        fix = next((told for right, told in _ON_REQUEST.items() if right in message), _RIGHTS)
    elif answer.status == _TOO_MANY:
        fix = "The API server is overloaded; run again later or lower parallel."
    return LiveError(where, f"{message}.", fix, status=answer.status, body=answer.body)
