from datetime import timedelta

import pytest

from core.services.grants import Grants


@pytest.fixture
def grants(node):
    """Grants of fifteen minutes."""
    return Grants(node.system.vault, node.clock, valid_s=900)


def test_a_media_grant_opens_its_artifact_and_says_until_when(grants, clock):
    token, until = grants.media(17)
    assert (grants.media_artifact(token), until) == (17, clock.now() + timedelta(seconds=900))


def test_a_media_grant_ends(grants, clock):
    token, _ = grants.media(17)
    clock.advance(seconds=900)
    assert grants.media_artifact(token) == 17
    clock.advance(seconds=1)
    assert grants.media_artifact(token) is None


def test_a_heard_grant_says_what_was_granted(grants, clock):
    grant = grants.heard_grant(grants.heard(17, 4000))
    assert (grant.artifact_id, grant.granted_at, grant.playback_ms) == (17, clock.now(), 4000)


def test_every_heard_grant_has_a_nonce_of_its_own(grants):
    nonces = {grants.heard_grant(grants.heard(17, 4000)).nonce for _ in range(50)}
    assert len(nonces) == 50


def test_a_heard_grant_ends(grants, clock):
    token = grants.heard(17, 4000)
    clock.advance(seconds=900)
    assert grants.heard_grant(token) is not None
    clock.advance(seconds=1)
    assert grants.heard_grant(token) is None


def test_a_grant_is_good_for_its_purpose_only(grants):
    media, _ = grants.media(17)
    assert grants.heard_grant(media) is None
    assert grants.media_artifact(grants.heard(17, 4000)) is None


def test_no_changed_sign_of_a_grant_is_accepted(grants):
    token, _ = grants.media(17)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert grants.media_artifact(changed) is None


@pytest.mark.parametrize("more", ["=", "==", " ", "\n", "\0", "~", ".", ".."])
def test_a_grant_has_one_spelling(grants, more):
    token, _ = grants.media(17)
    assert grants.media_artifact(token + more) is None
    assert grants.media_artifact(more + token) is None


def test_a_grant_of_another_node_is_refused(grants, elsewhere):
    foreign, _ = Grants(elsewhere.system.vault, elsewhere.clock, valid_s=900).media(17)
    assert grants.media_artifact(foreign) is None
