"""The same pages in plain Dash: the frame goes down as JSON, and up again for each page and each block."""

from io import StringIO

import explore_pages as pages
import pandas as pd
from dash import Dash, Input, Output, State, callback, ctx, dcc, html, no_update, page_container, set_props
from theme import INDEX

app = Dash(
    __name__,
    assets_folder="../assets",
    title="Explore (plain Dash)",
    index_string=INDEX,
    use_pages=True,
    pages_folder="",
)
pages.register_pages()
app.layout = html.Div(  # use_pages wants a component
    [
        html.H1("Upload, explore, download"),
        html.P(
            "A file is parsed once. Its rows, and those that you choose of them, travel to the browser as "
            "JSON, and back for each page that you open and for each block of rows that the grid asks for."
        ),
        page_container,
        dcc.Store(id="uploaded"),  # beside the pages, which come and go
        dcc.Store(id="chosen"),
        dcc.Store(id="asked"),
    ]
)
pages.link_grid(app)


def to_json(frame):
    return frame.to_json(orient="split", index=False)


def from_json(text):
    return pd.read_json(StringIO(text), orient="split", convert_dates=False)


@callback(
    Output("problem", "children"),
    Input("upload", "contents"),
    Input("sample", "n_clicks"),
    prevent_initial_call=True,
)
def upload(contents, _):
    try:
        frame = pages.sample() if ctx.triggered_id == "sample" else pages.parse(contents)
    except ValueError as error:
        return f"This is no table: {error}"
    # No output: Dash runs a callback with an output outside of its page each time that the page is opened.
    set_props("uploaded", {"data": to_json(frame)})
    return ""


@callback(Output("chosen", "data"), Input("uploaded", "data"), Input("asked", "data"))
def choose(frame, words):
    return None if frame is None else to_json(pages.having(from_json(frame), words))


@callback(Output("columns", "children"), Input("uploaded", "data"))
def show_columns(frame):
    return None if frame is None else pages.columns_table(from_json(frame))


@callback(Output("grid", "columnDefs"), Output("count", "children"), Input("chosen", "data"))
def show_count(chosen):
    if chosen is None:
        return [], "Nothing is uploaded yet."
    chosen = from_json(chosen)
    return pages.definitions(chosen), pages.rows(chosen)


@callback(Output("grid", "getRowsResponse"), Input("grid", "getRowsRequest"), State("chosen", "data"))
def show_block(request, chosen):
    if request is None:
        return no_update
    return pages.NO_ROWS if chosen is None else pages.block(from_json(chosen), request)


@callback(
    Output("numbers", "children"),
    Output("ask", "disabled"),
    Input("uploaded", "data"),
    Input("chosen", "data"),
)
def show_numbers(frame, chosen):
    if frame is None or chosen is None:
        return "Nothing is uploaded yet.", True
    return pages.numbers(from_json(frame), from_json(chosen)), False


@callback(
    Output("file", "data"), Input("ask", "n_clicks"), State("chosen", "data"), prevent_initial_call=True
)
def download(_, chosen):
    return dcc.send_data_frame(from_json(chosen).to_csv, "chosen.csv", index=False)


if __name__ == "__main__":
    app.run()
