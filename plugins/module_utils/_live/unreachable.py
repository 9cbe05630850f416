# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why there is no answer, in words: the HTTP library tells it with its own objects in the text."""

from __future__ import annotations

import http.client
import re
import socket
import typing as t
from collections.abc import Iterator

from .._libraries import load

urllib3 = load("urllib3")

_USERINFO = re.compile(r"//[^/@\s]+@")
#: C(HTTPSConnection(host='x', port=1): ) and C(<urllib3.connection.HTTPSConnection object at 0x1>: ).
_OBJECT = re.compile(r"(?:HTTPS?Connection(?:Pool)?\([^)]*\)|<[^>]*>):? ?")


def is_refused(error: BaseException) -> bool:
    """Whether somebody is there who says that nobody listens."""
    return any(isinstance(each, ConnectionRefusedError) for each in _causes(error))


def reason(error: BaseException) -> str:
    """A few words, without a full stop and without secrets."""
    return ("the proxy: " if isinstance(error, urllib3.exceptions.ProxyError) else "") + _words(error)


def _words(error: BaseException) -> str:
    for each in _causes(error):
        if isinstance(each, socket.gaierror):
            return f"its name cannot be resolved ({each.strerror})"
        if isinstance(each, OSError) and each.strerror:
            return str(each.strerror)
        if isinstance(each, http.client.BadStatusLine) and not isinstance(each, OSError):
            return "its answer is not HTTP"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "it takes the connection and does not answer in time"
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return "it does not take the connection in time"
    inner = [each for each in error.args if isinstance(each, BaseException)]
    return _USERINFO.sub("//***@", _OBJECT.sub("", str(inner[-1] if inner else error))).strip().rstrip(".")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it."""
    seen: list[BaseException] = []
    waiting: list[t.Any] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in seen:
            seen.append(each)
            yield each
            waiting += [*each.args, each.__cause__, each.__context__]
