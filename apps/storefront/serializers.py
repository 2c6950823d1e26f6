"""The words of the merchant API. Inputs are strict; outputs hold no contact and no street."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.deliveries.inputs import HEAVIEST_GRAMS, HIGHEST_PRIORITY, LARGEST_MILLIMETRES, OLDEST_ASKED_FOR, PROOFS
from apps.deliveries.models import Delivery
from apps.deliveries.services import MOST_PARCELS
from apps.deliveries.states import State
from apps.places.selectors import is_understood
from apps.storefront.fields import Degrees, Email, Instant, StrictSerializer, Text, Whole
from apps.storefront.pagination import LARGEST_PAGE, PAGE

LONGEST_SERVICE_SECONDS = 7_200
CANCEL_REASONS = ("merchant_request", "customer_request", "out_of_stock", "payment_failed", "duplicate_order")


class PersonInput(StrictSerializer):
    """At least one of phone and email is needed for messages; the phone may be typed in any usual form."""

    name = Text(max_length=120)
    phone = Text(max_length=40, required=False, allow_blank=True, default="")
    email = Email(max_length=254, required=False)
    language = serializers.ChoiceField(choices=[code for code, _name in settings.LANGUAGES], required=False)


class PlaceInput(StrictSerializer):
    """An address. With latitude and longitude (of the entrance, WGS 84 degrees) it is not looked up."""

    street = Text(max_length=120)
    house_number = Text(max_length=20, required=False, allow_blank=True, default="")
    postcode = Text(max_length=12)
    town = Text(max_length=80)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, help_text="ISO 3166-1 alpha-2.")
    latitude = Degrees(min_value=-90, max_value=90, required=False)
    longitude = Degrees(min_value=-180, max_value=180, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("latitude" in attrs) != ("longitude" in attrs):
            raise serializers.ValidationError(_("Give latitude and longitude together, or neither."))
        return attrs


class ShopInput(PlaceInput):
    """A shop of yours. A van collects the order there while it is open, and brings it on the same round."""

    name = Text(max_length=120, required=False, allow_blank=True, default="")
    opening_hours = Text(
        max_length=255,
        required=False,
        allow_blank=True,
        default="",
        help_text='OpenStreetMap opening_hours, such as "Mo-Fr 09:00-18:30"; empty: always.',
    )

    def validate_opening_hours(self, value: str) -> str:
        if not is_understood(value):
            raise serializers.ValidationError(_("We do not understand these opening hours."))
        return value


class ParcelInput(StrictSerializer):
    weight_grams = Whole(min_value=1, max_value=HEAVIEST_GRAMS)
    length_millimetres = Whole(min_value=1, max_value=LARGEST_MILLIMETRES)
    width_millimetres = Whole(min_value=1, max_value=LARGEST_MILLIMETRES)
    height_millimetres = Whole(min_value=1, max_value=LARGEST_MILLIMETRES)
    description = Text(max_length=120, required=False, allow_blank=True, default="")
    barcode = Text(max_length=40, required=False, allow_blank=True, default="", help_text="Empty: we make one.")


class WindowInput(StrictSerializer):
    earliest = Instant()
    latest = Instant()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["latest"] <= attrs["earliest"]:
            raise serializers.ValidationError(_("A window must end after it starts."))
        return attrs


class DeliveryInput(StrictSerializer):
    reference = Text(max_length=60, help_text="Your order number. A known one adds a delivery to that order.")
    recipient = PersonInput()
    buyer = PersonInput(required=False, allow_null=True, default=None)
    place = PlaceInput()
    parcels = ParcelInput(many=True, min_length=1, max_length=MOST_PARCELS)  # type: ignore[call-arg]
    window = WindowInput(
        required=False, allow_null=True, default=None, help_text="Without one, the first that the plan can hold."
    )
    preferred_window = WindowInput(
        required=False,
        allow_null=True,
        default=None,
        help_text="The part of the window they would like best. The plan weighs it; it is never promised.",
    )
    service_seconds = Whole(min_value=30, max_value=LONGEST_SERVICE_SECONDS, required=False)
    kind = serializers.ChoiceField(
        choices=Delivery.Kind.values, required=False, default=Delivery.Kind.DELIVERY, help_text="A return is collected."
    )
    priority = Whole(min_value=0, max_value=HIGHEST_PRIORITY, required=False, default=0)
    needs = serializers.ListField(
        child=serializers.RegexField(r"^[a-z][a-z_]{0,29}$"),
        max_length=10,
        required=False,
        default=list,
        help_text="Skills the van must have, such as cold or two_person.",
    )
    deferred = serializers.ChoiceField(
        choices=["", *Delivery.Deferred.values],
        required=False,
        default="",
        help_text="Why this part of the order comes later than the rest; the page says so.",
    )
    proof = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(PROOFS)),
        max_length=len(PROOFS),
        required=False,
        default=list,
        help_text="What the driver must show at the door, besides what your policy asks for.",
    )
    minimum_age = Whole(min_value=0, max_value=OLDEST_ASKED_FOR, required=False, default=0)
    collect_from = ShopInput(
        required=False,
        allow_null=True,
        default=None,
        help_text="Where a van collects it the same day, if it does not come from one of our depots.",
    )
    cash_due = Whole(min_value=0, max_value=10_000_000, required=False, default=0, help_text="Minor units.")
    cash_currency = serializers.RegexField(r"^([A-Z]{3})?$", required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        window, preferred = attrs["window"], attrs["preferred_window"]
        if preferred is None:
            return attrs
        if window is None or preferred["earliest"] < window["earliest"] or preferred["latest"] > window["latest"]:
            message = _("A preferred window must lie inside the window that you send with it.")
            raise serializers.ValidationError({"preferred_window": message})
        return attrs


class CancelInput(StrictSerializer):
    reason = serializers.ChoiceField(choices=CANCEL_REASONS, required=False, default="merchant_request")
    revision = Whole(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Cancel only if nothing changed since this one."
    )


class ListQuery(StrictSerializer):
    """Query parameters are text, so these fields read text."""

    reference = serializers.CharField(max_length=60, required=False)
    status = serializers.ChoiceField(choices=State.choices, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_PAGE, required=False, default=PAGE)
    cursor = serializers.RegexField(r"^[A-Za-z0-9_-]{1,24}$", required=False)


class WindowOutput(serializers.Serializer):
    earliest = serializers.DateTimeField()
    latest = serializers.DateTimeField()


class PlaceOutput(serializers.Serializer):
    kind = serializers.CharField()
    town = serializers.CharField()


class ParcelOutput(serializers.Serializer):
    barcode = serializers.CharField()
    description = serializers.CharField(allow_blank=True)


class ShopOutput(serializers.Serializer):
    name = serializers.CharField(allow_blank=True)
    town = serializers.CharField()


class DeliveryOutput(serializers.Serializer):
    id = serializers.CharField()
    reference = serializers.CharField()
    status = serializers.ChoiceField(choices=State.choices)
    tracking_url = serializers.URLField(allow_null=True, help_text="Null once the link was withdrawn.")
    window = WindowOutput()
    preferred_window = WindowOutput(allow_null=True)
    time_zone = serializers.CharField()
    place = PlaceOutput()
    collect_from = ShopOutput(allow_null=True)
    parcels = ParcelOutput(many=True)
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class DeliveryPage(serializers.Serializer):
    results = DeliveryOutput(many=True)
    next = serializers.URLField(allow_null=True)


class ProblemError(serializers.Serializer):
    pointer = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()
    code = serializers.CharField()


class Problem(serializers.Serializer):
    """RFC 9457. `code` is for machines, `detail` for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    errors = ProblemError(  # type: ignore[assignment]
        many=True, required=False, help_text="With code invalid_input."
    )
    alternatives = serializers.ListField(
        child=serializers.JSONField(), required=False, help_text="What could be had instead: windows or addresses."
    )
    retry_after_seconds = serializers.IntegerField(required=False)
