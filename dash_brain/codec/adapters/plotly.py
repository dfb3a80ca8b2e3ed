"""plotly figures: arrays stay arrays.

plotly's own pickling turns each array into base64 text, and the figure that comes back holds that text in
place of the array.
"""

from __future__ import annotations

from typing import Any

from plotly.basedatatypes import BaseFigure  # type: ignore[import-untyped]

from dash_brain.codec.reducers import Reducer
from dash_brain.codec.stable import named

SURE = (BaseFigure,)


def reducer(cls: type) -> Reducer | None:
    """Return the reducer for a figure type that has not its own way of pickling."""
    own = cls.__reduce__ is BaseFigure.__reduce__ if issubclass(cls, BaseFigure) else False
    return _reduce_figure if own else None


def _reduce_figure(figure: Any) -> tuple[Any, ...]:
    properties = {
        "data": figure._data,
        "layout": figure._layout,
        "frames": [frame._props for frame in figure._frame_objs],
        "_grid_str": figure._grid_str,
        "_grid_ref": figure._grid_ref,
    }
    return new_figure, (type(figure), properties)


@named("figure")
def new_figure(cls: Any, properties: dict[str, Any]) -> Any:
    """Return the figure with these properties."""
    figure = cls(properties)
    template = properties["layout"].get("template")
    if template is None:
        # A new figure takes the default template of this process.
        figure.layout.template = None
    elif not template:
        # A new figure fills an empty template.
        figure.update_layout(template=None)
    return figure
