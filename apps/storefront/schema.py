"""How the OpenAPI page describes what is ours: the key, the strict inputs, the problems, the webhooks."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiWebhook, extend_schema
from rest_framework import serializers

from apps.core.problems import CONTENT_TYPE
from apps.storefront.idempotency import LONGEST_KEY
from apps.storefront.rules import DETAILS
from apps.storefront.serializers import Problem

WORDS = {
    400: "The request cannot be understood.",
    401: "No API key, or one that is not valid.",
    403: "The key may not do this.",
    404: "This merchant has no such delivery.",
    406: "Only JSON can be answered.",
    409: "Somebody changed it first, or the same key's first request is still running.",
    411: "The body came without its length.",
    413: "The body is too large.",
    415: "The body is not plain JSON.",
    422: "It was understood and cannot be done; `alternatives` may say what can.",
    429: "Too many requests; see Retry-After.",
    503: "Busy; nothing was changed.",
}
READ = (400, 401, 404, 406, 429, 503)
WRITE = (400, 401, 403, 404, 406, 409, 411, 413, 415, 422, 429, 503)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!#-~]+$"},
    OpenApiParameter.HEADER,
    description="Any text of your own; the same request under the same key has one effect. Kept for 24 hours.",
)


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    return {(status, CONTENT_TYPE): OpenApiResponse(Problem, WORDS[status]) for status in statuses}


class StrictSchema(OpenApiSerializerExtension):
    """Unknown names are refused, so the schema says so."""

    target_class = "apps.storefront.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "additionalProperties": False}


class BearerSchema(OpenApiAuthenticationExtension):
    target_class = "apps.storefront.authentication.BearerKey"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ds_<prefix>_<secret>"}


class WebhookData(serializers.Serializer):
    """The delivery's id, and with some kinds the codes and instants of what changed."""

    id = serializers.CharField()
    reason = serializers.CharField(required=False)
    stars = serializers.IntegerField(required=False, min_value=1, max_value=5)
    nps = serializers.IntegerField(required=False, min_value=0, max_value=10, allow_null=True)
    again = serializers.BooleanField(required=False)
    problem = serializers.CharField(required=False)


class WebhookMessage(serializers.Serializer):
    """Standard Webhooks 1.0: check `webhook-signature` over id, timestamp and the raw body."""

    type = serializers.ChoiceField(choices=list(DETAILS))
    timestamp = serializers.DateTimeField()
    data = WebhookData()  # type: ignore[assignment]


DELIVERY_WEBHOOK = OpenApiWebhook(
    name="delivery",
    decorator=extend_schema(
        summary="Something happened to a delivery",
        description="Order is not assured and a message may come twice: keep the webhook-id header.",
        request=WebhookMessage,
        responses={204: OpenApiResponse(description="Any 2xx accepts the message.")},
    ),
)
