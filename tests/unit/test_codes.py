import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.domain import codes

found_codes = st.integers(0, 2**32).map(lambda seed: codes.normalise(codes.new_code(random.Random(seed))))
places = st.integers(0, codes.DATA_SIGNS)
signs = st.sampled_from(codes.ALPHABET)


def is_typo(text):
    try:
        codes.normalise(text)
    except codes.Typo:
        return True
    return False


def test_a_code_has_at_least_sixty_bits():
    assert codes.DATA_SIGNS * math.log2(len(codes.ALPHABET)) >= 60


def test_no_sign_can_be_taken_for_another():
    assert not set(codes.ALPHABET) & set("0O1IL")
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 31


def test_a_new_code_is_spoken_in_three_groups_of_five():
    assert [len(group) for group in codes.new_code(random.Random(1)).split("-")] == [5, 5, 5]


@given(st.integers())
def test_a_new_code_is_a_code(seed):
    assert not is_typo(codes.new_code(random.Random(seed)))


@given(found_codes)
def test_grouping_and_normalising_are_inverse(code):
    assert codes.normalise(codes.grouped(code)) == code


@given(found_codes, st.data())
def test_case_spaces_and_dashes_between_signs_do_not_matter(code, data):
    noise = st.text(st.sampled_from(" -\t\n_.·‐‑–—"), max_size=3)
    typed = "".join(data.draw(noise) + data.draw(st.sampled_from([sign, sign.lower()])) for sign in code)
    assert codes.normalise(typed + data.draw(noise)) == code


@given(found_codes, places, signs)
def test_every_single_wrong_sign_is_detected(code, place, sign):
    assume(code[place] != sign)
    assert is_typo(code[:place] + sign + code[place + 1 :])


@given(found_codes, st.integers(0, codes.DATA_SIGNS - 1))
def test_every_exchange_of_neighbours_is_detected(code, place):
    assume(code[place] != code[place + 1])
    assert is_typo(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(found_codes, places, places)
def test_every_exchange_of_any_two_signs_is_detected(code, one, other):
    assume(code[one] != code[other])
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert is_typo("".join(swapped))


def test_of_one_code_every_single_error_is_detected():
    code = codes.normalise(codes.new_code(random.Random(5)))
    for place, right in enumerate(code):
        wrong = [sign for sign in codes.ALPHABET if sign != right]
        assert all(is_typo(code[:place] + sign + code[place + 1 :]) for sign in wrong)


@given(found_codes, places)
def test_a_missing_or_doubled_sign_is_detected(code, place):
    assert is_typo(code[:place] + code[place + 1 :])
    assert is_typo(code[: place + 1] + code[place:])


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_a_typo_and_nothing_else(text):
    if not is_typo(text):
        assert set(codes.normalise(text)) <= set(codes.ALPHABET)


@pytest.mark.parametrize("text", ["", "-", "0" * 15, "ſ" * 15, "ABCDE-FGHJK-MNPQ٢", "Ａ" * 15, "\0" * 15])
def test_what_only_resembles_a_code_is_a_typo(text):
    assert is_typo(text)
