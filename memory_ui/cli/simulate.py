"""`memory-engine simulate`: what a room would be like, over days that take seconds."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from core.bootstrap.simulation import Visit
    from core.services.simulated import Headcount
    from memory_ui.simulation_report import Column

FOLLOWED = "the room goes by them"
FIRST_DAY = "2026-03-02"

Days = Annotated[int, typer.Option(min=1, max=366, help="Days to simulate.")]
Profile = Annotated[str | None, typer.Option(help="Installation profile; the node's own unless given.")]
Deployment = Annotated[str | None, typer.Option(help="Deployment; the node's own unless given.")]
PerDay = Annotated[float, typer.Option("--arrivals", min=0, max=100_000, help="Takes left in a day, on average.")]
Fossils = Annotated[float, typer.Option(min=0, max=1, help="Share of them left as fossils.")]
Held = Annotated[int, typer.Option(min=0, max=100_000, help="Takes that are there from the beginning, and stay.")]
Opens = Annotated[int, typer.Option(min=0, max=23, help="Hour at which the room opens.")]
Closes = Annotated[int, typer.Option(min=0, max=23, help="Hour at which it closes; the same hour is never.")]
Start = Annotated[str, typer.Option(help="First day, as 2026-03-02.")]
Seed = Annotated[int, typer.Option(help="What chance is drawn from; the same seed is the same simulation.")]
Quieter = Annotated[bool, typer.Option("--quieter", help="As if a steward had asked for quiet.")]
Leaning = Annotated[str | None, typer.Option("--mood", help="As if a steward had set this mood.")]
Occupancy = Annotated[
    str | None,
    typer.Option(
        help="Who is there, as HOUR:PEOPLE,...; each counts until the next, every day alike. The room goes by it where "
        "ROOM_FOLLOWS_OCCUPANCY is set."
    ),
]
Given = Annotated[list[str] | None, typer.Option("--set", help="A setting, as NAME=VALUE; may be repeated.")]
Against = Annotated[
    list[str] | None,
    typer.Option(help="Compare with a second run that has this setting, as NAME=VALUE; may be repeated."),
]
Out = Annotated[Path, typer.Option(help="Folder for report.html and report.json.")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("simulate")(simulate)


def simulate(
    days: Days = 7,
    profile: Profile = None,
    deployment: Deployment = None,
    per_day: PerDay = 40,
    fossils: Fossils = 0.3,
    held: Held = 0,
    opens: Opens = 10,
    closes: Closes = 18,
    start: Start = FIRST_DAY,
    seed: Seed = 1,
    quieter: Quieter = False,
    mood: Leaning = None,
    occupancy: Occupancy = None,
    given: Given = None,
    against: Against = None,
    out: Out = Path("simulation"),
) -> None:
    """Run the room over simulated days and report what it was like; with --against, two settings side by side.

    Nothing of the node is read but its settings, and nothing of it is changed.
    """
    from core.bootstrap.simulation import Visit
    from core.domain.pool.facts import Mood
    from memory_ui.simulation_report import report_html, report_json, summary_rows

    visit = Visit(
        start=_day(start),
        days=days,
        seed=seed,
        arrivals_per_day=per_day,
        fossils=fossils,
        held=held,
        opens_hour=opens,
        closes_hour=closes,
        quieter=quieter,
        mood=_mood(mood, [one.value for one in Mood]),
        headcount=_headcount(occupancy),
    )
    first = {"INSTALLATION_PROFILE": profile, "ENGINE_DEPLOYMENT": deployment, **_settings(given)}
    columns = [_column(visit, first, "")]
    if against:
        second = _settings(against)
        columns.append(_column(visit, {**first, **second}, _name(second)))
    out.mkdir(parents=True, exist_ok=True)
    title = f"{days} simulated {'day' if days == 1 else 'days'}"
    (out / "report.html").write_text(report_html(columns, title), "utf-8")
    (out / "report.json").write_text(report_json(columns), "utf-8")
    heads = ("", *(one.name for one in columns), *(["second by first"] if against else []))
    for row in [heads, *summary_rows(columns)]:
        print(f"{row[0]:<46}" + "".join(f"{cell:>24}" for cell in row[1:]))
    if occupancy and not any(one.given[FOLLOWED] == "yes" for one in columns):
        print("\nThe room does not go by these people: ROOM_FOLLOWS_OCCUPANCY is off.")
    print(f"\n{out / 'report.html'} and {out / 'report.json'} say more.")


def _column(visit: "Visit", values: dict[str, Any], name: str) -> "Column":
    from core.bootstrap.simulation import plan_of, simulation_of
    from core.services.measures import measures
    from core.settings import load_settings
    from memory_ui.simulation_report import Column

    settings = load_settings(**values)
    simulation = simulation_of(settings)
    run = simulation.run(plan_of(settings, visit))
    told = {
        "profile": settings.INSTALLATION_PROFILE,
        "deployment": settings.ENGINE_DEPLOYMENT,
        "days": f"{visit.days} from {visit.start}, {visit.opens_hour} to {visit.closes_hour} o'clock",
        "arrivals": f"{visit.arrivals_per_day:g} a day, {visit.fossils:.0%} as fossils",
        "there from the beginning": visit.held,
        "seed": visit.seed,
        **({"quieter": "yes"} if visit.quieter else {}),
        **({"mood": visit.mood.value} if visit.mood else {}),
        **(_people(visit.headcount, settings.ROOM_FOLLOWS_OCCUPANCY) if visit.headcount else {}),
        **{key: value for key, value in values.items() if value is not None and key not in _NAMED},
    }
    name = name or f"{settings.INSTALLATION_PROFILE}, {settings.ENGINE_DEPLOYMENT}"
    return Column(name=name, given=told, measured=measures(run, simulation))


_NAMED = ("INSTALLATION_PROFILE", "ENGINE_DEPLOYMENT")


def _name(values: dict[str, Any]) -> str:
    return ", ".join(str(value) if key in _NAMED else f"{key}={value}" for key, value in values.items())


def _settings(pairs: list[str] | None) -> dict[str, str]:
    found = {}
    for pair in pairs or []:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{pair!r} is not NAME=VALUE")
        found[name] = value
    return found


def _people(headcount: "Headcount", followed: bool) -> dict[str, str]:
    steps = ", ".join(f"{people} from {hour} o'clock" for hour, people in headcount.steps)
    return {"people": steps, FOLLOWED: "yes" if followed else "no"}


def _headcount(text: str | None) -> "Headcount | None":
    from core.domain.sensor import MOST_PEOPLE
    from core.services.simulated import Headcount

    if text is None:
        return None
    steps: dict[int, int] = {}
    for part in text.split(","):
        hour, _, people = part.strip().partition(":")
        if not (_whole(hour, 23) and _whole(people, MOST_PEOPLE)) or int(hour) in steps:
            raise typer.BadParameter(
                f"{part.strip()!r} is no HOUR:PEOPLE such as 9:3: hours are 0 to 23, each once, and people at most "
                f"{MOST_PEOPLE}"
            )
        steps[int(hour)] = int(people)
    return Headcount(steps=tuple(sorted(steps.items())))


def _whole(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= most


def _day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day such as {FIRST_DAY}") from None


def _mood(name: str | None, known: list[str]) -> Any:
    from core.domain.pool.facts import Mood

    if name is None:
        return None
    if name not in known:
        raise typer.BadParameter(f"{name!r} is no mood; known are {', '.join(known)}")
    return Mood(name)
