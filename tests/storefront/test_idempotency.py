"""The same request twice has one effect and the same answer, in a race, after a crash, for 24 hours."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.deliveries.models import Contact, Delivery
from apps.events import nights
from apps.events.models import Event
from apps.events.services import sweep
from apps.storefront.idempotency import KEPT_FOR
from apps.storefront.models import KeptAnswer
from tests import world
from tests.crashing import KILLED, crash_points, die_at, run_in_child
from tests.storefront.shop import Shop, ground, order, problem_of


@pytest.mark.django_db
@pytest.mark.covers("M4", "GR6")
def test_a_replay_is_the_same_answer_and_no_second_delivery(shop: Shop) -> None:
    first = shop.post(order(), key="order-1001")
    again = shop.post(dict(reversed(order().items())), key='"order-1001"')
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.covers("M4", "GS1")
def test_a_key_belongs_to_one_request_of_one_merchant(shop: Shop) -> None:
    made = shop.post(order(), key="k").json()
    body = problem_of(shop.post(order("A-2"), key="k"), 422)
    assert body["code"] == "idempotency_key_reused"
    assert problem_of(shop.cancel(made["id"], key="k"), 422)["code"] == "idempotency_key_reused"
    other = Shop(world.merchant("nordlicht", "Nordlicht"))
    theirs = other.post(order(), key="k")
    assert theirs.status_code == 201
    assert theirs.json()["id"] != made["id"]
    assert Shop().post(order(), key="k").json() == made, "another key of the same merchant"


@pytest.mark.django_db
@pytest.mark.covers("M4", "GS1")
@pytest.mark.parametrize("key", ["", "  ", '""', "x" * 256, "x" * 1_000_000, "tab\there", "é", "\x00"])
def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    problem_of(shop.post(order(), key=key), 400)
    assert not Delivery.objects.exists()
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db
@pytest.mark.covers("M4")
def test_a_refused_request_keeps_nothing_and_may_come_again(shop: Shop) -> None:
    past = {"earliest": "2026-03-10T05:00:00Z", "latest": "2026-03-10T06:00:00Z"}
    problem_of(shop.post(order(window=past), key="k"), 422)
    assert not KeptAnswer.objects.exists()
    assert shop.post(order(), key="k").status_code == 201


@pytest.mark.django_db
@pytest.mark.covers("M4")
def test_a_replayed_cancellation_is_the_first_answer(shop: Shop) -> None:
    made = shop.post(order()).json()
    first, again = shop.cancel(made["id"], key="c"), shop.cancel(made["id"], key="c")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()


@pytest.mark.django_db
@pytest.mark.covers("M4")
def test_kept_answers_are_unreadable_rows(shop: Shop) -> None:
    made = shop.post(order(), key="k").json()
    token = made["tracking_url"].rsplit("/", 1)[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM storefront_keptanswer")
        row = str(cursor.fetchall())
    assert token not in row
    assert made["id"] not in row


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("M4", "GR6")
def test_answers_are_kept_a_day_and_gone_after_the_next_night(now: object, monkeypatch: pytest.MonkeyPatch) -> None:
    ground()
    shop = Shop()
    wall = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: wall)
    made = shop.post(order(), key="k").json()
    nights.wind()

    def later(**duration: float) -> None:
        nonlocal wall
        wall += timedelta(**duration)
        now.advance(**duration)  # type: ignore[attr-defined]
        while sweep(limit=500, seconds=60.0):
            pass

    later(hours=23, minutes=59)
    assert shop.post(order(), key="k").json() == made
    later(hours=24)
    assert not KeptAnswer.objects.exists()
    assert timedelta(hours=24) <= KEPT_FOR


@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("M4", "GR6")
def test_parallel_posts_with_one_key_are_one_delivery_and_equal_answers() -> None:
    ground()
    shop = Shop()
    start = threading.Barrier(20)
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        start.wait()
        try:
            response = shop.post(order(), key="race")
            answers.append((response.status_code, response.content))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert {status for status, _body in answers} == {201}
    assert len({body for _status, body in answers}) == 1
    assert Delivery.objects.count() == 1
    assert Event.objects.filter(kind="delivery.created").count() == 1
    assert Contact.objects.count() == 1


@pytest.fixture
def clean() -> Iterator[None]:
    yield
    cache.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.kills
@pytest.mark.covers("M4", "GR4", "GR6")
def test_killed_at_any_statement_a_retry_makes_exactly_one(clean: None) -> None:
    ground()
    shop = Shop()
    number = 0

    def post() -> None:
        response = shop.post(order(f"A-{number}"), key=f"key-{number}")
        assert response.status_code == 201

    # The first ones also make the day's plan and the stop that the others join.
    for number in (1, 2, 3):  # noqa: B007  (read by post)
        assert run_in_child(post) < KILLED
    number = 4
    points = list(crash_points(post))
    assert len(points) >= 20
    for number, point in enumerate(points[:: len(points) // 16], start=5):
        die_at(post, point)
        made = Delivery.objects.filter(order__reference=f"A-{number}").count()
        assert made == KeptAnswer.objects.filter(status=201).count() - (number - 1), str(point)
        assert run_in_child(post) < KILLED
        assert Delivery.objects.filter(order__reference=f"A-{number}").count() == 1, str(point)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer work at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.covers("M4", "GR6")
def test_a_first_request_that_takes_too_long_is_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.storefront.idempotency.WAIT_SECONDS", 1)
    ground()
    shop = Shop()
    begun, over = threading.Event(), threading.Event()

    def work_for_long() -> None:
        try:
            with transaction.atomic():
                KeptAnswer.objects.create(
                    merchant=shop.merchant, key_sha256=sha256_hex("k"), request_sha256="x", created_at=clock.wall()
                )
                begun.set()
                over.wait(20)
                transaction.set_rollback(True)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work_for_long)
    thread.start()
    begun.wait(20)
    response = shop.post(order(), key="k")
    over.set()
    thread.join()
    assert problem_of(response, 409)["code"] == "in_progress"
    assert response.headers["Retry-After"] == "1"
    assert shop.post(order(), key="k").status_code == 201
