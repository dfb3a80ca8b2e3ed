"""How the pages of the examples look, and their figures: plotly's own templates weigh 7 KB in each figure."""

from dash import dcc, html

TEAL, AMBER, VIOLET, ROSE, BLUE = "#0f766e", "#d97706", "#6d28d9", "#be123c", "#2563eb"
DENSITY = [[0, "#f7f6f2"], [0.15, "#d5e8e4"], [0.4, "#7dbfb6"], [0.7, "#1b867e"], [1, "#0b403c"]]

_AXIS = {
    "gridcolor": "#efeee9",
    "linecolor": "#d6d5ce",
    "zeroline": False,
    "automargin": True,
    "title": {"standoff": 10},
}

THEME = {
    "layout": {
        "colorway": [TEAL, AMBER, VIOLET, ROSE, BLUE],
        "font": {"color": "#5d676f", "size": 12},
        "title": {"font": {"color": "#1d2327", "size": 15}, "x": 0.03, "xanchor": "left"},
        "margin": {"l": 56, "r": 24, "t": 56, "b": 48},
        # What is behind the figure shows; style.css has the colours of texts and lines for dark screens.
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {
            "font": {"size": 12, "color": "#ffffff"},
            "bgcolor": "#1d2327",
            "bordercolor": "#1d2327",
        },
    },
    "data": {
        "histogram2d": [{"colorscale": DENSITY}],
        "histogram2dcontour": [{"colorscale": DENSITY}],
        "heatmap": [{"colorscale": DENSITY}],
        "bar": [{"marker": {"line": {"width": 0}}}],
    },
}

#: Dash's page, with the language of its text.
INDEX = """<!doctype html>
<html lang="en">
  <head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
  <body><main>{%app_entry%}</main><footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""

_HIDDEN = {"visible": False}


def waiting(text):
    """Return a figure with a text in place of empty axes."""
    note = {"text": text, "showarrow": False, "font": {"size": 14}}
    return {"layout": {"template": THEME, "xaxis": _HIDDEN, "yaxis": _HIDDEN, "annotations": [note]}}


#: What a figure shows until its first data are there.
WAITING = waiting("waiting for the first data")


def chart(id, text, figure=WAITING, height=450, **options):
    """Return a graph with a text for those who do not see it. Its place has its size from the beginning."""
    graph = dcc.Graph(id=id, figure=figure, style={"height": height}, **options)
    return html.Figure(graph, role="img", **{"aria-label": text})
