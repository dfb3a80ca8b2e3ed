"""What every test may ask for: a store of its own, a clean Dash, gunicorn, and browsers."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

REPOSITORY = Path(__file__).resolve().parent.parent

#: The store of this test run. No test reads or writes the default store of whoever runs the tests.
STORE_NAME = f"test-{os.getpid()}-{secrets.token_hex(4)}"
_stores = {STORE_NAME}


def pytest_configure(config: pytest.Config) -> None:
    """Point this process and its children at the run's own store and at this source, before anything else.

    A hook and not a fixture: the doctests of the package lie outside this folder, where no fixture of
    this file reaches.
    """
    for name in [name for name in os.environ if name.startswith("DASH_BRAIN_")]:
        if name != "DASH_BRAIN_SOAK":  # how much the torture tests do
            del os.environ[name]
    os.environ["DASH_BRAIN_STORE"] = f"shm://{STORE_NAME}"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    _load_hypothesis_profile()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the helpers out: ``--doctest-modules`` would import, and so start, the apps among them."""
    helper = collection_path.suffix == ".py" and not collection_path.name.startswith("test_")
    return True if helper and collection_path.is_relative_to(REPOSITORY / "tests") else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note the store that the doctests name; a run without them must not remove it under another's feet."""
    if any(isinstance(item, pytest.DoctestItem) for item in session.items):
        _stores.add("example")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the stores of this run."""
    from dash_brain.stores import SharedMemoryStore
    from tests.stores.places import remove

    for name in _stores:
        remove(SharedMemoryStore(name))


def _load_hypothesis_profile() -> None:
    from hypothesis import settings

    # A shared machine makes deadlines flaky, and CI must judge one commit the same way twice.
    settings.register_profile("dash_brain", deadline=None, derandomize="CI" in os.environ, print_blob=True)
    settings.load_profile("dash_brain")


@pytest.fixture(scope="session")
def store_name() -> str:
    """The name of the run's own store: ``shm://<store_name>``."""
    return STORE_NAME


@pytest.fixture(scope="session")
def store_url(store_name: str) -> str:
    return f"shm://{store_name}"


@pytest.fixture(autouse=True)
def _clean_dash() -> Iterator[None]:
    """Forget the callbacks that were registered without an app; the next app would adopt them."""
    _clear_dash_globals()
    yield
    _clear_dash_globals()


def _clear_dash_globals() -> None:
    if "dash" not in sys.modules:
        return
    from dash import _callback

    for name in ("GLOBAL_CALLBACK_LIST", "GLOBAL_CALLBACK_MAP", "GLOBAL_INLINE_SCRIPTS", "GLOBAL_API_PATHS"):
        getattr(_callback, name).clear()


# -- gunicorn ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A running gunicorn: where it listens (no slash at the end) and what it has printed so far."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


#: ``serve(target, workers=4, threads=1, env=None, folder=REPOSITORY, options=())``
Serve: TypeAlias = Callable[..., Server]


@contextmanager
def gunicorn(
    target: str,
    workers: int = 4,
    threads: int = 1,  # Dash sets itself up during its first request: another thread's then fails
    env: Mapping[str, str] | None = None,
    folder: Path = REPOSITORY,
    options: Sequence[str] = (),
    within: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve ``target`` (``"module:server"``, found in ``folder``) on a free port while the block runs.

    ``within`` is a command that becomes the one that it is given, such as ``unshare``.
    """
    handle, name = tempfile.mkstemp(prefix="gunicorn-", suffix=".log")
    command = [*within, sys.executable, "-m", "gunicorn", target, "--bind=127.0.0.1:0", f"--chdir={folder}"]
    command += [f"--workers={workers}", f"--threads={threads}", "--graceful-timeout=5", *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=handle,
        stderr=handle,
        start_new_session=True,  # a process group of its own, so that no worker outlives the test
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
    )
    os.close(handle)
    log_file = Path(name)
    try:
        yield Server(_wait_until_ready(process, log_file), process, log_file)
    finally:
        _stop(process)
        log_file.unlink()


def _wait_until_ready(process: subprocess.Popen[bytes], log_file: Path, timeout: float = 60) -> str:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        listening = re.search(r"Listening at: (https?://\S+)", log_file.read_text(errors="replace"))
        if listening and _answers(listening[1]):
            return listening[1]
        time.sleep(0.05)
    raise RuntimeError(f"gunicorn does not answer; it printed:\n{log_file.read_text(errors='replace')}")


def _answers(url: str) -> bool:
    try:
        # The icon, because asking for the page or the layout would run the app's own code.
        # Certificates of tests are signed by nobody.
        urlopen(f"{url}/_favicon.ico", timeout=30, context=ssl._create_unverified_context()).close()
    except HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
    finally:
        with suppress(ProcessLookupError):  # all of them are gone, as they should be
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start gunicorns that end with the test: ``serve("examples.gallery:server").url``."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(gunicorn(*args, **kwargs))


@pytest.fixture(scope="module")
def serve_for_module() -> Iterator[Serve]:
    """Start gunicorns that all tests of a module share."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(gunicorn(*args, **kwargs))


# -- Redis -------------------------------------------------------------------------------------------


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The address of a Redis of its own, empty, which ends with the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command = [_find("redis-server"), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        _wait_for_port(process, port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for_port(process: subprocess.Popen[bytes], port: int, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError("redis-server does not answer.")


# -- browsers ----------------------------------------------------------------------------------------

CHROME_OPTIONS = [
    "--headless",
    "--no-sandbox",  # Chrome refuses to run as root with one, and containers have no other user
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm may be 64 MiB, and it is what is being tested
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--window-size=1200,900",
]


@contextmanager
def chrome(*more_options: str, preferences: Mapping[str, object] | None = None) -> Iterator[Chrome]:
    """A headless Chrome with a fresh profile: a user of its own, with cookies of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="chrome-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = _find("chromium", "chromium-browser", "google-chrome")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", dict(preferences or {}))
        for option in [*CHROME_OPTIONS, *more_options, f"--user-data-dir={profile}"]:
            options.add_argument(option)
        driver = webdriver.Chrome(service=Service(_find("chromedriver")), options=options)
        try:
            yield driver
        finally:
            driver.quit()


def _find(*programs: str) -> str:
    for program in programs:
        if found := shutil.which(program):
            return found
    raise RuntimeError(f"{' or '.join(programs)} is not installed; `make test` says how to get it.")


@pytest.fixture(scope="module")
def browser_for_module() -> Iterator[Chrome]:
    """A browser that all tests of a module share, which saves seconds: see :func:`forget_everything`."""
    with chrome() as driver:
        yield driver


def forget_everything(driver: Chrome) -> None:
    """Make a new user of a browser: no cookies, no log, and one empty tab, of which no storage is left."""
    before = driver.window_handles
    driver.switch_to.new_window("tab")
    new = driver.current_window_handle
    for handle in before:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(new)
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    for log in ("browser", "performance"):
        driver.get_log(log)


@pytest.fixture
def browser_factory() -> Iterator[Callable[[], Chrome]]:
    """Open browsers that end with the test, each with a profile of its own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(chrome())


@pytest.fixture
def browser(browser_for_module: Chrome) -> Chrome:
    """The browser of the module, as a new user's."""
    forget_everything(browser_for_module)
    return browser_for_module
