"""Attacks 24 to 27 on the API's input: nothing odd passes in silence, nothing is a 500, every no is a problem."""

import gzip
import json
import logging

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.deliveries.models import Delivery
from apps.storefront.models import KeptAnswer
from tests.storefront.shop import DELIVERIES, Shop, order, parcel, problem_of

pytestmark = pytest.mark.django_db


@pytest.mark.covers("M4", "GS1")
@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("status", "delivered", "/status"),
        ("merchant", 2, "/merchant"),
        ("token", "x", "/token"),
        ("is_staff", True, "/is_staff"),
        ("recipient", {"name": "A", "is_staff": True}, "/recipient/is_staff"),
        ("recipient", {"name": 7}, "/recipient/name"),
        ("recipient", {"name": "A\x00"}, "/recipient/name"),
        ("recipient", {"name": "A", "email": "not an address"}, "/recipient/email"),
        ("recipient", "Alice", "/recipient"),
        ("recipient", [], "/recipient"),
        ("place", {"street": "S", "postcode": "1", "town": "T", "latitude": 47.1}, "/place"),
        ("place", {"street": "S", "postcode": "1", "town": "T", "latitude": 91, "longitude": 9}, "/place/latitude"),
        ("place", {"street": "S", "postcode": "1", "town": "T", "latitude": "47", "longitude": 9}, "/place/latitude"),
        ("parcels", [], "/parcels"),
        ("parcels", [parcel()] * 51, "/parcels"),
        ("parcels", [parcel(), parcel(weight_grams="2500")], "/parcels/1/weight_grams"),
        ("parcels", [parcel(weight_grams=True)], "/parcels/0/weight_grams"),
        ("parcels", [parcel(weight_grams=-1)], "/parcels/0/weight_grams"),
        ("parcels", [parcel(**{"a/b~c": 1})], "/parcels/0/a~1b~0c"),
        ("window", {"earliest": "2026-03-10T14:00:00", "latest": "2026-03-10T15:00:00Z"}, "/window/earliest"),
        ("window", {"earliest": "2026-03-10T16:00:00Z", "latest": "2026-03-10T15:00:00Z"}, "/window"),
        ("window", {"earliest": "9999-12-31T23:59:59Z", "latest": "9999-12-31T23:59:59Z"}, "/window/earliest"),
        ("window", {"earliest": 5, "latest": None}, "/window/earliest"),
        ("service_seconds", 10**30, "/service_seconds"),
        ("reference", " ", "/reference"),
        ("reference", "A" * 61, "/reference"),
    ],
)
def test_each_fault_is_named_by_its_place(shop: Shop, name: str, value: object, pointer: str) -> None:
    body = problem_of(shop.post({**order(), name: value}), 400)
    assert body["code"] == "invalid_input"
    assert pointer in [error["pointer"] for error in body["errors"]]
    assert all(error["detail"].endswith(".") for error in body["errors"])
    assert not Delivery.objects.exists()


@pytest.mark.covers("M4")
@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ({"name": "A", "phone": "12"}, "phone_not_understood"),
        ({"name": "Alice\u202eBob"}, "name_not_understood"),
    ],
)
def test_what_only_the_domain_can_judge_is_a_problem_too(shop: Shop, recipient: dict, code: str) -> None:
    assert problem_of(shop.post(order(recipient=recipient)), 400)["code"] == code
    assert not Delivery.objects.exists()


VALID = json.dumps(order()).encode()


