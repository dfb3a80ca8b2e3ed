"""Remove a store of this host with all that is in it: remove_store.py shm://name."""

import shutil
import sys

from dash_brain import open_store

place = getattr(open_store(sys.argv[1]), "place", None)
if place:
    shutil.rmtree(place, ignore_errors=True)
