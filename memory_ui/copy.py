"""Text for people, as pages use it."""

from core.adapters.copy import Copy, load_copy

__all__ = ["Copy", "load_copy"]
