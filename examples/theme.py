"""How the figures of the examples look: a plotly template, as the built-in ones weigh 7 KB in each figure."""

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
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"font": {"size": 12}},
    },
    "data": {
        "histogram2d": [{"colorscale": DENSITY}],
        "histogram2dcontour": [{"colorscale": DENSITY}],
        "heatmap": [{"colorscale": DENSITY}],
        "bar": [{"marker": {"line": {"width": 0}}}],
    },
}
