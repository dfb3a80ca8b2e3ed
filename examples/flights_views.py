"""What the flights page looks like: its layout, and a pure function from flights to each figure."""

import numpy as np
import plotly.graph_objects as go
from dash import Input, Output, dash_table, dcc, html
from flights_data import WEEKDAYS, read_airlines, read_airports, read_destinations
from theme import AMBER, BLUE, TEAL, THEME, chart

HOURS = list(range(5, 24))
EARLY_TO_LATE = [[0, TEAL], [0.35, "#d9d6c9"], [1, "#c2410c"]]
LATE = [[0, "#f7f6f2"], [0.45, "#f1c391"], [1, "#b03a06"]]
NEW_YORK = (-73.9, 40.7)
PAGE_SIZE = 10
COLUMNS = {
    "date": "Date",
    "hour": "Hour",
    "airline": "Airline",
    "number": "Flight",
    "origin": "From",
    "destination": "To",
    "dep_delay": "Departed late (min)",
    "arr_delay": "Arrived late (min)",
    "distance": "Miles",
}
GRAPHS = {
    "routes": "Map: the destinations, as large as their number of flights and coloured by their mean delay",
    "airlines": "Box plot: how late each airline arrived, in minutes",
    "hours": "Heatmap: the mean delay at departure, by weekday and hour",
    "days": "Area chart and bars: the mean delay at departure on each day, and the rain",
}
COLORBAR = {"orientation": "h", "len": 0.6, "thickness": 8, "outlinewidth": 0, "tickangle": 0}
ROUTES_BAR = COLORBAR | {
    "y": -0.02,
    "tickvals": [-10, 10, 30],
    "ticktext": ["10 min early", "10 late", "30 late"],
}
HOURS_BAR = COLORBAR | {"y": -0.12, "yanchor": "top", "ticksuffix": " min", "nticks": 4}
MARGIN = {"l": 16, "r": 16, "t": 52, "b": 16}

airports = read_airports()


# ---- layout ----


def layout(sentence):
    return [
        html.H1("336,776 flights out of New York"),
        html.P(sentence),
        filter_bar(),
        html.Div([html.Div(id="numbers"), wire_tile()], className="tiles"),
        html.Div([graph(name, text) for name, text in GRAPHS.items()], className="grid"),
        table(),
    ]


def filter_bar():
    months = dcc.RangeSlider(
        1,
        12,
        1,
        value=[1, 12],
        id="months",
        marks={1: "Jan", 4: "Apr", 7: "Jul", 10: "Oct", 12: "Dec"},
        allow_direct_input=False,
    )
    return html.Div(
        [
            field("Months", months),
            field("From", dcc.Dropdown(["EWR", "JFK", "LGA"], id="origin", placeholder="all airports")),
            field(
                "Airline",
                dcc.Dropdown(sorted(read_airlines().values()), id="airline", placeholder="all airlines"),
            ),
            field("To", dcc.Dropdown(read_destinations(), id="destination", placeholder="all places")),
            field("Weekday", dcc.Dropdown(WEEKDAYS, id="weekday", placeholder="every day")),
            field("Hour", dcc.Dropdown(HOURS, id="hour", placeholder="all day")),
        ],
        className="card filters",
    )


def field(label, control):
    return html.Div([html.Label(label, htmlFor=control.id), control])


def graph(name, text):
    return chart(name, text, config={"displayModeBar": False}, height=400)


def table():
    return dash_table.DataTable(
        id="table",
        columns=[{"id": column, "name": name} for column, name in COLUMNS.items()],
        page_action="custom",
        page_current=0,
        page_size=PAGE_SIZE,
        sort_action="custom",
        sort_by=[{"column_id": "dep_delay", "direction": "desc"}],
        cell_selectable=False,
    )


def tile(label, value, note=""):
    return html.Div(
        [
            html.Div(label, className="label"),
            html.Div(value, className="value"),
            html.Div(note, className="note"),
        ],
        className="tile",
    )


def wire_tile():
    """The tile whose value `assets/wire.js` measures in the browser."""
    value = html.Div(id="wire-total", className="value")
    return html.Div(
        [html.Div("Over the wire", className="label"), value, html.Div(id="wire-note", className="note")],
        className="tile accent",
    )


def link_clicks(app):
    """Let a click on an airline, a destination or an hour choose it in the filter bar."""
    clicked = Input("airlines", "clickData"), Input("routes", "clickData"), Input("hours", "clickData")
    point = "(click) => click.points[0]"
    options = {"prevent_initial_call": True}
    app.clientside_callback(f"{point}.y", Output("airline", "value"), clicked[0], **options)
    app.clientside_callback(f"{point}.text", Output("destination", "value"), clicked[1], **options)
    app.clientside_callback(
        "(click) => [click.points[0].y, click.points[0].x]",
        Output("weekday", "value"),
        Output("hour", "value"),
        clicked[2],
        **options,
    )


# ---- from flights to what is shown ----


def numbers(flights):
    late = flights["arr_delay"]
    flown = late.notna().sum()
    return [
        tile("Flights", f"{len(flights):,}", f"destinations: {flights['destination'].nunique()}"),
        tile("On time", percent((late <= 15).sum(), flown), "at most 15 minutes late"),
        tile("Median delay", f"{late.median():+.0f} min" if flown else "none", "on arrival"),
        tile("Cancelled", percent(flights["dep_delay"].isna().sum(), len(flights)), "never took off"),
    ]


