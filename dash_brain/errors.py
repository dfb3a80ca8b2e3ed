"""Everything dash_brain raises, in one tree under :class:`BrainError`.

A message says what failed, with which name, and what to do next. It never prints a value, a token or a
secret.
"""

from __future__ import annotations


class BrainError(Exception):
    """The base class of every error that dash_brain raises."""


class ValueMissing(BrainError, KeyError):
    """No value lies under this name or token: never stored, expired, evicted, or deleted.

    Attributes
    ----------
    reason
        ``"evicted"``, ``"expired"`` or ``"deleted"`` where the store remembers, else ``"unknown"``.
    of_quota
        Whether it was evicted because its session was at its quota, and not because the store was full.
    """

    reason = "unknown"
    of_quota = False

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0]) if self.args else ""


class ValueConflict(BrainError, RuntimeError):
    """Another value lies there than the one that was to be replaced: somebody changed it meanwhile."""


class BadToken(BrainError, ValueError):
    """A token is not valid: it was not made by this app, or not for this session.

    Foreign, forged, malformed and outdated tokens all raise this error with the same message, so that no
    client can tell them apart.
    """


class BadId(BrainError, ValueError):
    """The id of a component is neither a string nor a dict of plain values."""


class WiringError(BrainError, TypeError):
    """A component or a callback is used in a way that cannot work; the message names it and the cure."""


class NoSession(BrainError, RuntimeError):
    """A session is needed, and the caller has none."""


class SessionInSharedResult(NoSession):
    """Data of the caller's session was used while a result was computed that all sessions share."""


class StoreError(BrainError, OSError):
    """The store could not do what was asked."""


class BrainLearnNameError(BrainError):
    """A value was not learned: it cannot be stored, or there is no room. The old one stays."""


class StoreFull(StoreError, BrainLearnNameError):
    """There is no room for the value; what was stored before is untouched."""


class StoreUnavailable(StoreError):
    """The store cannot be opened or reached, or lacks the ability that was asked for."""


class LeaseLost(StoreError):
    """A value was made under a lock that this process has lost meanwhile; it was not stored."""


class EncodeError(BrainLearnNameError, TypeError):
    """The value cannot be stored; the message names the path to the part that cannot."""


class DecodeError(BrainError, ValueError):
    """The stored bytes are not an authentic object of this store; none of them was unpickled."""


class AlreadyConfigured(BrainError, RuntimeError):
    """``configure()`` was called with other arguments after the first use."""


class NotInstalled(BrainError, ImportError):
    """A library that was asked for is not installed; the message says what installs it."""


class TooOld(BrainError, ImportError):
    """A library that dash_brain needs is installed in a release that is too old; the message names both."""


class DashTooOld(TooOld):
    """That library is Dash."""


class BackendNotSupported(BrainError, RuntimeError):
    """What was asked for does not work with the backend (server) of the app."""


class BrainNameTypeError(BrainError, TypeError):
    """A name in a ``Brain`` is not a string."""


class StoreURLError(BrainError, ValueError):
    """The URL names no store that this release knows; the message lists those that it does."""


class BrainNamespaceNameError(BrainError, ValueError):
    """The namespace of a ``Brain`` is not a string of 1 to 255 bytes."""


class BrainNamespaceNotExistError(BrainError, LookupError):
    """There is no such namespace: nothing lies in it."""


class BrainNamespaceRemoveDefaultError(BrainError, ValueError):
    """The namespace ``default`` stays; ``clear()`` empties it."""


class BrainClientDisconnectedError(BrainError, RuntimeError):
    """The ``Brain`` is asleep; ``wake_up()`` lets it work again."""


class FlightFailed(BrainError, RuntimeError):
    """Another process failed to make the value, with an exception that cannot be sent here."""


class Deadlock(BrainError, RuntimeError):
    """Making a value would wait for itself, or waited too long for one that another process makes."""


class WaitTimeout(BrainError, TimeoutError):
    """What was waited for did not happen in time."""


#: The names that users of brain-plasma catch. Names of any length are welcome, and an update either happens
#: or leaves the old value, so three of these are here for the import alone.
BrainNameNotExistError = ValueMissing
BrainNameLengthError = BrainNameTypeError
BrainUpdateNameError = BrainLearnNameError
BrainRemoveOldNameValueError = BrainLearnNameError
