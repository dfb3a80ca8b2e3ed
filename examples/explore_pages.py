"""The three pages of the example ``explore``: their layouts, and what is done with a frame on each."""

import base64
import io

import dash
import dash_ag_grid as dag
import numpy as np
import pandas as pd
from dash import Input, Output, dcc, html
from tiles import tile

#: Name, path and address of each page. The address is relative: the app may be mounted anywhere.
PAGES = {"Upload": ("/", "./"), "Explore": ("/table", "table"), "Download": ("/download", "download")}
# With a count of 0 the grid may stay empty for good.
NO_ROWS = {"rowData": [], "rowCount": 1}
CITIES = ["Bergen", "Gdańsk", "Lisbon", "Marseille", "Porto", "Rotterdam"]


# ---- layouts ----


def register_pages():
    layouts = {"Upload": upload_page, "Explore": explore_page, "Download": download_page}
    for name, (path, _) in PAGES.items():
        dash.register_page(f"explore_{name.lower()}", path=path, name=name, title=name, layout=layouts[name])


def steps(current):
    """Return links to the three pages, of which one is open."""
    links = [
        html.Li(dcc.Link(name, href=href, className="step current" if name == current else "step"))
        for name, (_, href) in PAGES.items()
    ]
    return html.Nav(html.Ol(links), className="steps", **{"aria-label": "Steps"})


def upload_page():
    return [
        steps("Upload"),
        dcc.Upload(
            html.Button("Choose a CSV file, or drop one here", className="drop"), id="upload", accept=".csv"
        ),
        html.P(["No file at hand? ", html.Button("Take 50,000 orders", id="sample")], className="row"),
        html.Div(id="problem", role="status"),
        html.Table(id="columns"),
    ]


def explore_page():
    words = dcc.Input(id="words", type="search", debounce=0.4, persistence=True, persistence_type="memory")
    return [
        steps("Explore"),
        html.Div(
            [html.Label("Rows that contain", htmlFor="words"), words, html.Span(id="count")], className="row"
        ),
        dag.AgGrid(
            id="grid",
            rowModelType="infinite",
            defaultColDef={"sortable": True, "minWidth": 130, "flex": 1},
            dashGridOptions={
                "cacheBlockSize": 100,
                "rowHeight": 38,
                "headerHeight": 42,
                "suppressFieldDotNotation": True,  # a dot in a name is a part of it
            },
        ),
    ]


def download_page():
    return [
        steps("Download"),
        html.Div(html.Div(id="numbers"), className="tiles"),
        html.Button("Download as CSV", id="ask"),
        dcc.Download(id="file"),
    ]


def link_grid(app):
    """Choose by the words that are typed, and have the grid ask again when other rows are chosen."""
    app.clientside_callback("(words) => words ?? ''", Output("asked", "data"), Input("words", "value"))
    app.clientside_callback(
        "async () => (await dash_ag_grid.getApiAsync('grid')).purgeInfiniteCache()",
        Input("grid", "columnDefs"),
        prevent_initial_call=True,
    )


# ---- from a frame to what is shown ----


def parse(contents):
    """Return the frame of an uploaded file, whose content comes as a data URL; ``ValueError``: it is none."""
    frame = pd.read_csv(io.BytesIO(base64.b64decode(contents.partition(",")[2])))
    if frame.empty:
        raise ValueError("it has no rows")
    return frame


def sample():
    random = np.random.default_rng(0)
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.sort(random.integers(0, 365, 50_000)), unit="D")
    return pd.DataFrame(
        {
            "order": np.arange(1, 50_001),
            "day": day.strftime("%Y-%m-%d"),
            "city": random.choice(CITIES, 50_000),
            "kilos": random.gamma(3, 4, 50_000).round(1),
            "price": random.normal(30, 6, 50_000).round(2),
        }
    )


def columns_table(frame):
    """Return a row for each column: its name, its type, how many values are missing, and the first one."""
    caption = html.Caption(f"{rows(frame)} in {len(frame.columns)} columns")
    head = html.Thead(html.Tr([html.Th(name) for name in ("column", "type", "missing", "first value")]))
    body = [
        html.Tr([html.Td(text) for text in (name, str(of.dtype), f"{of.isna().sum():,}", str(of.iloc[0]))])
        for name, of in frame.items()
    ]
    return [caption, head, html.Tbody(body)]


def rows(frame):
    return "1 row" if len(frame) == 1 else f"{len(frame):,} rows"


def having(frame, words):
    """Return the rows in which some column contains the words, whatever the case."""
    if not words:
        return frame
    found = np.zeros(len(frame), bool)
    for _, column in frame.items():
        found |= column.astype(str).str.contains(words, case=False, regex=False).to_numpy()
    return frame[found]


def definitions(frame):
    """Return a column of the grid for each of the frame, with its name as it is; numbers are on the right."""
    numeric = set(frame.select_dtypes("number").columns)
    return [
        {"field": name, "headerName": name, "type": "rightAligned" if name in numeric else []}
        for name in frame.columns
    ]


def numbers(frame, chosen):
    share = len(chosen) / len(frame)
    return [
        tile("Uploaded", f"{len(frame):,}", "rows"),
        tile("Chosen", f"{len(chosen):,}", "rows, those that the grid shows"),
        tile("Share", f"{share:.1%}", "of the rows that were uploaded", "accent"),
    ]


def block(frame, request):
    """Return the rows that the grid asks for, sorted as it says."""
    for by in reversed(request["sortModel"]):
        frame = frame.sort_values(by["colId"], ascending=by["sort"] == "asc", kind="stable")
    asked = frame.iloc[request["startRow"] : request["endRow"]]
    return {"rowData": asked.to_dict("records"), "rowCount": max(len(frame), 1)}
