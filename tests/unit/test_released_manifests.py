# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Released manifests that cannot be had: whose fault it is, and no password."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _released

SUM = f"sha256:{64 * '0'}"


class _Mirror(BaseHTTPRequestHandler):
    """Breaks off in the middle of C(/half)."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100" if self.path == "/half" else "4")
        self.end_headers()
        self.wfile.write(b"a: b")

    def log_message(self, *_unused: object) -> None:
        pass


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("path", "said"), [("half", "cannot be read: IncompleteRead"), ("whole", f"not {SUM}")])
def test_without_the_password(mirror: str, path: str, said: str) -> None:
    with pytest.raises(LiveError) as caught:
        _released.read(f"http://bot:s3cret@{mirror}/{path}", SUM)
    assert said in str(caught.value)
    assert f"http://***@{mirror}/{path}" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_what_is_no_manifest_is_named_without_the_password(mirror: str) -> None:
    address = f"http://bot:s3cret@{mirror}/whole"
    found = f"sha256:{hashlib.sha256(b'a: b').hexdigest()}"
    with pytest.raises(LiveError) as caught:
        _released.parsed({"manifest": address, "checksum": found}, address)
    assert "s3cret" not in str(caught.value)
