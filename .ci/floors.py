"""Print the requirements of the oldest releases that dash_brain takes, of the libraries that are named."""

import sys

sys.path.insert(0, ".")
from dash_brain.floors import FLOORS

print(*(f"{name}=={FLOORS[name]}" for name in sys.argv[1:]), sep="\n")
