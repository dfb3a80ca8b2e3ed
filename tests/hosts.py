"""Several hosts on one machine, behind nginx: each has shared memory, temp folders and a network of its own.

They have no network: a Redis and nginx are reached by sockets in a folder.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.programs import REPOSITORY, find
from tests.servers import Server, answers, start, stop

#: Begins a command on a host of its own; it sees the same files but for those places.
_HOST = (
    *("unshare", "--mount", "--net", "--ipc", "--uts", "sh", "-c"),
    'for place in /dev/shm /var/tmp; do mount -t tmpfs -o size=2g tmpfs "$place"; done; exec "$@"',
    "host",
)

_NGINX = """
daemon off;
user root; # as the hosts are, whose sockets are in a private folder
pid {folder}/nginx.pid;
error_log {folder}/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    upstream app {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 100m;
        location / {{
            proxy_pass http://app;
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@contextmanager
def hosts(target: str, env: Mapping[str, str], number: int = 2, workers: int = 2) -> Iterator[Server]:
    """Serve ``target`` on several hosts, to which nginx gives the requests in turn; all have one log."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hosts-")))
        log_file = folder / "log"
        log_file.touch()
        for n in range(number):
            arguments = ["-m", "gunicorn", target, f"--bind=unix:{folder}/{n}", f"--chdir={REPOSITORY}"]
            arguments += [f"--workers={workers}", "--threads=4", "--preload", "--graceful-timeout=1"]
            stack.callback(stop, start(_HOST, arguments, output=log_file, env=env))
        _wait_until(lambda: log_file.read_text().count("Listening at") == number, log_file)
        yield stack.enter_context(_nginx(folder, number, log_file))


@contextmanager
def _nginx(folder: Path, number: int, log_file: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    servers = " ".join(f"server unix:{folder}/{n};" for n in range(number))
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=folder, port=port, servers=servers))
    process = subprocess.Popen([find("nginx"), "-p", folder, "-c", file], stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until(lambda: answers(url), log_file)
        yield Server(url, process, log_file)
    finally:
        stop(process)


def _wait_until(condition: Callable[[], bool], log_file: Path, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"the hosts do not answer: {log_file.read_text(errors='replace')}"
        time.sleep(0.05)
