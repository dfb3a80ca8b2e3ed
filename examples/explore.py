"""Upload a file, explore it in AG Grid, download a part: three pages, and the frame stays on the server."""

import explore_pages as pages
from backend import BACKEND
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update, page_container
from theme import INDEX

from dash_brain import ServerStore, brain_callback, set_props

app = Dash(__name__, title="Explore", backend=BACKEND, index_string=INDEX, use_pages=True, pages_folder="")
pages.register_pages()
app.layout = html.Div(  # use_pages wants a component
    [
        html.H1("Upload, explore, download"),
        html.P(
            "A file is parsed once. Its rows, and those that you choose of them, stay on the server while "
            "you go from page to page, and the grid asks for the rows that you see."
        ),
        page_container,
        ServerStore(id="uploaded"),  # beside the pages, which come and go
        ServerStore(id="chosen"),
        dcc.Store(id="asked"),
    ]
)
pages.link_grid(app)


@brain_callback(
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
    set_props("uploaded", {"data": frame})
    return ""


@brain_callback(Output("chosen", "data"), Input("uploaded", "data"), Input("asked", "data"))
def choose(frame, words):
    return None if frame is None else pages.having(frame, words)


@brain_callback(Output("columns", "children"), Input("uploaded", "data"))
def show_columns(frame):
    return None if frame is None else pages.columns_table(frame)


@brain_callback(Output("grid", "columnDefs"), Output("count", "children"), Input("chosen", "data"))
def show_count(chosen):
    if chosen is None:
        return [], "Nothing is uploaded yet."
    return pages.definitions(chosen), pages.rows(chosen)


@brain_callback(Output("grid", "getRowsResponse"), Input("grid", "getRowsRequest"), State("chosen", "data"))
def show_block(request, chosen):
    if request is None:
        return no_update
    return pages.NO_ROWS if chosen is None else pages.block(chosen, request)


@brain_callback(
    Output("numbers", "children"),
    Output("ask", "disabled"),
    Input("uploaded", "data"),
    Input("chosen", "data"),
)
def show_numbers(frame, chosen):
    if frame is None or chosen is None:
        return "Nothing is uploaded yet.", True
    return pages.numbers(frame, chosen), False


@brain_callback(
    Output("file", "data"), Input("ask", "n_clicks"), State("chosen", "data"), prevent_initial_call=True
)
def download(_, chosen):
    return dcc.send_data_frame(chosen.to_csv, "chosen.csv", index=False)


if __name__ == "__main__":
    app.run()
