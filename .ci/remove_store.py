"""Remove a store of this host with all that is in it: remove_store.py shm://name."""

import os
import shutil
import sys

from dash_brain import open_store
from dash_brain.stores.mapped.spill.roots import remove_folders_of

place = getattr(open_store(sys.argv[1]), "place", None)
if place and os.path.isdir(place):
    folder = os.open(place, os.O_RDONLY)
    remove_folders_of(folder)
    os.close(folder)
    shutil.rmtree(place, ignore_errors=True)
