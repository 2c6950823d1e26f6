"""The OpenAPI page is valid and true: what it allows is answered as it says, what it forbids is refused."""

from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.storefront.shop import Shop, ground

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


@pytest.mark.covers("M4")
def test_the_schema_is_complete_and_valid_openapi_3_1() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())
    response = Client().get("/api/v1/schema", headers={"accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    document = response.json()
    assert document["openapi"].startswith("3.1")
    assert OpenAPIV31SpecValidator(document).is_valid()
    assert set(document["paths"]) == {
        "/api/v1/deliveries",
        "/api/v1/deliveries/{public_id}",
        "/api/v1/deliveries/{public_id}/cancel",
    }
    assert document["components"]["schemas"]["DeliveryInput"]["additionalProperties"] is False
    assert document["webhooks"]["delivery"]["post"]["requestBody"]
    assert settings.SPECTACULAR_SETTINGS["OAS_VERSION"].startswith("3.1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("M4")
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", ["list_deliveries", "create_delivery", "read_delivery", "cancel_delivery"])
def test_generated_requests_are_answered_as_described(operation: str, mode: GenerationMode) -> None:
    ground()
    key = {"Authorization": f"Bearer {Shop().key}"}
    document = schemathesis.openapi.from_wsgi(
        "/api/v1/schema", get_wsgi_application(), headers={"accept": "application/vnd.oai.openapi+json"}
    )
    # A request without its key is invalid too; where nothing else can be, the key stays.
    fixed = key if operation == "list_deliveries" else None
    described = document.find_operation_by_id(operation)

    @examples(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described.as_strategy(generation_mode=mode, headers=fixed))
    def check(case: Any) -> None:
        cache.clear()
        case.call_and_validate(checks=CHECKS, headers=key)

    check()
