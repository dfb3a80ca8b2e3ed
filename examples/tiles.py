"""A figure in large type, as the pages show them in a row."""

from dash import html


def tile(label, value, note, kind=""):
    parts = {"label": label, "value": value, "note": note}
    return html.Div(
        [html.Div(text, className=name) for name, text in parts.items()], className=f"tile {kind}"
    )
