"""REST API v1. Views read words, ask a service, and answer in words; who may do what is decided before them."""

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.errors import InvalidInput
from apps.storefront import schema, services
from apps.storefront.authentication import BearerKey, Caller, HasKey, PerKey
from apps.storefront.idempotency import Answer, checked_key, once, request_digest
from apps.storefront.pagination import next_url, page_of
from apps.storefront.parsers import LengthRequired, StrictJSONParser
from apps.storefront.selectors import deliveries_of, delivery_of, described
from apps.storefront.serializers import CancelInput, DeliveryInput, DeliveryOutput, DeliveryPage, ListQuery


class MerchantView(APIView):
    authentication_classes = [BearerKey]
    permission_classes = [HasKey]
    throttle_classes = [PerKey]
    parser_classes = [StrictJSONParser]
    metadata_class = None
    http_method_names = ["get", "post", "head"]

    @property
    def caller(self) -> Caller:
        return cast("Caller", self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # WSGI cannot tell where a chunked body ends; Django would take it for an empty one.
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def read(self, serializer: type[Any]) -> dict[str, Any]:
        """The checked body, or the query of a GET."""
        request = self.request
        data: Any = request.query_params.dict() if request.method == "GET" else request.data
        words = serializer(data=data)
        words.is_valid(raise_exception=True)
        return dict(words.validated_data)

    def no_query(self) -> None:
        """A misspelt parameter must not pass in silence."""
        for name in self.request.query_params:
            raise InvalidInput("unknown_parameter", _("There is no such parameter."), parameter=name[:60])


class DeliveriesView(MerchantView):
    @extend_schema(
        operation_id="list_deliveries",
        summary="Your deliveries, newest first",
        parameters=[ListQuery],
        responses={200: DeliveryPage, **schema.problems(*schema.READ)},
    )
    def get(self, request: Request) -> Response:
        query, merchant = self.read(ListQuery), self.caller.merchant
        rows = deliveries_of(merchant)
        if "reference" in query:
            rows = rows.filter(order__reference=query["reference"])
        if "status" in query:
            rows = rows.filter(state=query["status"])
        page = page_of(rows, merchant=merchant, cursor=query.get("cursor", ""), limit=query["limit"])
        results = [described(row, merchant) for row in page.rows]
        return Response({"results": results, "next": next_url(request.path, page, query)})

    @extend_schema(
        operation_id="create_delivery",
        summary="Hand a delivery over to us",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=DeliveryInput,
        responses={201: DeliveryOutput, **schema.problems(*schema.WRITE)},
    )
    def post(self, request: Request) -> Response:
        self.no_query()
        key = checked_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        order, caller = self.read(DeliveryInput), self.caller
        digest = request_digest("POST", request.path, request.data)

        def act() -> Answer:
            made = services.create_delivery(merchant=caller.merchant, order=order, actor=caller.actor)
            body = described(delivery_of(caller.merchant, made.public_id), caller.merchant)
            return Answer(status.HTTP_201_CREATED, body)

        answer = once(merchant=caller.merchant, key=key, digest=digest, act=act)
        response = answered(answer)
        response["Location"] = f"{request.path}/{answer.body['id']}"
        return response


class DeliveryView(MerchantView):
    @extend_schema(
        operation_id="read_delivery",
        summary="One delivery",
        responses={200: DeliveryOutput, **schema.problems(*schema.READ)},
    )
    def get(self, request: Request, public_id: str) -> Response:
        self.no_query()
        return Response(described(delivery_of(self.caller.merchant, public_id), self.caller.merchant))


class CancelView(MerchantView):
    @extend_schema(
        operation_id="cancel_delivery",
        summary="Call a delivery off",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=CancelInput,
        responses={200: DeliveryOutput, **schema.problems(*schema.WRITE)},
    )
    def post(self, request: Request, public_id: str) -> Response:
        self.no_query()
        key = checked_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        words, caller = self.read(CancelInput), self.caller
        digest = request_digest("POST", request.path, request.data)

        def act() -> Answer:
            delivery = delivery_of(caller.merchant, public_id)
            services.cancel_delivery(
                delivery=delivery, reason=words["reason"], revision=words.get("revision"), actor=caller.actor
            )
            body = described(delivery_of(caller.merchant, public_id), caller.merchant)
            return Answer(status.HTTP_200_OK, body)

        return answered(once(merchant=caller.merchant, key=key, digest=digest, act=act))


class UnknownView(MerchantView):
    """Any other address below /api/: a problem document like every other error."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound(_("There is nothing at this address."))


def answered(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, status=answer.status, headers=headers)
