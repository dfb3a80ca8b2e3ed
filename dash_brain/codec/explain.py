"""Why encoding or decoding failed: the part that caused it, and what can be done about it."""

from __future__ import annotations

import io
import pickle
import sys
import types
from typing import TYPE_CHECKING, Any

from dash_brain.codec.names import class_name, type_name
from dash_brain.codec.parts import Node, nodes
from dash_brain.codec.proof import Lost, is_fault, trouble
from dash_brain.codec.reducers import Reducers, Refused, registered

if TYPE_CHECKING:
    from dash_brain.common.frames import Frames

#: So many objects are tried on their own, the last ones that were met before the failure.
TRIES = 1000

_OTHERWISE = (
    "Leave it out, store what it can be made from, or say how it is stored: dash_brain.codec.register"
)
_SUBCLASS = "The registered {base} does not cover its subclasses: register this one too, or leave it out"
_ADVICE: dict[str, str] = {
    "function": "Only functions that can be imported are stored: define it at the top level of a module",
    "class": "Only classes that can be imported are stored: define it at the top level of a module",
    "generator": "Store what it yields, for example as a list",
    "module": "Store the name of the module, and import it where it is needed",
    "memoryview": "Store bytes(...) of it",
    "TextIOWrapper": "Store the path or the content of the file",
    "BufferedReader": "Store the path or the content of the file",
    "Connection": "Store what opens the connection, and open it where it is needed",
}


class _Recorder(pickle.Pickler):
    """Remembers the objects that it takes apart, in their order, and keeps nothing else."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), 5, buffer_callback=lambda buffer: None)
        self.dispatch_table = Reducers()
        self.met: list[Any] = []

    def reducer_override(self, value: Any) -> Any:
        self.met.append(value)
        return NotImplemented


def explain_encoding(value: object, error: BaseException) -> str:
    """Return the message that names the part of ``value`` that cannot be stored."""
    if isinstance(error, RecursionError):
        return (
            f"value: {type_name(value)} is nested too deeply to be stored, or holds an object whose "
            "__reduce__ or __getattr__ calls itself without end. Store it flatter, or in parts."
        )
    node = _culprit(value)
    if node is None:
        return (
            f"value: {type_name(value)} could not be stored ({type(error).__name__}), but a second look "
            "finds nothing wrong: did another thread change it meanwhile? Store a copy that is yours alone."
        )
    what, advice = _described(node.value)
    return f"{node.path}: {what} cannot be stored. {error if isinstance(error, Refused) else advice}."


def explain_rebuilding(value: object, classes: set[type], error: Exception) -> str:
    """Return the message that names the part of ``value`` that could be stored and never be read."""
    parts = [node for node in nodes(value) if type(node.value) in classes]
    failing = (node for node in reversed(parts[-TRIES:]) if _fails_alone(node.value))
    node = next(failing, Node(value, "value"))
    why = "it comes back as something else" if isinstance(error, Lost) else type(error).__name__
    return (
        f"{node.path}: object of the class {type(node.value).__qualname__} cannot be stored: it could not "
        f"be rebuilt ({why}). Give the class a __reduce__ that returns what rebuilds it, register it with "
        "dash_brain.codec.register, or store what it is made of."
    )


def _fails_alone(value: object) -> bool:
    """Say whether a part can be encoded and not be rebuilt."""
    frames: list[Any] = []
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream, 5, buffer_callback=lambda buffer: frames.append(buffer.raw()))
    pickler.dispatch_table = Reducers()
    try:
        pickler.dump(value)
    except Exception:
        return False
    return trouble([stream.getvalue(), *frames], {type(value)}) is not None


def _culprit(value: object) -> Node | None:
    """Return the innermost part that fails, also alone; None when nothing fails any more."""
    met = _met_before_failure(value)
    if met is None:
        return None
    suspects = {id(suspect): number for number, suspect in enumerate(met)}
    found = [node for node in nodes(value) if id(node.value) in suspects]
    # The last object that was begun is the innermost; those that were finished before it do not fail.
    for node in sorted(found, key=lambda node: suspects[id(node.value)], reverse=True)[:TRIES]:
        if _met_before_failure(node.value) is not None:
            return node
    return Node(value, "value")


def _met_before_failure(value: object) -> list[Any] | None:
    """Return the objects that were taken apart before encoding failed, or None when it succeeds."""
    recorder = _Recorder()
    try:
        recorder.dump(value)
    except MemoryError:
        raise
    except BaseException as error:
        if not is_fault(error):
            raise
        return recorder.met
    return None


def _described(value: Any) -> tuple[str, str]:
    """Return what kind of thing the culprit is, and what to do about it."""
    # Not isinstance: an object may raise when it is asked for its __class__.
    cls = type(value)
    if cls is types.FunctionType:
        return f"function {value.__name__}", _ADVICE["function"]
    if issubclass(cls, type):
        return f"class {value.__qualname__}", _ADVICE["class"]
    if not _is_importable(cls):
        return f"object of the class {cls.__qualname__}, which its module does not hold,", _ADVICE["class"]
    bases = (one for one in cls.__mro__[1:] if any(one is known for known in registered))
    base = next(bases, None)
    if base is not None:
        return class_name(cls), _SUBCLASS.format(base=base.__qualname__)
    return class_name(cls), _ADVICE.get(cls.__name__, _OTHERWISE)


def _is_importable(cls: type) -> bool:
    """Tell whether the class is found by its name: it may be local, renamed, or from before a reload."""
    if cls.__module__.partition(".")[0] in sys.stdlib_module_names:
        return True  # types.GeneratorType and others hide, but that is not what keeps them from being stored
    try:
        return pickle.loads(pickle.dumps(cls)) is cls
    except Exception:
        return False


class _Finder(pickle.Unpickler):
    """Remembers which class or function it could not find."""

    missing: tuple[str, str] | None = None

    def find_class(self, module: str, name: str) -> Any:
        self.missing = (module, name)
        found = super().find_class(module, name)
        self.missing = None
        return found


def explain_decoding(frames: Frames, error: BaseException) -> str:
    """Return the message that says what this process lacks to rebuild the value."""
    if isinstance(error, Refused):
        return f"The stored value could not be rebuilt: {error}."
    finder = _Finder(io.BytesIO(frames[0]), buffers=frames[1:])
    try:
        finder.load()
    except MemoryError:
        raise
    except BaseException as again:
        if not is_fault(again):
            raise
        if finder.missing:
            return _missing(*finder.missing, error)
    return (
        f"The stored value could not be rebuilt ({type(error).__name__}): another version of a class or "
        "library has probably stored it. Store it again with the version that runs here."
    )


def _missing(module: str, name: str, error: BaseException) -> str:
    if module in ("__main__", "__mp_main__"):  # the latter in processes that multiprocessing spawned
        return (
            f"The stored value needs {name}, which was defined in the script that stored it, and this "
            "process runs another one. Move it to a module that both import, and store the value again."
        )
    if isinstance(error, ImportError):
        return (
            f"The stored value needs {module}.{name}, but the module {error.name or module} cannot be "
            "imported here. Install it, or store the value again without it."
        )
    return (
        f"The stored value needs {module}.{name}, which that module does not have here: it was moved or "
        "renamed, or another version is installed. Bring it back, or store the value again."
    )
