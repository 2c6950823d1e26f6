"""Deliveries that came or did not, and the browsers that look at them."""

from apps.deliveries import access as gate
from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import make_link, token_of
from apps.deliveries.states import State
from tests import world
from tests.tracking.shopper import Shopper


def delivery_in(state: State = State.DELIVERED, name: str = "Alice") -> Delivery:
    return world.delivery(name, state=state)


def token_for(delivery: Delivery, kind: str = Link.Kind.FULL) -> str:
    return token_of(make_link(delivery=delivery, kind=kind))


def confirmed(shopper: Shopper, token: str) -> Shopper:
    """The same browser after a one-time code."""
    opened = gate.open_link(token)
    step_up = gate.request_code(access=opened, channel="email")
    cookie = gate.verify_code(access=opened, code=gate.issue_code(step_up_id=step_up.pk))
    shopper.client.cookies[gate.VERIFIED_COOKIE] = cookie
    return shopper