def percent(part, whole):
    return f"{part / whole:.1%}" if whole else "none"


def routes(flights):
    """Every destination at its place, as large as its number of flights, and coloured by its delay."""
    ends = flights.groupby("destination", observed=True)["arr_delay"].agg(["size", "mean"])
    ends = ends.join(airports, how="inner")
    return go.Figure([outline(), arcs(ends), destinations(ends)]).update_layout(
        template=THEME,
        title="Where they went",
        margin=MARGIN | {"b": 36},
        showlegend=False,
        dragmode="pan",
        xaxis={"range": [-125.5, -66], "visible": False, "constrain": "domain"},
        yaxis={
            "range": [23.5, 50],
            "visible": False,
            "scaleanchor": "x",
            "scaleratio": 1.25,
            "constrain": "domain",
        },
    )


def outline():
    """All airports of the country, as faint dots: together they draw its map."""
    near = airports["lon"].between(-126, -66) & airports["lat"].between(24, 50)
    places = airports.loc[near, ["lat", "lon"]].astype("f4")
    marker = {"size": 2.5, "color": "#cfcdc3"}
    return go.Scatter(x=places["lon"], y=places["lat"], mode="markers", marker=marker, hoverinfo="skip")


def arcs(ends):
    """One line for all routes: New York, a raised middle, the destination, a gap before the next one."""
    (x0, y0), x1, y1 = NEW_YORK, ends["lon"].to_numpy(), ends["lat"].to_numpy()
    gap = np.full(len(ends), np.nan)
    x = np.column_stack([0 * x1 + x0, (x0 + x1) / 2, x1, gap]).astype("f4")
    y = np.column_stack([0 * y1 + y0, (y0 + y1) / 2 + 0.06 * np.abs(x1 - x0), y1, gap]).astype("f4")
    line = {"shape": "spline", "width": 0.8, "color": "rgba(15, 118, 110, 0.35)"}
    return go.Scatter(x=x.ravel(), y=y.ravel(), mode="lines", line=line, hoverinfo="skip")


def destinations(ends):
    return go.Scatter(
        x=ends["lon"],
        y=ends["lat"],
        text=ends.index,
        customdata=ends[["name", "size"]],
        mode="markers",
        marker={
            "size": 5 + 22 * np.sqrt(ends["size"] / max(ends["size"].max(), 1)) if len(ends) else [],
            "color": ends["mean"].round(1),
            "colorscale": EARLY_TO_LATE,
            "cmin": -15,
            "cmax": 30,
            "line": {"width": 1, "color": "#ffffff"},
            "colorbar": ROUTES_BAR,
        },
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]:,} flights<br>%{marker.color} min late"
        "<extra></extra>",
    )


def airlines(flights):
    """The middle of each airline's arrivals: half of them in the box, four of five between the whiskers."""
    shares = {0.1: "lowerfence", 0.25: "q1", 0.5: "median", 0.75: "q3", 0.9: "upperfence"}
    late = flights.groupby("airline", observed=True)["arr_delay"].quantile(list(shares)).unstack()
    late = late.reindex(columns=shares).rename(columns=shares).dropna().sort_values("median")
    box = go.Box(y=late.index, **late, orientation="h", line={"width": 1.2}, width=0.55)
    return go.Figure(box).update_layout(
        template=THEME,
        title="Who was late, in minutes on arrival",
        margin=MARGIN,
        xaxis={"zeroline": True, "zerolinecolor": "#b9b8b0", "dtick": 25},
    )


def hours(flights):
    cells = flights.groupby(["weekday", "hour"], observed=True)["dep_delay"]
    late = cells.mean().unstack().reindex(index=WEEKDAYS[::-1], columns=HOURS)
    count = cells.size().unstack().reindex_like(late)
    heat = go.Heatmap(
        x=HOURS,
        y=late.index,
        z=late.astype("f4"),
        customdata=count.fillna(0).astype("i4"),
        xgap=2,
        ygap=2,
        colorscale=LATE,
        colorbar=HOURS_BAR,
        hovertemplate="%{y}, %{x}:00<br>%{customdata:,} flights, %{z:.0f} min late<extra></extra>",
    )
    return go.Figure(heat).update_layout(
        template=THEME,
        title="Delay by weekday and hour of departure",
        margin=MARGIN | {"b": 64},
        xaxis={"dtick": 2, "showgrid": False},
        yaxis={"showgrid": False},
    )


def days(flights):
    daily = flights.groupby("date")[["dep_delay", "precip"]].mean().astype("f4")
    day = daily.index.strftime("%Y-%m-%d")
    line = {"width": 1.3, "color": AMBER}
    delay = go.Scatter(x=day, y=daily["dep_delay"], line=line, fill="tozeroy", name="min late")
    rain = go.Bar(x=day, y=daily["precip"], yaxis="y2", marker={"color": BLUE}, name="inches of rain an hour")
    return go.Figure([delay, rain]).update_layout(
        template=THEME,
        title="Delay at departure, and rain",
        margin=MARGIN,
        showlegend=False,
        hovermode="x unified",
        bargap=0,
        yaxis={"domain": [0.34, 1], "title": "min late"},
        yaxis2={"domain": [0, 0.24], "title": "rain"},
    )


def rows(flights):
    """Return these flights as the rows of the table."""
    return flights[list(COLUMNS)].assign(date=flights["date"].dt.strftime("%d %b")).to_dict("records")
