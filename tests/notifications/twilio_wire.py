"""Carries the Twilio SDK's requests to the in-repo fake without a network, and holds both sides to Twilio's OpenAPI."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from requests.adapters import BaseAdapter

SPEC = Path(__file__).parent.parent / "fixtures" / "twilio" / "twilio_api_v2010.messages.json"
BASE = "http://twilio.test/demo/twilio"


class Wire(BaseAdapter):
    """Mounted on the SDK's session. `dead` loses the request on its way, `cut` only the answer."""

    api = OpenAPI.from_file_path(str(SPEC))

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[requests.PreparedRequest] = []
        self.cut = False
        self.dead = False

    def send(self, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:
        self.requests.append(request)
        asked = self._as_spec(request)
        self.api.validate_request(asked)
        if self.dead:
            raise requests.ReadTimeout
        found = to_django(request)
        if found.status_code == 201:
            self.api.validate_response(
                asked, MockResponse(found.content, found.status_code, content_type="application/json")
            )
        if self.cut:
            raise requests.ReadTimeout
        return as_answer(request, found)

    def close(self) -> None:
        pass

    def _as_spec(self, request: requests.PreparedRequest) -> MockRequest:
        return MockRequest(
            "https://api.twilio.com",
            str(request.method).lower(),
            urlsplit(str(request.url)).path.removeprefix("/demo/twilio"),
            headers=dict(request.headers),
            data=(request.body or "").encode() if isinstance(request.body, str) else request.body,
            content_type=request.headers["Content-Type"],
        )


class ToDoorstep(BaseAdapter):
    """Carries the fake's reports to the product's own call-back view."""

    def send(self, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:
        return as_answer(request, to_django(request))

    def close(self) -> None:
        pass


def to_django(request: requests.PreparedRequest) -> Any:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    path = urlsplit(str(request.url)).path
    return Client().generic(str(request.method), path, request.body or "", request.headers["Content-Type"], **headers)


def as_answer(request: requests.PreparedRequest, found: Any) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content, answer.url = found.status_code, found.content, str(request.url)
    answer.headers.update(found.headers)
    return answer
