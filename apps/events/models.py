"""Facts and the work they cause. Payloads hold ids, codes and instants only: never a name, an address or a code."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """Something that happened. On PostgreSQL the table also has a column `xid` (migration 0002), for the live tail."""

    kind = models.CharField(_("kind"), max_length=80)
    delivery_id = models.BigIntegerField(_("delivery"), null=True, blank=True, db_index=True)
    plan_id = models.BigIntegerField(_("day plan"), null=True, blank=True)
    payload = models.JSONField(_("payload"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    actor = models.CharField(_("actor"), max_length=40, default="system")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Reaction(models.Model):
    """One handler to be run once after commit; run again until it succeeds or is parked."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        PARKED = "parked", _("parked")
        CANCELLED = "cancelled", _("cancelled")

    class Lane(models.TextChoices):
        FAST = "fast", _("fast")
        PLANNER = "planner", _("planner")
        SLOW = "slow", _("slow")
        WEBHOOKS = "webhooks", _("webhooks")

    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="reactions", verbose_name=_("event")
    )
    handler = models.CharField(_("handler"), max_length=160)
    lane = models.CharField(_("lane"), max_length=8, choices=Lane.choices, default=Lane.FAST)
    payload = models.JSONField(_("payload"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    dedupe_key = models.CharField(_("dedupe key"), max_length=160, null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    # due_at runs on the domain's clock, next_try_at on the wall's: a back-off must not shrink when the demo runs fast.
    due_at = models.DateTimeField(_("due at"))
    next_try_at = models.DateTimeField(_("next try at"))
    lease = models.CharField(_("lease"), max_length=32, default="", blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(_("attempts allowed"), default=8)
    last_error = models.CharField(_("last error"), max_length=300, default="", blank=True)
    created_at = models.DateTimeField(_("created at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        indexes = [
            models.Index(
                fields=["lane", "next_try_at"],
                name="events_reaction_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["id"], name="events_reaction_parked", condition=Q(state="parked")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"], name="events_reaction_one_waiting", condition=Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return f"{self.handler} #{self.pk}"
