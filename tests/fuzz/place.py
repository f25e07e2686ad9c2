"""A node that is served, what there really is on it, and who asks."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from http.client import HTTPConnection
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from core.domain.access import Role
from core.domain.consent import Kind, Mode
from core.domain.custody import Care
from core.domain.pool.facts import Wish
from core.domain.room.state import RoomState
from core.domain.work import Job
from core.services.access import Visitor
from memory_ui.app import plain_app
from memory_ui.session import COOKIE
from tests import wavs
from tests.fakes import SHORT_TAKE, Node, StillQueue, served
from tests.takes import a_page

TOKEN = "what-a-sensor-shows"
ROOMY: dict[str, Any] = {
    **{f"{kind}_PER_{who}_HOUR": 10**6 for kind in ("INGEST", "REVOKE", "FLAG") for who in ("STATION", "ADDRESS")},
    **{f"OPS_LOCKOUT_PER_{who}": 10**6 for who in ("BROWSER", "ADDRESS")},
    "SENSOR_TOKEN": TOKEN,
    "SENSOR_CHANGES_PER_HOUR": 10**6,
    "ROOM_FOSSIL_VISUALS": True,
    "METRICS": True,
}
"""No budget is used up, and everything that can be turned on is."""

AGENT = "tests"
STEP_S = 5.0
LONG_TAKE = wavs.take(2, sample_rate_hz=8000)


class Who(StrEnum):
    """Everyone who may ask. The steward holds the token of a sensor as well."""

    NOBODY = "nobody"
    CURATOR = "a curator"
    STEWARD = "a steward"


@dataclass(kw_only=True)
class Place:
    """A served node. `plant` puts something real under every name a request may use; `cookie` is a live session's."""

    node: Node
    url: str
    secrets: dict[Who, str]
    http: requests.Session = field(default_factory=requests.Session)

    def cookie(self, who: Who) -> str:
        """A session of its own each time: what one request ends was nobody else's."""
        if who is Who.NOBODY:
            return ""
        visitor = Visitor(user_agent=AGENT, address="127.0.0.1")
        opened = self.node.system.access.sign_in(self.secrets[who], visitor)
        assert opened is not None
        return opened[0]

    def send(self, who: Who) -> dict[str, Any]:
        """How a request of theirs is sent."""
        cookie = self.cookie(who)
        given = {"cookies": {COOKIE: cookie}} if cookie else {}
        headers = {"User-Agent": AGENT, **({"Authorization": f"Bearer {TOKEN}"} if who is Who.STEWARD else {})}
        return {"base_url": self.url, "session": self.http, "headers": headers, "timeout": 30, **given}

    def ask(self, who: Who, method: str, path: str, **given: Any) -> requests.Response:
        """One request of theirs, as `requests` sends it."""
        sending = self.send(who)
        url, http = sending.pop("base_url") + path, sending.pop("session")
        sending["headers"] = {**sending["headers"], **given.pop("headers", {})}
        return http.request(method, url, **sending, **given, allow_redirects=False)

    def ask_exactly(self, method: str, path: str, **headers: str) -> tuple[int, Message, bytes]:
        """Status, headers and body of a request nobody has tidied up on its way."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        with closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.msg, answer.read()

    def plant(self) -> dict[str, list[Any]]:
        """Real values by the name of a parameter or field, or of the part of an address before it."""
        system, node = self.node.system, self.node
        node.clock.advance(seconds=STEP_S)
        off = ("intake_paused", "playback_paused", "maintenance_mode")
        system.stewardship.change(dict.fromkeys(off, False), actor="test")
        kept, once = node.keep(), node.keep(Mode.NOSAVE)
        fossil = node.keep(Mode.FOSSIL, LONG_TAKE)
        system.derive.derive(fossil.artifact.id, Kind.SPECTROGRAM)
        if len(system.prompts.all()) > 50:
            for prompt in system.prompts.all():
                system.prompts.remove(prompt.id, actor="test")
        system.prompts.add(text="What do you remember?", language="en", actor="test")
        page = a_page(node)
        system.devices.report([page])
        playback = system.pool.next(Wish(), node.rng)
        assert playback is not None
        system.room.compose(RoomState(), node.rng, device_id=page.id)
        once_secret = once.answer["secret"]
        return {
            "artifact_id": [kept.artifact.id, fossil.artifact.id, once.artifact.id],
            "ids": [[kept.artifact.id]],
            "prompt_id": [prompt.id for prompt in system.prompts.all()],
            "device_id": [page.id],
            "device": [page.id],
            "decision_id": [decision.id for decision in system.decisions.newest(limit=3)],
            "kind": [care.value for care in Care],
            "job": [job.value for job in Job],
            "name": ["The hall"],
            "consume_token": [once_secret],
            "raw": [playback.media_token],
            "spectrogram": [picture.token for picture in system.archive.spectrograms()],
            "play": [system.once.play_token(once.artifact.id, once_secret)],
            "heard": [playback.heard_token],
            "flag": [playback.heard_token],
            "fossils": [system.fossils.feed_token()],
            "revoke": [kept.answer["secret"], fossil.answer["secret"]],
            "receipt": [kept.answer["secret"], fossil.answer["secret"]],
            "secret": [self.secrets[Who.STEWARD]],
            "file": [SHORT_TAKE, LONG_TAKE],
            "Range": ["bytes=0-9", "bytes=-5", "bytes=99999999-", "bytes=5-1", "bytes=0-,5-"],
        }


@contextmanager
def opened(node: Node) -> Iterator[Place]:
    """The node behind a real server, with nobody at work in the background."""
    secrets = {
        Who.STEWARD: node.system.access.shared_secret(),
        Who.CURATOR: node.system.access.add("Carl", Role.CURATOR, actor="test"),
    }
    app = plain_app(node.system, StillQueue().background)
    with served(app) as port, requests.Session() as http:
        # What an answer hands over is nobody's but the request's.
        http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield Place(node=node, url=f"http://127.0.0.1:{port}", secrets=secrets, http=http)
