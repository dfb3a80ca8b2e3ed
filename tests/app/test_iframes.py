"""An app in a frame of another site, in a real browser: which modes of the cookie keep a session there."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.browsers import chrome, patience
from tests.servers import Server

#: Two sites, both on this machine.
APP, SHOP = "app.test", "shop.test"

BROWSER = ("--host-resolver-rules=MAP *.test 127.0.0.1", "--ignore-certificate-errors")

#: As browsers do that let no site see its cookies in frames of others, unless they are partitioned.
NO_THIRD_PARTY_COOKIES = "--test-third-party-cookie-phaseout"
NO_COOKIES = {"profile.default_content_setting_values.cookies": 2}


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a key and a certificate that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, APP)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    files = folder / "key.pem", folder / "certificate.pem"
    files[0].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    files[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


@pytest.fixture(scope="module")
def serve_https(serve_for_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Server]:
    """Serve the app by https in a mode of the cookie, once for all tests that ask for the mode."""
    key, certificate = make_certificate(tmp_path_factory.mktemp("certificate"))
    options = (f"--keyfile={key}", f"--certfile={certificate}")
    running: dict[str, Server] = {}

    def serve(mode: str) -> Server:
        if mode not in running:
            env = {"DASH_BRAIN_COOKIE": mode}
            # Threads: browsers open connections in advance, and a worker without them waits there.
            running[mode] = serve_for_module(
                "tests.app.framed:server", workers=2, threads=8, env=env, options=options
            )
        return running[mode]

    return serve


class Framed:
    """The app in a frame of a page of another site."""

    def __init__(self, driver: Any, server: Server) -> None:
        port = urlsplit(server.url).port
        self.driver = driver
        self.app = f"https://{APP}:{port}/"
        self.page = f"https://{SHOP}:{port}/embed?app={self.app}"
        self.open(self.page)

    def open(self, url: str) -> None:
        self.driver.get(url)
        if url == self.page:
            self.driver.switch_to.frame(self.driver.find_element("tag name", "iframe"))
        self.wait("shown", "empty")

    def text(self, component: str) -> str:
        found = self.driver.find_elements("id", component)
        return found[0].text if found else ""

    def wait(self, component: str, text: str) -> None:
        patience(self.driver).until(
            lambda _: self.text(component).startswith(text), f"{component}: {self.text(component)!r}"
        )

    def click(self, component: str, said: str) -> None:
        self.driver.find_element("id", component).click()
        self.wait("said", said)


@contextmanager
def framed(server: Server, *options: str, **more: Any) -> Iterator[Framed]:
    with chrome(*BROWSER, *options, **more) as driver:
        yield Framed(driver, server)


def test_a_lax_cookie_is_not_kept_in_a_frame_and_page_and_log_say_what_to_do(serve_https):
    server = serve_https("lax")
    with framed(server) as page:
        page.click("make", "NoSession: There is no session: the browser sent no session cookie.")
        assert 'cookie="iframe"' in page.text("said")
        assert "page_without_session: cross_site_frame" in server.log
        page.open(page.app)  # not in a frame all is well
        page.click("make", "made 1")
        page.wait("shown", "shows 1")


def test_a_partitioned_cookie_is_kept_where_third_party_cookies_are_not(serve_https):
    with framed(serve_https("iframe"), NO_THIRD_PARTY_COOKIES) as page:
        for made in (1, 2):
            page.click("make", f"made {made}")
            page.wait("shown", f"shows {made}")
        page.open(page.page)
        page.click("make", "made 3")  # a reload is the same session
        page.open(page.app)
        page.click("make", "made 1")  # but another site's frame is another one
        page.open(page.page)
        page.click("close", "closed")
        page.click("make", "made 1")
        page.wait("shown", "shows 1")


def test_a_page_is_a_session_where_no_cookies_are_kept_at_all(serve_https):
    with framed(serve_https("page"), preferences=NO_COOKIES) as page:
        for made in (1, 2):
            page.click("make", f"made {made}")
            page.wait("shown", f"shows {made}")
        page.open(page.page)
        page.click("make", "made 1")  # a reload is another session
        page.wait("shown", "shows 1")
        page.click("close", "closed")
        page.click("make", "NoSession: There is no session: it was closed")
        page.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait("shown", "empty")  # what it held is dead, and cleared


def test_partitioned_cookies_too_are_refused_where_all_are(serve_https):
    with framed(serve_https("iframe"), preferences=NO_COOKIES) as page:
        page.click("make", "NoSession: There is no session: the browser sent no session cookie.")
        assert 'cookie="page"' in page.text("said")
