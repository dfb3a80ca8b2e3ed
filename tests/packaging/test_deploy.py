"""The files that the page on deployment shows pass the check of the program that reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.documents import REPOSITORY

FOLDER = REPOSITORY / "docs" / "deploy"
BIN = Path(sys.executable).parent


def check(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a program that checks a file; it says what is wrong, and fails then."""
    run = subprocess.run(
        command, cwd=FOLDER, env={**os.environ, **(env or {})}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_gunicorn_takes_its_file(tmp_path: Path) -> None:
    store = {"DASH_BRAIN_STORE": f"file://{tmp_path}"}
    check(
        sys.executable, "-m", "gunicorn", "--check-config", "-c", "gunicorn.conf.py", "app:server", env=store
    )


@pytest.mark.parametrize(("key", "services"), [("00" * 32, {"app1", "app2", "nginx", "redis"}), ("", set())])
def test_docker_compose_takes_its_file_and_asks_for_a_key(key: str, services: set[str]) -> None:
    # The exit status of the packaged program is always 0.
    run = subprocess.run(
        [BIN / "docker-compose", "-f", "compose.yaml", "config", "--services"],
        cwd=FOLDER,
        env={**os.environ, "DASH_BRAIN_KEY": key},
        capture_output=True,
        text=True,
    )
    assert set(run.stdout.split()) == services, run.stderr
    assert ("DASH_BRAIN_KEY is missing" in run.stderr) == (not key)


def test_the_dockerfile_has_no_known_fault() -> None:
    # Versions are pinned by whoever deploys.
    check(BIN / "hadolint", "--ignore=DL3013", "Dockerfile")


def test_kubernetes_takes_its_file() -> None:
    check(BIN / "kubernetes-validate", "--strict", "kubernetes.yaml")


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    # The names of the containers are known in their network only.
    text = (FOLDER / "nginx.conf").read_text()
    (tmp_path / "nginx.conf").write_text(text.replace("app1:", "127.0.0.1:").replace("app2:", "127.0.0.1:"))
    pid = f"pid {tmp_path}/pid; error_log stderr;"
    check("nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-g", pid)


@pytest.mark.parametrize("load", [("10", "1"), ("100", "2")])
def test_the_page_on_sizing_shows_what_is_simulated(load: tuple[str, str]) -> None:
    sessions, hosts = load
    command = ["-m", "tests.benchmarks.sessions", "--sessions", sessions, "--hosts", hosts]
    run = subprocess.run(
        [sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    header, _, row = run.stdout.splitlines()
    page = (REPOSITORY / "docs" / "sizing.md").read_text().splitlines()
    assert header in page
    assert row in page
