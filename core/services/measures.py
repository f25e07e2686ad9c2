"""What a simulated room was like, in figures: plain JSON values for reports, comparisons and tests."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from core.domain.pool.facts import Lane, Mood
from core.domain.room.gaps import GapKind
from core.domain.room.schedule import site_time
from core.domain.room.tempo import scarcity_of, silence_most, tempo
from core.services.simulate import Simulation
from core.services.simulated import Played, Run

GAP_STEP_MS = 500
GAP_STEPS = 24


def measures(run: Run, simulation: Simulation) -> dict[str, Any]:
    """The summary of a run, and the series its charts are drawn from."""
    return {"summary": summary(run, simulation), "series": series(run, simulation)}


def summary(run: Run, simulation: Simulation) -> dict[str, Any]:
    """Single figures. Times are in the unit of their name; a figure nothing is known of is None."""
    played = run.played
    plays = Counter(number for one in played for number in one.voices)
    returns = recurrences_s(played)
    gaps = [one.gap_ms / 1000 for one in played]
    count = len(played)
    return {
        "programs": count,
        "programs_per_open_hour": _share(count, run.open_ms / 3_600_000),
        "takes": len(run.takes),
        "takes_heard": len(plays),
        "takes_never_heard": len(run.takes) - len(plays),
        "plays_least": min(plays.values(), default=None),
        "plays_median": _median(plays.values()),
        "plays_most": max(plays.values(), default=None),
        "first_heard_after_s_median": _median(first_heard_s(run).values()),
        "recurrence_s_median": _median(returns),
        "recurrence_s_p05": _part(returns, 0.05),
        "recurrence_s_p95": _part(returns, 0.95),
        "repeats_inside_window": repeats_inside_window(run, simulation),
        "gap_s_mean": _mean(gaps),
        "gap_cue_s_mean": _mean([one.gap_ms / 1000 for one in played if one.gap_kind == GapKind.CUE]),
        "gap_pause_s_mean": _mean([one.gap_ms / 1000 for one in played if one.gap_kind == GapKind.PAUSE]),
        "gap_s_median": _median(gaps),
        "gap_s_p95": _part(gaps, 0.95),
        "silence_share": silence_share(played),
        "silence_budget": silence_budget(run, simulation),
        "rest_share": _share(run.rested_ms, run.open_ms),
        "alone_share": _share(run.alone_ms, run.open_ms),
        "programs_to_nobody": programs_to_nobody(run, simulation),
        "wear_per_open_hour": wear_per_open_hour(run),
        "wear_at_end_mean": _mean([take.facts.wear for take in run.takes.values()]),
        "together_share": _share(sum(len(one.voices) > 1 for one in played), count),
        "crossfaded_share": _share(sum(one.gap_kind == GapKind.CROSSFADE for one in played), count),
        "followed_share": _share(sum(one.gap_kind == GapKind.FOLLOW_ON for one in played), count),
        "featured_share": _share(sum(one.featured_return for one in played), count),
        "threads_share": _share(sum(bool(one.thread_signal) for one in played), count),
        "lanes": _shares(Counter(one.lane for one in played), [lane.value for lane in Lane]),
        "moods": _shares(Counter(one.mood for one in played), [mood.value for mood in Mood]),
        "movements": _shares(Counter(one.movement for one in played), []),
        "gave_way": _shares(Counter(rung for one in played for rung in one.gave_way), [], of=count),
    }


def series(run: Run, simulation: Simulation) -> dict[str, Any]:
    """What charts are drawn from; lists go by day, plays by take in the order of arrival."""
    plays = Counter(number for one in run.played for number in one.voices)
    by_day = _by_day(run, simulation)
    days = [day.day + 1 for day in run.days]
    return {
        "days": days,
        "plays_per_artifact": [plays[number] for number in sorted(run.takes)],
        "lanes_played": {lane.value: [_count(by_day[day], "lane", lane) for day in days] for lane in Lane},
        "moods_played": {mood.value: [_count(by_day[day], "mood", mood) for day in days] for mood in Mood},
        "lanes_there": {lane.value: [day.lanes.get(lane.value, 0) for day in run.days] for lane in Lane},
        "moods_there": {mood.value: [day.moods.get(mood.value, 0) for day in run.days] for mood in Mood},
        "playable": [day.playable for day in run.days],
        "gap_from_s": [GAP_STEP_MS * step / 1000 for step in range(-2, GAP_STEPS)],
        "gaps": _histogram([one.gap_ms for one in run.played]),
        "silence_share": [silence_share(by_day[day]) for day in days],
        "wear_mean": [day.mean_wear for day in run.days],
        **by_hour(run, simulation),
    }


def recurrences_s(played: Sequence[Played]) -> list[float]:
    """Seconds between one hearing of a take and its next, for every take and every return."""
    last: dict[int, datetime] = {}
    found = []
    for one in played:
        for number in one.voices:
            if number in last:
                found.append((one.at - last[number]).total_seconds())
            last[number] = one.at
    return found


def first_heard_s(run: Run) -> dict[int, float]:
    """Seconds of opening time from a take's arrival, or from the beginning, to its first hearing."""
    first: dict[int, float] = {}
    for one in run.played:
        for number in one.voices:
            if number not in first:
                since = max(run.takes[number].facts.created_at, run.plan.start)
                first[number] = (one.at - since).total_seconds()
    return first


