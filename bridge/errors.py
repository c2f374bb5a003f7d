"""How a mistake reaches the user: one line and an exit code."""

from __future__ import annotations

from hitpoint.model.errors import HitpointError, InputError, MissingError, UsageError, refusal

__all__ = ["HitpointError", "InputError", "MissingError", "UsageError", "refusal"]
