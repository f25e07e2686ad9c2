"""Text for people, as pages use it."""

from core.adapters.copy import ENGLISH, Copy, languages, load_copy

__all__ = ["ENGLISH", "Copy", "languages", "load_copy"]
