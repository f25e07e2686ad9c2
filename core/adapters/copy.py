"""Text for people: one TOML file a language under `assets/copy`, and how its people write times and numbers.

Plural forms, numbers, dates and lengths of time follow the CLDR, as Babel carries it. Digits are Western in every
language, because codes and addresses are, and are read beside them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date, format_timedelta, parse_pattern
from babel.numbers import format_decimal
from babel.units import format_unit

STEWARDS = "stewards"
"""The file of what only stewards read; they are spoken to in English."""

ENGLISH = "en"

ISOLATE, ISOLATED = "\u2068", "\u2069"
"""What stands between them is read in its own direction (Unicode Standard Annex 9)."""

Text = str | Mapping[str, str]
"""A text, or its plural forms by CLDR category."""

Unit = Literal["day", "hour", "minute", "second"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """All text of one language (BCP 47); keys are `section.name`."""

    language: str
    locale: Locale
    texts: dict[str, Text]

    @property
    def direction(self) -> str:
        """How it is read: `ltr` or `rtl`."""
        return self.locale.text_direction

    @property
    def name(self) -> str:
        """The language's name for itself."""
        return self.t("language.name")

    def joined(self, *sentences: str) -> str:
        """Sentences that follow one another; an empty one is none."""
        return self.t("language.between_sentences").join(filter(None, sentences))

    def t(self, key: str, **params: Any) -> str:
        """The text under `key` with its placeholders filled, in the form that `count` takes where there are several.

        Raises KeyError for an unknown key or placeholder.
        """
        return self._form(key, params).format(**{name: self._written(value) for name, value in params.items()})

    def heard(self, key: str, **params: Any) -> str:
        """The same for whoever listens: no marks between the digits of a number, and none of direction."""
        return self._form(key, params).format(**{name: self._read_out(value) for name, value in params.items()})

    def section(self, name: str) -> dict[str, Text]:
        """Every text of a section, without the section's name."""
        prefix = f"{name}."
        return {key.removeprefix(prefix): text for key, text in self.texts.items() if key.startswith(prefix)}

    def framed(self, name: str, deployment: str) -> dict[str, Text]:
        """A section, with what `<name>_<deployment>` says otherwise; where there is no such section, nothing."""
        return {**self.section(name), **self.section(f"{name}_{deployment}")}

    def day(self, local: date) -> str:
        """A day of the calendar."""
        return format_date(local, "long", locale=self.locale)

    def calendar(self) -> dict[str, Any]:
        """How a day is written, for those who fill it in elsewhere.

        The sentence `day` is of {day}, {month} (its name), {number} (its number) and {year}; `months` are the names.
        """
        parts = {"d": "{day}", "MMMM": "{month}", "M": "{number}", "y": "{year}"}
        sentence = str(parse_pattern(self.locale.date_formats["long"]).format) % parts
        return {"day": sentence, "months": list(self.locale.months["format"]["wide"].values())}

    def moment(self, local: datetime, *, weekday: bool = False) -> str:
        """A day and its time of 24 hours, by whatever clock `local` is of."""
        day = format_date(local, "full" if weekday else "long", locale=self.locale)
        return self.t("when.moment", day=day, time=f"{local:%H:%M}")

    def span(self, amount: float, unit: Unit) -> str:
        """A length of time with its unit: 48 hours."""
        return format_unit(amount, f"duration-{unit}", "long", locale=self.locale)

    def ago(self, count: int, unit: Unit) -> str:
        """How long ago: 3 hours ago."""
        passed = timedelta(**{f"{unit}s": count})
        return format_timedelta(
            -passed, granularity=unit, threshold=float("inf"), add_direction=True, locale=self.locale
        )

    def _form(self, key: str, params: Mapping[str, Any]) -> str:
        text = self.texts[key]
        return text if isinstance(text, str) else text.get(self.locale.plural_form(params["count"]), text["other"])

    def _written(self, value: Any) -> Any:
        if isinstance(value, str):
            # An address or a name of another script must not turn what stands around it.
            return f"{ISOLATE}{value}{ISOLATED}" if self.direction == "rtl" else value
        return format_decimal(value, locale=self.locale) if _is_number(value) else value

    def _read_out(self, value: Any) -> Any:
        return format_decimal(value, locale=self.locale, group_separator=False) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def load_copy(language: str) -> Copy:
    """The copy of a language, English with what stewards read; raises FileNotFoundError where there is none."""
    names = (language, STEWARDS) if language == ENGLISH else (language,)
    tables = [tomllib.loads((files("assets") / "copy" / f"{name}.toml").read_text("utf-8")) for name in names]
    texts = {
        f"{section}.{name}": text
        for found in tables
        for section, table in found.items()
        for name, text in table.items()
    }
    return Copy(language=language, locale=Locale.parse(texts["language.locale"]), texts=texts)


@cache
def languages() -> tuple[str, ...]:
    """Every language participants are spoken to in, in the order of their names."""
    stems = (entry.name.removesuffix(".toml") for entry in (files("assets") / "copy").iterdir())
    return tuple(sorted((stem for stem in stems if stem != STEWARDS), key=lambda stem: load_copy(stem).name))
