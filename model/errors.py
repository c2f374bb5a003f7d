"""What can go wrong for the user: one sentence that says what is wrong and what to do."""

from __future__ import annotations


class HitpointError(Exception):
    """A mistake the user can mend. `str(error)` is the whole message; `exit_code` is what the command returns."""

    exit_code = 1


def refusal(error: OSError) -> str:
    """What the system refused, as one sentence: a name that is too long, a folder that may not be looked into."""
    if error.filename is None:
        return f"the system refuses: {error.strerror or error}"
    return f"cannot use {error.filename} ({error.strerror}); choose another file or folder"


class UsageError(HitpointError):
    """The request itself is off: an unknown genre, an in point after its out point."""

    exit_code = 2


class InputError(HitpointError):
    """The input is at fault: a missing, empty, damaged or unsuitable file."""

    exit_code = 3


class MissingError(HitpointError):
    """This machine lacks something: a codec, a MIDI system, a sound font, a GPU."""

    exit_code = 4
