"""What tests of the doctor share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from memory_ui.appliance.doctor import diagnose
from memory_ui.appliance.findings import Finding
from memory_ui.appliance.patient import Patient
from memory_ui.appliance.visiting import visiting
from tests.engines import Ground
from tests.fakes import Given, Node
from tests.patients import NOBODY


@pytest.fixture
def visit(ground: Ground, node: Node) -> Callable[..., Any]:
    """Goes to see the node through what the test holds in its hands."""

    def go(look: Callable[[Patient], Any], **settings: Any) -> Any:
        def around(found):
            return replace(
                found, clock=node.clock, drift=node.drift, source=node.source, disk=node.disk, store=node.store
            )

        given = Given(MEMORY_DATA_DIR=ground.folder, **{**ground.settings, **settings})
        with visiting(given, url=NOBODY, chromium="/usr/bin/chromium", wrap=around) as patient:
            return look(patient)

    return go


@pytest.fixture
def found(visit: Callable[..., Any]) -> Callable[..., list[Finding]]:
    """What the doctor says of one thing."""

    def of(what: str, **given: Any) -> list[Finding]:
        return [finding for finding in visit(diagnose, **given) if finding.what == what]

    return of
