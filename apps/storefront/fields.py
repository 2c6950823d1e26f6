"""Serializer parts that take what the schema says and nothing that merely looks like it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

MOST_NAMES_NAMED = 20
FIRST_YEAR, LAST_YEAR = 2000, 2100


class StrictSerializer(serializers.Serializer):
    """Refuses names it does not know, each by name: a typing error must not pass in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [name for name in data if name not in known]
            if unknown:
                message = serializers.ErrorDetail(str(_("There is no such field.")), code="unknown_field")
                raise serializers.ValidationError({str(name): [message] for name in unknown[:MOST_NAMES_NAMED]})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A JSON string; numbers are not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Email(serializers.EmailField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != int(data):
            self.fail("invalid")
        return int(super().to_internal_value(int(data)))


class Degrees(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return float(super().to_internal_value(data))


class Instant(serializers.DateTimeField):
    """RFC 3339 with a zone; a time without one belongs to nobody's clock."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not (value[-1:] in "Zz" or value[-6:-5] in ("+", "-")):
            self.fail("invalid", format="2026-03-10T14:00:00Z")
        instant = super().to_internal_value(value)
        # At the ends of the calendar no other zone can be reckoned.
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            self.fail("invalid", format="2026-03-10T14:00:00Z")
        return instant
