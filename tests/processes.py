"""Processes that share nothing with the one that starts them, and still begin in milliseconds.

A spawned process loads pytest, numpy and dash_brain itself, which takes most of a second. One of the fork
server, of which a run has one, finds them loaded. It has the environment that the server began with, and is
nobody's child: ``os.waitid`` does not know it; see :class:`tests.torture.children.Child` for one that is.
"""

from __future__ import annotations

import multiprocessing

FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(
    ["pytest", "hypothesis", "numpy", "dash_brain.testing", "tests.brain.workers", "tests.stores.workers"]
)
