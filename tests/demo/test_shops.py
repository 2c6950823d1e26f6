"""The demo's shops sell what the merchant API takes, whatever day it is."""

from datetime import date, timedelta
from random import Random

from apps.core.phones import to_e164
from apps.demo.orders import orders
from apps.demo.shops import first_number


def test_every_days_orders_have_phone_numbers_that_exist_and_nobody_elses() -> None:
    seen: set[str] = set()
    for offset in range(60):
        day = date(2026, 3, 12) + timedelta(days=offset)
        made = orders(Random(1), 300, list(range(1000)), first_number(day))
        phones = {to_e164(order.phone) for order in made}
        assert len(phones) == 300
        assert not phones & seen
        seen |= phones
