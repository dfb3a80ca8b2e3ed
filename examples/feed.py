"""The process that feeds ``feeder.py``: it learns new prices twice a second, with or without an app.

Start it with ``python examples/feed.py``. Kill it and start it again: it goes on from the prices there are.
Start two: one feeds, and the other takes over when the first is killed.
"""

import os
import time
from datetime import datetime

import numpy as np
import pandas as pd

from dash_brain import Brain

FRUIT = {"apples": 3.0, "oranges": 2.0, "figs": 6.0, "pineapples": 4.5}
ROWS, NEW_ROWS, PAUSE = 100_000, 50, 0.5  # how many are kept, come with each version; seconds

brain = Brain("feeder")


def feed():
    """Learn a new version again and again, until this process ends."""
    random = np.random.default_rng()
    prices = brain.get("prices")
    if prices is None:
        prices = next_prices(random, pd.Series(FRUIT), ROWS)
    while True:
        new = next_prices(random, prices[list(FRUIT)].iloc[-1], NEW_ROWS)
        prices = pd.concat([prices, new], ignore_index=True).tail(ROWS)
        brain.learn("prices", prices, f"pid {os.getpid()}")
        time.sleep(PAUSE)


def next_prices(random, last, rows):
    """Return so many rows, 10 milliseconds apart until now: each price wanders on from where it was."""
    moves = random.normal(0, 0.0004, (rows, last.size)) + 0.00002 * (pd.Series(FRUIT) - last).to_numpy()
    until = pd.date_range(end=datetime.now(), periods=rows, freq="10ms")
    return pd.DataFrame(last.to_numpy() * np.exp(moves.cumsum(axis=0)), columns=last.index).assign(time=until)


def feed_alone():
    """Feed when nobody else does: making "feeder" never ends, and others wait until its maker is gone."""
    brain.get_or_learn("feeder", feed)


if __name__ == "__main__":
    print(f"Process {os.getpid()} feeds as soon as nobody else does; Ctrl-C ends it.", flush=True)
    feed_alone()
