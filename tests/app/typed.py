"""What mypy and pyright know of callbacks and memoized functions: they read this, and nobody runs it.

An error that they do not find here fails too: its `type: ignore` would be unused.
"""

from dash import Input, Output
from typing_extensions import assert_type

from dash_brain import Brain, Memoize, brain_callback, session_brain


@brain_callback(Output("a", "data"), Input("n", "value"), memoize="app", prevent_initial_call=True)
def load(n: int) -> list[int]:
    return [n]


@brain_callback(Output("a", "data"), Input("n", "value"), memoize=Memoize("session", ttl=3))
async def load_async(n: int) -> list[int]:
    return [n]


@brain_callback(Output("a", "data"), Input("n", "value"), memoize="app", of_tomorrow=True)
def load_newer(n: int) -> list[int]:
    return [n]


@brain_callback(Output("a", "data"), Input("n", "value"), background=True, interval=3)
def plain(n: int, *, name: str = "") -> str:
    return str(n)


@brain_callback(Output("a", "data"), Input("n", "value"))
async def plain_async(n: int) -> str:
    return str(n)


@brain_callback(Output("a", "data"), Input("n", "value"), of_tomorrow=True)
def newer(n: int) -> str:
    return str(n)


assert_type(load(3), list[int])
assert_type(load_newer(3), list[int])
assert_type(plain(3, name="x"), str)
assert_type(newer(3), str)
for callback in (load, load_newer, load_async):
    callback.forget(3)
    callback.forget_all()
    assert_type(callback.info().size, int)

load("x")  # type: ignore[arg-type]
plain("x")  # type: ignore[arg-type]
plain(3, title="x")  # type: ignore[call-arg]
plain.forget(3)  # type: ignore[attr-defined]
plain_async.forget_all()  # type: ignore[attr-defined]
newer.info()  # type: ignore[attr-defined]

brain = Brain()


@brain.memoize(ttl=3600)
def rate(currency: str, /, *, day: int = 0) -> float:
    return 1.0


@session_brain.memoize()
async def rate_async(currency: str) -> float:
    return 1.0


class Rates:
    @brain.memoize(key=lambda self, currency: currency)
    def of(self, currency: str) -> float:
        return 1.0


assert_type(rate("USD", day=1), float)
assert_type(Rates().of("USD"), float)
assert_type(rate.info().hits, int)
rate.forget("USD", day=1)
rate_async.forget("USD")
rate_async.forget_all()
Rates().of.forget("USD")
Rates.of.forget_all()

rate(1)  # type: ignore[arg-type]
rate("USD", hour=1)  # type: ignore[call-arg]
rate.forget(1)  # type: ignore[arg-type]
rate_async.forget()  # type: ignore[call-arg]


async def wait() -> None:
    assert_type(await load_async(3), list[int])
    assert_type(await plain_async(3), str)
    assert_type(await rate_async("USD"), float)
    await load_async("x")  # type: ignore[arg-type]


Rates().of(1)  # type: ignore[arg-type]
