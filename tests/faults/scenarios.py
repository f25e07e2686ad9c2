"""What is being done when the server dies, and what has to be true afterwards.

Every scenario is one thing a client does. It is done once at a server that dies, again, unless nobody tries again,
at its successors, and judged at a server that lives. `log` holds the answers in order.
"""

from pathlib import Path

from tests.faults.acts import TAKE, Memo, Scenario, acked, expect, odd, receipt, revoke, states, upload
from tests.faults.harness import Answer, Server, rows, stored_files

SHORTLY_H = 2 / 3600

# An upload.


def _same_answers(log: list[Answer]) -> list[str]:
    return expect((len({answer.body for answer in log if answer.whole}) == 1, "the same key was answered differently"))


def _judge_upload(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    wrong = odd(log, 201) + _same_answers(log)
    if wrong:
        return wrong
    shown = receipt(server, log[-1].json["revocation_token"])
    return expect(
        (states(data_dir) == ["ACTIVE"], f"not exactly one take: {states(data_dir)}"),
        ([one["status"] for one in shown.get("artifacts", [])] == ["ACTIVE"], f"the code shows {shown}"),
    ) + _plays(server)


def _plays(server: Server) -> list[str]:
    chosen = server.ask("GET", "/api/v1/pool/next")
    if chosen.status != 200:
        return [f"the room got {chosen.status} instead of a voice"]
    heard = server.ask("GET", chosen.json["audio_url"])
    return expect((heard.status == 200 and heard.body == TAKE, f"the take did not play: {heard.status}"))


def _take_back(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    code = log[-1].json["revocation_token"]
    wrong = _plays(server)
    answer = revoke(server, code).json
    again = upload(server, memo["mode"])
    return wrong + expect(
        (answer.get("revoked_artifacts") == 1, f"the code took back {answer}"),
        (answer.get("verified_gone_at") is not None, "the code's deletion was not verified"),
        (not stored_files(data_dir), "bytes of a revoked take"),
        (again.status == 410, f"its upload, repeated after its removal, got {again.status}"),
    )


def _acknowledged_is_there(data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    if not acked(log, 201):
        return expect((len(states(data_dir)) <= 1, "more than one row"))
    held = rows(data_dir, "SELECT raw_key, sha256 FROM artifact WHERE state IN ('ACTIVE', 'EPHEMERAL')")
    files = stored_files(data_dir)
    return expect(
        (len(held) == 1 and files.get(held[0]["raw_key"]) == held[0]["sha256"], "an acknowledged take is lost")
    )


def _judge_abandoned(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    there = states(data_dir) == ["ACTIVE"]
    return odd(log, 201) + (_plays(server) if there else expect((not acked(log, 201), "an acknowledged take is lost")))


def _kept(mode: str, *, retried: bool = True) -> Scenario:
    return Scenario(
        name=f"upload {mode}" if retried else f"upload {mode}, never repeated",
        prepare=lambda _server: {"mode": mode},
        act=lambda server, _memo: upload(server, mode),
        at_rest=_acknowledged_is_there,
        judge=_judge_upload if retried else _judge_abandoned,
        later=_take_back if retried else _judge_abandoned,
        retried=retried,
    )


# A take for one hearing.


def _judge_once_upload(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    wrong = odd(log, 201) + _same_answers(log)
    if wrong:
        return wrong
    url = log[-1].json["play_url"]
    waiting, first, second = server.ask("HEAD", url), server.ask("GET", url), server.ask("GET", url)
    return expect(
        (states(data_dir) == ["REVOKED"], f"not exactly one husk: {states(data_dir)}"),
        (waiting.status == 200, "an acknowledged one-time take is lost"),
        (first.status == 200 and first.body == TAKE, f"the one hearing got {first.status}"),
        (second.status == 404, f"a second hearing got {second.status}"),
    )


def _prepare_once(server: Server) -> Memo:
    return dict(upload(server, "NOSAVE").json)


def _judge_once(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    again = server.ask("GET", memo["play_url"])
    heard = [answer for answer in log if answer.status == 200]
    return odd(log, 200, 404) + expect(
        (len(heard) <= 1, f"heard {len(heard)} times"),
        (all(answer.body == TAKE[: len(answer.body)] for answer in heard), "other bytes than promised"),
        (again.status == 404, f"still heard after everything: {again.status}"),
    )


def _judge_consume(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    return odd(log, 200, 404) + expect(
        (len(acked(log, 200)) <= 1, "disposed of twice"),
        (server.ask("GET", memo["play_url"]).status == 404, "heard after it was disposed of"),
    )


def _all_gone(_server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    return expect(
        (not stored_files(data_dir), "bytes left"),
        (not {"ACTIVE", "EPHEMERAL"} & set(states(data_dir)), f"still held: {states(data_dir)}"),
    )


def _consume(server: Server, memo: Memo) -> Answer:
    given = {"artifact_id": memo["artifact_id"], "consume_token": memo["consume_token"]}
    return server.ask("POST", "/api/v1/ephemeral/consume", json=given)


# A revocation.


def _prepare_revocation(server: Server) -> Memo:
    kept = upload(server, "ROOM").json
    chosen = server.ask("GET", "/api/v1/pool/next").json
    return {"code": kept["revocation_token"], "audio_url": chosen["audio_url"]}


def _whole_or_undone(data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    files, named = stored_files(data_dir), rows(data_dir, "SELECT key FROM tombstone")
    if states(data_dir) == ["ACTIVE"]:
        return expect(
            (not acked(log, 200), "an acknowledged revocation was undone"),
            (len(files) == 1 and not named, "half a revocation: a held take without its bytes"),
        )
    told = any(answer.whole and answer.json["verified_gone_at"] for answer in acked(log, 200))
    return expect(
        (not files or len(named) == 1, "bytes of a revoked take that no tombstone names"),
        (not told or not files, "said to be verified gone, and there"),
    )


def _judge_revocation(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    counted = [answer.json["revoked_artifacts"] for answer in log if answer.whole and answer.status == 200]
    return odd(log, 200) + expect(
        (sum(counted) <= 1, "counted twice"),
        (states(data_dir) == ["REVOKED"], f"not revoked: {states(data_dir)}"),
        (server.ask("GET", memo["audio_url"]).status == 404, "a revoked take is still served"),
        (server.ask("GET", "/api/v1/pool/next").status == 204, "a revoked take is still chosen"),
        (upload(server, "ROOM").status == 410, "its upload, repeated, is not told that it is gone"),
    )


def _judge_unrepeated_revocation(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    served = server.ask("GET", memo["audio_url"])
    if states(data_dir) == ["ACTIVE"]:
        shown = receipt(server, memo["code"])
        return expect(
            (not acked(log, 200), "an acknowledged revocation was undone"),
            (served.body == TAKE, "a take whose revocation was undone does not play"),
            (shown["withdrawn_at"] is None, "a promise withdrawn without its take"),
        )
    return expect((served.status == 404, "a revoked take is still served"))


def _revocation(*, retried: bool) -> Scenario:
    return Scenario(
        name="revoke" if retried else "revoke, never repeated",
        prepare=_prepare_revocation,
        act=lambda server, memo: revoke(server, memo["code"]),
        at_rest=_whole_or_undone,
        judge=_judge_revocation if retried else _judge_unrepeated_revocation,
        later=_all_gone if retried else _judge_unrepeated_revocation,
        retried=retried,
    )


# A hearing.


def _prepare_heard(server: Server) -> Memo:
    upload(server, "ROOM")
    return dict(server.ask("GET", "/api/v1/pool/next").json)


def _judge_heard(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    found = rows(data_dir, "SELECT plays, wear, heard_at FROM artifact")[0]
    events = rows(data_dir, "SELECT id FROM access_event")
    ignored = [answer for answer in log if b"ignored" in answer.body]
    return odd(log, 200) + expect(
        (found["plays"] == 1 and found["heard_at"] is not None, f"{found['plays']} plays for one grant"),
        (0 < found["wear"] < 0.01, f"wear {found['wear']} for one hearing"),
        (len(events) == 1, f"{len(events)} events for one grant"),
        (not ignored, "a hearing was ignored"),
    )


# The end of a right.


def _prepare_expiry(server: Server) -> Memo:
    upload(server, "ROOM", "one")
    chosen = server.ask("GET", "/api/v1/pool/next").json
    upload(server, "FOSSIL", "two")
    once = upload(server, "NOSAVE", "three").json
    return {"audio_url": chosen["audio_url"], "play_url": once["play_url"]}


def _expire(server: Server, memo: Memo) -> Answer:
    server.kick("expire")
    return Answer(status=0, body=b"", whole=False)


def _judge_expiry(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    return expect(
        (server.ask("GET", "/api/v1/pool/next").status == 204, "an expired take is chosen"),
        (server.ask("GET", memo["audio_url"]).status == 404, "an expired take is served"),
        (server.ask("GET", memo["play_url"]).status == 404, "an expired one-time take is heard"),
    )


# The first start of a node.


def _judge_start(server: Server, data_dir: Path, memo: Memo, log: list[Answer]) -> list[str]:
    found = upload(server, "ROOM")
    return odd(log, 200) + expect((found.status == 201, f"a take got {found.status}")) + _plays(server)


SCENARIOS = (
    _kept("ROOM"),
    _kept("FOSSIL"),
    _kept("FOSSIL", retried=False),
    Scenario(
        name="upload NOSAVE",
        act=lambda server, _memo: upload(server, "NOSAVE"),
        at_rest=_acknowledged_is_there,
        judge=_judge_once_upload,
        later=_all_gone,
    ),
    Scenario(
        name="play once",
        prepare=_prepare_once,
        act=lambda server, memo: server.ask("GET", memo["play_url"]),
        judge=_judge_once,
        later=_all_gone,
    ),
    Scenario(name="consume", prepare=_prepare_once, act=_consume, judge=_judge_consume, later=_all_gone),
    _revocation(retried=True),
    _revocation(retried=False),
    Scenario(
        name="heard",
        prepare=_prepare_heard,
        act=lambda server, memo: server.ask("POST", memo["playback_ack_url"]),
        judge=_judge_heard,
        rest_s=0.1,
    ),
    Scenario(
        name="expiry",
        prepare=_prepare_expiry,
        act=_expire,
        judge=_judge_expiry,
        later=_all_gone,
        settings={
            "RAW_TTL_HOURS_ROOM": SHORTLY_H,
            "RAW_TTL_HOURS_FOSSIL": SHORTLY_H,
            "DERIVATIVE_TTL_DAYS_FOSSIL": SHORTLY_H / 24,
            "ONCE_FETCH_MINUTES": SHORTLY_H * 60,
        },
        rest_s=2.2,
    ),
    Scenario(
        name="first start",
        act=lambda server, _memo: server.ask("GET", "/healthz"),
        judge=_judge_start,
        armed_from_birth=True,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
