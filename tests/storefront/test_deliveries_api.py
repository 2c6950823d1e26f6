"""A merchant's journeys through the API: hand over, read back, list, call off; never anybody else's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.models import Contact, Delivery
from apps.fleet.models import Depot
from apps.merchants.services import revoke_api_key
from apps.routing import snapshot
from apps.routing.models import Drop, Visit
from tests import world
from tests.storefront.shop import DELIVERIES, Shop, order, parcel, problem_of

pytestmark = pytest.mark.django_db


@pytest.mark.covers("M4")
def test_a_handed_over_delivery_is_on_a_van_and_its_tracking_page_opens(shop: Shop, drain: Callable[..., int]) -> None:
    response = shop.post(order())
    assert response.status_code == 201, response.content
    answer = response.json()
    assert response.headers["Location"] == f"{DELIVERIES}/{answer['id']}"
    assert answer["reference"] == "A-1001"
    assert answer["status"] == "planned"
    assert answer["place"] == {"kind": "address", "town": "Vaduz"}
    assert answer["window"] == {"earliest": "2026-03-10T12:00:00Z", "latest": "2026-03-10T14:00:00Z"}
    assert answer["parcels"][0]["barcode"].startswith("DS")
    made = Delivery.objects.get(public_id=answer["id"])
    assert (made.place.latitude, made.place.longitude) == (47.1410, 9.5215)
    assert made.recipient.phone == "+4237910011"
    assert Drop.objects.filter(delivery=made, is_open=True).exists()
    drain()
    page = Client().get(answer["tracking_url"].removeprefix("http://127.0.0.1:8000"))
    assert page.status_code == 200
    assert shop.get(f"{DELIVERIES}/{answer['id']}").json()["tracking_url"] == answer["tracking_url"]


@pytest.mark.covers("M4")
def test_without_a_window_it_gets_the_first_day_with_room(shop: Shop) -> None:
    answer = shop.post(order(window=None)).json()
    assert answer["status"] == "planned"
    assert answer["window"]["earliest"].startswith("2026-03-1")


@pytest.mark.covers("M4")
def test_a_pinned_place_and_a_gift_need_no_look_up(shop: Shop) -> None:
    place = {"street": "Zum Hof", "postcode": "9494", "town": "Schaan", "latitude": 47.167, "longitude": 9.512}
    buyer = {"name": "Bob Käufer", "email": "bob@example.com", "language": "de"}
    made = shop.post(order(place=place, buyer=buyer)).json()
    row = Delivery.objects.get(public_id=made["id"])
    assert row.order.buyer.name == "Bob Käufer"
    assert row.recipient.name == "Alice Muster"
    assert row.place.street == "Zum Hof"


@pytest.mark.covers("O19")
def test_an_order_is_collected_at_the_merchants_shop_and_brought_by_the_same_van(shop: Shop) -> None:
    store = {
        "name": "Alpenkorb Schaan",
        "street": "Feldkircher Strasse",
        "house_number": "31",
        "postcode": "9494",
        "town": "Schaan",
        "opening_hours": "Mo-Fr 09:00-18:30",
    }
    made = shop.post(order(collect_from=store))
    assert made.status_code == 201, made.content
    assert made.json()["collect_from"] == {"name": "Alpenkorb Schaan", "town": "Schaan"}
    at_shop, home = Visit.objects.order_by("sequence")
    assert (at_shop.kind, at_shop.place.town, home.place.town) == ("collect", "Schaan", "Vaduz")
    assert at_shop.route_id == home.route_id is not None
    odd = {"invalid_input": {"opening_hours": "whenever"}, "address_not_found": {"street": "Nirgendweg"}}
    for code, change in odd.items():
        refused = shop.post(order("A-2", collect_from={**store, **change}))
        assert refused.json()["code"] == code
    night = shop.post(order("A-3", collect_from={**store, "opening_hours": "Sa 09:00-12:00"}))
    assert (night.status_code, night.json()["code"]) == (422, "collection")


@pytest.mark.covers("O1")
def test_a_preferred_part_of_the_window_is_weighed_kept_and_dropped_with_its_window(shop: Shop) -> None:
    preferred = {"earliest": "2026-03-10T14:00:00+01:00", "latest": "2026-03-10T14:30:00+01:00"}
    answer = shop.post(order(preferred_window=preferred))
    assert answer.status_code == 201, answer.content
    utc = {"earliest": "2026-03-10T13:00:00Z", "latest": "2026-03-10T13:30:00Z"}
    read = shop.get(f"{DELIVERIES}/{answer.json()['id']}").json()
    assert answer.json()["preferred_window"] == read["preferred_window"] == utc
    assert shop.post(order("A-2")).json()["preferred_window"] is None
    row = Delivery.objects.get(public_id=answer.json()["id"])
    stops = snapshot.take(depot=Depot.objects.get(), day=world.TODAY).problem.stops
    noon = 13 * 3600
    assert [stop.wish for stop in stops] == [(noon + 3600, noon + 5400)]  # both go to one door at once
    wider = TimeWindow(row.window_earliest - timedelta(hours=1), row.window_latest)
    row = deliveries.change_window(delivery=row, window=wider, revision=row.revision, actor="shopper")
    assert row.preferred is not None
    late = TimeWindow(row.window_latest - timedelta(minutes=45), row.window_latest)
    row = deliveries.change_window(delivery=row, window=late, revision=row.revision, actor="shopper")
    assert row.preferred is None
    for odd in ({"window": None}, {"preferred_window": {**preferred, "latest": "2026-03-10T15:01:00+01:00"}}):
        body = problem_of(shop.post(order("A-3", **{"preferred_window": preferred, **odd})), 400)
        assert body["errors"][0]["pointer"] == "/preferred_window"


@pytest.mark.covers("M4")
def test_a_window_the_plan_cannot_hold_is_refused_with_ones_it_can(shop: Shop) -> None:
    past = {"earliest": "2026-03-10T05:00:00Z", "latest": "2026-03-10T06:00:00Z"}
    body = problem_of(shop.post(order(window=past)), 422)
    assert body["detail"].endswith(".")
    assert body["alternatives"]
    assert not Delivery.objects.exists()
    earliest, latest = body["alternatives"][0]["window"]
    assert shop.post(order(window={"earliest": earliest, "latest": latest})).status_code == 201


@pytest.mark.covers("M4")
def test_an_unknown_address_is_refused_with_those_that_may_be_meant(shop: Shop) -> None:
    place = {"street": "Landstrasse", "house_number": "999", "postcode": "9490", "town": "Vaduz"}
    body = problem_of(shop.post(order(place=place)), 422)
    assert body["code"] == "address_not_found"
    assert body["alternatives"] == ["Landstrasse 12, 9490 Vaduz"]
    assert not Delivery.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.covers("M4")
def test_the_list_pages_by_cursor_and_filters_in_few_queries(shop: Shop) -> None:
    for number in range(7):
        assert shop.post(order(f"A-{number}", parcels=[parcel(), parcel()])).status_code == 201
    seen: list[str] = []
    url = f"{DELIVERIES}?limit=3"
    while url:
        with CaptureQueriesContext(connection) as queries:
            page = shop.get(url.removeprefix("http://127.0.0.1:8000")).json()
        assert len(queries) <= 4
        seen += [row["reference"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"A-{number}" for number in range(6, -1, -1)]
    only = shop.get(reference="A-3").json()
    assert [row["reference"] for row in only["results"]] == ["A-3"]
    assert only["next"] is None
    shop.cancel(only["results"][0]["id"])
    assert [row["reference"] for row in shop.get(status="cancelled").json()["results"]] == ["A-3"]


@pytest.mark.covers("M4")
def test_a_cancelled_delivery_leaves_its_van_and_a_second_time_is_refused(shop: Shop) -> None:
    made = shop.post(order()).json()
    stale = problem_of(shop.cancel(made["id"], {"revision": 77}), 409)
    assert stale["code"] == "changed_meanwhile"
    answer = shop.cancel(made["id"], {"reason": "out_of_stock", "revision": made["revision"]})
    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["ended_at"]
    assert not Drop.objects.filter(is_open=True).exists()
    assert problem_of(shop.cancel(made["id"]), 422)["code"] == "ended"


@pytest.mark.covers("M4", "GS1")
def test_no_call_reaches_another_merchants_delivery(shop: Shop) -> None:
    """Attack 24: read, list, filter, cursor, cancel; the answer is that of an id that never was."""
    theirs = shop.post(order()).json()
    other = Shop(world.merchant("nordlicht", "Nordlicht"))
    never = problem_of(other.get(f"{DELIVERIES}/{'x' * 20}"), 404)
    assert problem_of(other.get(f"{DELIVERIES}/{theirs['id']}"), 404) == never
    assert problem_of(other.cancel(theirs["id"]), 404) == never
    assert other.get().json() == {"results": [], "next": None}
    assert other.get(reference="A-1001").json()["results"] == []
    assert problem_of(other.get(cursor=theirs["id"]), 400)["code"] == "cursor_unknown"
    assert shop.get(f"{DELIVERIES}/{theirs['id']}").json()["status"] == "planned"
    assert other.post(order()).status_code == 201, "the same reference is free at another merchant"
    assert len(shop.get().json()["results"]) == 1


@pytest.mark.covers("M4", "GS1")
def test_keys_that_are_wrong_or_withdrawn_or_may_only_read(shop: Shop) -> None:
    made = shop.post(order()).json()
    for header in (
        "",
        "Bearer",
        "Bearer ds_x",
        "Basic abc",
        f"Bearer {shop.key}x",
        "Bearer \x00",
        "Bearer " + "a" * 5000,
    ):
        response = Client().get(DELIVERIES, headers={"authorization": header})
        problem_of(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    reader = Shop(can_write=False)
    assert reader.get().status_code == 200
    assert problem_of(reader.post(order("A-2")), 403)["code"] == "read_only_key"
    assert problem_of(reader.cancel(made["id"]), 403)["code"] == "read_only_key"
    assert Delivery.objects.get().state == "planned"
    revoke_api_key(key=reader.row)
    problem_of(reader.get(), 401)


@pytest.mark.covers("M4", "GS1")
def test_too_many_calls_are_told_when_to_come_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.storefront.authentication.REQUESTS_PER_MINUTE", 5)
    monkeypatch.setattr("apps.storefront.authentication.WRONG_KEYS_PER_MINUTE", 3)
    answers = [shop.get() for _call in range(7)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) >= 1
    assert 1 <= int(limited[0].headers["Retry-After"]) <= 60
    problem_of(limited[0], 429)
    assert Shop().get().status_code == 200, "another key has its own count"
    wrong = [Client().get(DELIVERIES, headers={"authorization": "Bearer ds_a_b"}).status_code for _try in range(8)]
    assert set(wrong) == {401, 429}
