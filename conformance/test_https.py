"""Models from an `https://` URL, trusted by the machine's root certificates."""

import functools
import http.server
import pathlib
import ssl
import threading

import pytest

from harness import archives
from harness.hosting import error_of, variant
from harness.server import Server

CERTIFICATES = pathlib.Path(__file__).with_name("certificates")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serves a folder over TLS as `localhost`; gives its URL."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "model.tar.gz").write_bytes(archives.tar_gz({"weights": b"there"}))
    (folder / "hostile.tar.gz").write_bytes(archives.HOSTILE["escapes its folder"][0])

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATES / "server.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as made:
        made.socket = tls.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield f"https://localhost:{made.server_port}"
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server():
    made = Server(environment={"SSL_CERT_FILE": str(CERTIFICATES / "authority.pem")})
    try:
        yield made.start()
    finally:
        made.close()


def settled(hosting, url):
    name = hosting.begin(hosting.config(variant(hosting.model(data=url))))
    with hosting.removed_after(name):
        seen = hosting.settled(name)
        return hosting.invoke(name) if seen["EndpointStatus"] == "InService" else seen["FailureReason"]


def test_a_model_comes_over_tls(hosting, site):
    assert settled(hosting, f"{site}/model.tar.gz") == b"tide"


def test_each_failure_is_told(hosting, site):
    for url, told in [
        (f"{site}/absent.tar.gz", "404"),
        (f"{site}/hostile.tar.gz", "escaped"),
        # The certificate is another name's.
        (f"{site.replace('localhost', '127.0.0.1')}/model.tar.gz?X-Amz-Signature=hidden", "certificate"),
        ("https://me:hidden@localhost/model.tar.gz", "without a user name"),
    ]:
        reason = settled(hosting, url)
        assert told in reason, reason
        assert "hidden" not in reason


def test_http_is_no_model_url(hosting, site):
    code, text, _ = error_of(hosting.model, data=f"{site.replace('https', 'http')}/model.tar.gz")
    assert code == "ValidationException"
    assert "modelDataUrl" in text
