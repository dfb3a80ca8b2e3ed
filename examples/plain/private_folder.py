"""Where the plain-Dash originals keep their caches, whose pickles they load: nobody else may write there."""

import atexit
import os
import shutil
import tempfile


def private_folder():
    """Return a folder that only this user may enter: a new one, or that of all workers of the demo."""
    if "EXAMPLES_FOLDER" in os.environ:  # made and removed by `make demo`
        return os.environ["EXAMPLES_FOLDER"]
    folder = tempfile.mkdtemp(prefix="dash_brain-examples-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
