# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read when there is no answer, for every way not to answer. All of them are real."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.access import Access
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session

FIX = " Check that it runs and that the way is open."


def hang_up(taken: socket.socket) -> None:
    """Closes after the question: closing over unread data would be a reset."""
    taken.recv(65536)
    taken.close()


@contextlib.contextmanager
def listener(answer: Callable[[socket.socket], object] | None) -> Iterator[int]:
    """A port; nobody listens there when there is no answer to give."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        kept: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while answer:
                    kept.append(server.accept()[0])
                    answer(kept[-1])

        if answer:
            server.listen()
            threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for each in kept:
            each.close()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("url", "proxy", "answer", "expected"),
    [
        ("https://127.0.0.1:{port}", None, None, "Connection refused"),
        ("http://127.0.0.1:{port}", None, None, "Connection refused"),
        ("http://10.0.0.1", "http://user:secret-word@127.0.0.1:{port}", None, "the proxy: Connection refused"),
        ("http://nowhere.invalid", None, None, "its name cannot be resolved ("),
        ("http://127.0.0.1:{port}", None, hang_up, "Remote end closed connection without response"),
        ("http://127.0.0.1:{port}", None, lambda s: s.sendall(b"220 hello\r\n"), "its answer is not HTTP"),
        ("http://127.0.0.1:{port}", None, lambda _s: None, "it takes the connection and does not answer in time"),
        ("https://127.0.0.1:{port}", None, lambda s: s.sendall(b"220 hello\r\n"), "[SSL: WRONG_VERSION_NUMBER]"),
    ],
)
def test_why_there_is_no_answer(
    url: str, proxy: str | None, answer: Callable[[socket.socket], object] | None, expected: str
) -> None:
    with listener(answer) as port:
        access = Access(host=url.format(port=port), proxy=proxy and proxy.format(port=port), api_key="secret-word")
        with Session.open(access, patience=0.3, timeout=0.2) as session, pytest.raises(LiveError) as caught:
            session.get("/api")
    text = str(caught.value)
    assert f"the API server cannot be reached: {expected}" in text
    assert text.endswith(f".{FIX}"), text
    for unwanted in ("HTTPConnection", "HTTPSConnection", "object at 0x", "secret-word", ".."):
        assert unwanted not in text


def test_refused_at_once_is_given_up_soon_and_not_in_silence() -> None:
    told: list[str] = []
    with listener(None) as port:
        access = Access(host=f"https://127.0.0.1:{port}")
        start = time.monotonic()
        with Session.open(access, progress=told.append) as session, pytest.raises(LiveError):
            session.get("/api")
    assert 2 < time.monotonic() - start < 15, "others get 20 s"
    assert told == [
        f"https://127.0.0.1:{port}: the API server cannot be reached: Connection refused; trying again for up to 4 s"
    ]
