"""A short, seeded part of `make fairness`: a simulated month of small, middling and large pools."""

from itertools import combinations

import pytest

from core.domain.deployment import DeploymentName
from tests.fairness.deployments import differ, weeks
from tests.fairness.laws import NOT_BY_CHANCE, bound, fairness, frequencies_p

RUNS = [(5, 1, 2, 30), (50, 2, 1, 30), (5000, 1, 1, 12)]


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: f"{run[0]} takes, seed {run[1]}")
def month(request):
    pool, seed, hours, days = request.param
    return fairness(pool=pool, seed=seed, days=days, hours=hours)


def test_every_take_is_heard_within_the_bound(month):
    assert month.waits_within_bound is not False
    assert month.pool == 5000 or month.waits_within_bound


def test_nothing_is_heard_again_inside_the_window(month):
    assert month.repeats == 0


def test_the_order_of_one_day_says_nothing_of_the_next(month):
    assert month.order_p > NOT_BY_CHANCE


def test_silence_keeps_to_the_budget_of_the_profile_on_every_day(month):
    assert month.silence <= month.budget
    assert month.days_over_budget == 0


def test_nobody_is_out_of_reach(month):
    """Of a large pool the short run can tell only how many were heard at all: by chance no fewer than this."""
    hearings = month.programs / month.pool
    if month.pool == 5000:
        assert month.never_heard <= month.pool * 2.72**-hearings * 1.1
    else:
        assert month.never_heard == 0


@pytest.mark.parametrize("deployment", ["memory", "question", "oracle"])
def test_choices_are_as_frequent_as_their_weights(deployment):
    p_value, draws = frequencies_p(pool=50, seed=4, days=6, deployment=deployment)
    assert draws > 1500
    assert p_value > NOT_BY_CHANCE


@pytest.mark.parametrize("profile", ["quiet_gallery", "shared_lab", "active_exhibit"])
def test_every_profile_keeps_its_own_budget(profile):
    month = fairness(pool=5, seed=3, days=30, hours=1, profile=profile)
    assert (month.repeats, month.days_over_budget) == (0, 0)
    assert month.waits_within_bound


def test_the_bound_grows_a_little_faster_than_the_pool():
    assert bound(5) < bound(50) / 10 < bound(500) / 100


@pytest.fixture(scope="module")
def found():
    """A short part of the week of every deployment: one day, one seed."""
    return {one.deployment: one for one in weeks(seeds=(1,), days=1)}


class TestDeployments:
    def test_every_two_of_the_six_are_plainly_told_apart(self, found):
        alike = [pair for pair in combinations(found, 2) if not differ(found[pair[0]], found[pair[1]])]
        assert alike == []

    @pytest.mark.parametrize("name", [name.value for name in DeploymentName])
    def test_a_hearing_wears_as_much_as_its_row_promises(self, found, name):
        promised = found[name].promised["wear"]
        ratio = found[name].measured["wear_per_hearing"] / found["memory"].measured["wear_per_hearing"]
        assert ratio == pytest.approx(promised, rel=0.05)

    @pytest.mark.parametrize("name", [name.value for name in DeploymentName])
    def test_gaps_are_as_long_as_its_row_promises(self, found, name):
        """But for the budget of silence, which holds the longest, and for threads, which shorten them."""
        for figure, promised in (("gap_cue_s_mean", "cue_gap"), ("gap_pause_s_mean", "pause_gap")):
            ratio = found[name].measured[figure] / found["memory"].measured[figure]
            threads = 0.55 if found[name].measured["followed_share"] else 0.88
            assert threads * found[name].promised[promised] < ratio < 1.08 * found[name].promised[promised]
