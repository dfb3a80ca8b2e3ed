"""What type checkers know of a callback: `mypy` reads this and nobody runs it.

An error that mypy does not find here fails too: its `type: ignore` would be unused.
"""

from dash import Input, Output

from dash_brain import Memoize, brain_callback


@brain_callback(Output("a", "data"), Input("n", "value"), memoize="app", prevent_initial_call=True)
def load(n: int) -> list[int]:
    return [n]


@brain_callback(Output("a", "data"), Input("n", "value"), memoize=Memoize("session", ttl=3))
async def load_async(n: int) -> list[int]:
    return [n]


@brain_callback(Output("a", "data"), Input("n", "value"), background=True, interval=3)
def plain(n: int) -> str:
    return str(n)


@brain_callback(Output("a", "data"), Input("n", "value"), of_tomorrow=True)
def newer(n: int) -> str:
    return str(n)


async def wait() -> list[int]:
    return await load_async(3)


load.forget(3)
load.forget_all()
size: int = load.info().size
load_async.forget(3)
results: tuple[list[int], str, str] = load(3), plain(3), newer(3)
load("x")  # type: ignore[arg-type]
plain("x")  # type: ignore[arg-type]
plain.forget(3)  # type: ignore[attr-defined]