def repeats_inside_window(run: Run, simulation: Simulation) -> int:
    """How often a take was heard again before as many others as the window, or a small pool's share of it, asks for."""
    window = simulation.deployment.row.anti_repetition_window
    most_of_pool = simulation.tables.catalog.windows.most_of_pool
    recent: list[int] = []
    repeats = known = 0
    for one in run.played:
        # A page knows how much there is from what it played last.
        allowed = min(window, int(most_of_pool * known)) if known else window
        known = one.pool_size
        repeats += sum(number in recent[:allowed] for number in one.voices)
        recent = [*reversed(one.voices), *(number for number in recent if number not in one.voices)][: 2 * window]
    return repeats


def silence_share(played: Sequence[Played]) -> float | None:
    """Silence among voices and the silence before them, 0 to 1."""
    silent = sum(max(0, one.gap_ms) for one in played)
    voiced = sum(one.length_ms + min(0, one.gap_ms) for one in played)
    return _share(silent, silent + voiced)


def silence_budget(run: Run, simulation: Simulation) -> float | None:
    """The most silence the room's intensity and what was there allowed, averaged over the programs."""
    tables = simulation.tables
    budgets = []
    for one in run.played:
        now = tempo(simulation.posture(run.plan, one.at), one.at, tables, simulation.deployment)
        scarce = tables.catalog.scarcity[scarcity_of(one.pool_size, tables)]
        budgets.append(silence_most(now.intensity, scarce, tables))
    return _mean(budgets)


def programs_to_nobody(run: Run, simulation: Simulation) -> int | None:
    """How many began while nobody was there, whether or not the room goes by that; None where nobody counts."""
    count, zone = run.plan.headcount, simulation.tables.choices.zone
    if count is None:
        return None
    return sum(not count.people(site_time(one.at, zone)) for one in run.played)


def by_hour(run: Run, simulation: Simulation) -> dict[str, list[int] | list[float] | None]:
    """The open hours, the programs that began in each on an average day, and who was there when it began."""
    plan, zone = run.plan, simulation.tables.choices.zone
    hours = [(plan.opens_hour + after) % 24 for after in range((plan.closes_hour - plan.opens_hour) % 24 or 24)]
    began = Counter(site_time(one.at, zone).hour for one in run.played)
    # What begins after a gap that was left open at closing time is the last hour's.
    late = sum(count for hour, count in began.items() if hour not in hours)
    counts = [began[hour] + (late if hour == hours[-1] else 0) for hour in hours]
    first = site_time(plan.start, zone)
    return {
        "hours": hours,
        "programs_by_hour": [round(count / plan.days, 3) for count in counts],
        "people_by_hour": [plan.headcount.people(first.replace(hour=hour)) for hour in hours]
        if plan.headcount is not None
        else None,
    }


def wear_per_open_hour(run: Run) -> float | None:
    """Wear all takes together gained in one open hour."""
    return _share(sum(take.facts.wear for take in run.takes.values()), run.open_ms / 3_600_000)


def _by_day(run: Run, simulation: Simulation) -> dict[int, list[Played]]:
    zone = simulation.tables.choices.zone
    first = site_time(run.plan.start, zone).date()
    found: dict[int, list[Played]] = defaultdict(list)
    for one in run.played:
        found[(site_time(one.at, zone).date() - first).days + 1].append(one)
    return found


def _count(played: Sequence[Played], field: str, value: str) -> int:
    return sum(getattr(one, field) == value for one in played)


def _histogram(gaps_ms: Sequence[int]) -> list[int]:
    edges = [GAP_STEP_MS * step for step in range(-2, GAP_STEPS)]
    counts = [sum(low <= gap < high for gap in gaps_ms) for low, high in pairwise(edges)]
    return [*counts, sum(gap >= edges[-1] for gap in gaps_ms)]


def _shares(counted: Counter[str], names: Sequence[str], *, of: int | None = None) -> dict[str, float]:
    total = of or counted.total()
    return {name: round(counted[name] / total, 4) for name in names or sorted(counted) if total}


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 6) if values else None


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(median(found), 3) if found else None


def _part(values: Sequence[float], share: float) -> float | None:
    """The value under which `share` of all lie."""
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 3) if values else None
