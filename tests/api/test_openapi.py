"""The published contract: complete, and true of every answer."""

import copy
import re
from importlib.metadata import version

import pytest
from fastapi.routing import APIRoute

from memory_ui.api.contract import operations
from memory_ui.app import ROUTES
from memory_ui.session import COOKIE
from tests.engines import Engine
from tests.fuzz.cases import Fuzz, described, labels
from tests.fuzz.place import Who

DOCUMENT = described()
LABELS = labels(DOCUMENT)
EXAMPLES = 2
SEED = 1
BESIDES = ["GET /livez", "GET /healthz", "GET /readyz", "GET /metrics", "POST /ops/", "POST /ops/logout/"]
SENSOR = "/api/v1/sensor"
STEWARDS = ("/api/v1/operator/", "/api/v1/node/", "/api/v1/derivatives/")
OPERATIONS = {f"{method.upper()} {path}": operation for path, method, operation in operations(DOCUMENT)}


@pytest.fixture(scope="module")
def fuzz(place):
    return Fuzz(place, DOCUMENT)


class TestTheDocument:
    def test_it_is_published_at_its_address(self, client):
        assert client.get("/api/v1/openapi.json").json() == DOCUMENT

    def test_it_names_the_version_of_the_package_and_no_server(self):
        assert DOCUMENT["info"]["version"] == version("memory-engine")
        assert "servers" not in DOCUMENT

    def test_every_route_below_the_api_is_in_it_with_every_method(self):
        routes = [route for module in ROUTES for route in module.router.routes if isinstance(route, APIRoute)]
        answered = {f"{method} {route.path}" for route in routes for method in route.methods}
        assert {label for label in answered if " /api/" in label} | set(BESIDES) == set(LABELS)

    def test_no_operation_answers_422(self):
        assert [label for label, operation in OPERATIONS.items() if "422" in operation["responses"]] == []

    @pytest.mark.parametrize("label", LABELS)
    def test_an_operation_says_what_it_does_in_one_line(self, label):
        assert re.fullmatch(r"[A-Z][^\n]{4,119}[^.]", OPERATIONS[label]["summary"])

    def test_every_operation_has_a_name_of_its_own(self):
        names = [operation["operationId"] for operation in OPERATIONS.values()]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize("label", LABELS)
    def test_what_is_for_stewards_needs_their_session_and_what_is_for_sensors_their_token(self, label):
        path = label.split()[1]
        needed = "session" if path.startswith(STEWARDS) else "sensor" if path == SENSOR else None
        assert OPERATIONS[label].get("security") == ([{needed: []}] if needed else None)

    def test_a_session_is_the_cookie_that_signing_in_hands_over(self):
        scheme = DOCUMENT["components"]["securitySchemes"]["session"]
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", COOKIE)

    def test_a_sensor_shows_its_token_as_a_bearer(self):
        scheme = DOCUMENT["components"]["securitySchemes"]["sensor"]
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")

    @pytest.mark.parametrize("label", [label for label in LABELS if label.startswith("POST ")])
    def test_whatever_is_posted_may_be_too_much(self, label):
        assert "413" in OPERATIONS[label]["responses"]

    @pytest.mark.parametrize("label", [label for label in LABELS if "requestBody" in OPERATIONS[label]])
    def test_whatever_takes_a_body_may_refuse_it(self, label):
        assert "400" in OPERATIONS[label]["responses"]

    @pytest.mark.parametrize("label", LABELS)
    def test_every_answer_says_of_what_type_it_is(self, label):
        answers = OPERATIONS[label]["responses"].items()
        assert [status for status, answer in answers if "content" not in answer and status not in ("204", "303")] == []

    def test_every_name_it_refers_to_is_there(self):
        names = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
        assert names <= set(DOCUMENT["components"]["schemas"])


class TestWhatIsAnswered:
    @pytest.mark.parametrize("label", LABELS)
    @pytest.mark.parametrize("who", [Who.NOBODY, Who.STEWARD])
    def test_is_what_the_document_says(self, fuzz, label, who):
        tally = fuzz.ask(label, who, examples=EXAMPLES, seed=SEED)
        assert tally.answered
        assert tally.wrong == {}

    @pytest.mark.engine(Engine.EMBEDDED)
    @pytest.mark.parametrize("label", LABELS)
    def test_is_what_the_document_says_to_a_curator(self, fuzz, label):
        """Who may do what is told without an engine."""
        tally = fuzz.ask(label, Who.CURATOR, examples=EXAMPLES, seed=SEED)
        assert tally.answered
        assert tally.wrong == {}

    def test_is_a_complaint_where_the_document_does_not_name_its_status(self, place):
        document = copy.deepcopy(DOCUMENT)
        del document["paths"]["/api/v1/node/status"]["get"]["responses"]["403"]
        tally = Fuzz(place, document).ask("GET /api/v1/node/status", Who.NOBODY, examples=1, seed=SEED)
        assert [sentence for sentence in tally.wrong if "Undocumented" in sentence]

    def test_is_a_complaint_where_the_document_does_not_name_a_field(self, place):
        document = copy.deepcopy(DOCUMENT)
        del document["components"]["schemas"]["SurfaceAnswer"]["properties"]["ingest_budget"]
        document["components"]["schemas"]["SurfaceAnswer"]["required"].remove("ingest_budget")
        tally = Fuzz(place, document).ask("GET /api/v1/surface/state", Who.NOBODY, examples=1, seed=SEED)
        assert [sentence for sentence in tally.wrong if "ingest_budget" in sentence]
