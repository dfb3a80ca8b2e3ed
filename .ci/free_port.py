"""Print the port to serve on: the one asked for, else the first free one from 8050 on."""

import socket
import sys


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


asked = sys.argv[1]
if asked and not is_free(int(asked)):
    sys.exit(f"Port {asked} is taken; choose another: make demo PORT=8051")
print(asked or next(port for port in range(8050, 8150) if is_free(port)))
