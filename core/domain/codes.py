"""The receipt code: short, speakable, unambiguous, and able to tell a slip of the pen from a wrong code.

31 signs without 0/O, 1/I/L; 14 random ones (14 x log2(31) = 69.4 bits) and one check sign, in three groups of five.
31 is prime, so the weighted sum modulo 31 with distinct non-zero weights finds every single wrong sign and every
exchange of two signs (Verhoeff, "Error Detecting Decimal Codes", 1969, on weighted modulus codes).
"""

import random
import re

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
DATA_SIGNS = 14
GROUP = 5
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_NOISE = re.compile(r"[\s\-‐-―_.·]+")


class Typo(ValueError):
    """The text cannot be a code of ours: a wrong length, a sign outside the alphabet, a failed check sign."""


def new_code(rng: random.Random) -> str:
    """A fresh code in groups, e.g. ``ABCDE-FGHJK-MNPQ2``; `rng` must be cryptographic outside tests."""
    data = [rng.randrange(len(ALPHABET)) for _ in range(DATA_SIGNS)]
    signs = "".join(ALPHABET[value] for value in [*data, _check(data)])
    return grouped(signs)


def normalise(text: str) -> str:
    """The bare 15 signs of a code typed by a person; case, spaces and dashes do not matter. Raises `Typo`."""
    signs = _NOISE.sub("", text).upper()
    if len(signs) != DATA_SIGNS + 1 or any(sign not in _VALUE for sign in signs):
        raise Typo(text)
    values = [_VALUE[sign] for sign in signs]
    if _check(values[:-1]) != values[-1]:
        raise Typo(text)
    return signs


def grouped(signs: str) -> str:
    """Bare signs in groups of five, as printed and spoken."""
    return "-".join(signs[start : start + GROUP] for start in range(0, len(signs), GROUP))


def _check(values: list[int]) -> int:
    # Weights 1..14 for the data and -1 for the check sign, all distinct modulo 31.
    return sum((place + 1) * value for place, value in enumerate(values)) % len(ALPHABET)