@pytest.mark.covers("M4", "GS1")
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a":' * 10_000, "application/json", 400),
        (b"[" * 400 + b"]" * 400, "application/json", 400),
        (b"{" + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}", "application/json", 400),
        (
            VALID.replace(b'"reference": "A-1001"', b'"reference": "A-1001", "reference": "A-1002"'),
            "application/json",
            400,
        ),
        (VALID.replace(b"2500", b"NaN"), "application/json", 400),
        (VALID.replace(b"2500", b"-Infinity"), "application/json", 400),
        (VALID.replace(b"2500", b"1e309"), "application/json", 400),
        (VALID.replace(b"2500", b"9" * 5_000), "application/json", 400),
        (VALID.replace(b"A-1001", b"\\ud800"), "application/json", 400),
        (VALID.replace(b"A-1001", b"\\u0000"), "application/json", 400),
        (VALID.replace(b"A-1001", b"\xff\xfe"), "application/json", 400),
        (b"\xef\xbb\xbf" + VALID, "application/json", 400),
        (VALID.decode().encode("utf-16"), "application/json", 400),
        (VALID, "application/json; charset=utf-16", 415),
        (VALID, "text/plain", 415),
        (VALID, "application/x-www-form-urlencoded", 415),
        (VALID, "multipart/form-data; boundary=x", 415),
        (VALID, "nonsense", 415),
        (b" " * 70_000 + VALID, "application/json", 413),
        (b" " * 5_000_000, "application/json", 413),
    ],
)
def test_json_that_is_a_trick_or_none(shop: Shop, body: bytes, content_type: str, status: int) -> None:
    problem_of(shop.send(body, content_type=content_type), status)
    assert not Delivery.objects.exists()


@pytest.mark.covers("M4", "GS1")
def test_packed_bodies_are_not_unpacked(shop: Shop) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    problem_of(shop.send(bomb, **{"content-encoding": "gzip"}), 415)


@pytest.mark.covers("M4", "GS1")
@pytest.mark.parametrize(
    "query",
    [
        {"limit": "1000000000"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "9" * 5000},
        {"offset": "5"},
        {"order__merchant__name__startswith": "A"},
        {"ordering": "-recipient__phone"},
        {"status": "unknown"},
        {"reference": "A\x00"},
        {"cursor": "../../etc"},
        {"cursor": "unknown"},
        {"cursor": "é"},
    ],
)
def test_filters_that_do_not_exist_are_refused_cheaply(shop: Shop, query: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        problem_of(shop.get(**query), 400)
    assert len(queries) <= 4


@pytest.mark.covers("M4")
def test_every_other_no_is_a_problem_document(shop: Shop) -> None:
    client = Client(headers={"authorization": f"Bearer {shop.key}"})
    response = client.delete(DELIVERIES)
    problem_of(response, 405)
    assert {"GET", "POST"} <= {name.strip() for name in response.headers["Allow"].split(",")}
    assert "OPTIONS" not in response.headers["Allow"]
    problem_of(client.options(DELIVERIES), 405)
    problem_of(client.generic("POST", DELIVERIES, headers={"transfer-encoding": "chunked"}), 411)
    problem_of(client.get(DELIVERIES, headers={"accept": "text/html"}), 406)
    problem_of(client.get("/api/v1/nothing"), 404)
    problem_of(client.post("/api/v2/deliveries"), 404)
    problem_of(client.get(f"{DELIVERIES}/unknown"), 404)
    problem_of(client.get(f"{DELIVERIES}/{'x' * 3000}"), 404)
    problem_of(shop.post(order(), path=f"{DELIVERIES}?dry_run=1"), 400)
    assert "no-store" in client.get(DELIVERIES).headers["Cache-Control"]


@pytest.mark.covers("M4")
def test_no_personal_word_reaches_the_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = shop.post(order()).json()
        shop.post(order(recipient={"name": "Alice Muster", "phone": "12"}))
        shop.post({**order(), "Alice Muster": 1})
        shop.cancel(made["id"])
    own = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    for word in ("Alice", "Muster", "791 00 11", "7910011", "alice@example.com", shop.key, "Landstrasse"):
        assert word not in own


@pytest.mark.covers("M4")
def test_a_defect_of_ours_is_a_problem_that_quotes_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_words: object) -> None:
        raise RuntimeError(order()["recipient"])

    monkeypatch.setattr("apps.storefront.services.create_delivery", broken)
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {shop.key}"})
    response = client.post(DELIVERIES, VALID, content_type="application/json", headers={"idempotency-key": "k"})
    assert problem_of(response, 500)["code"] == "defect"
    assert b"Alice" not in response.content
    assert "Alice" not in "\n".join(record.getMessage() for record in caplog.records)
    assert not KeptAnswer.objects.exists()
