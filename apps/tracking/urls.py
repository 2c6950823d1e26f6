"""The shopper's addresses. Everything under /t/<token> goes through views/gate.py."""

from django.urls import path

from apps.tracking.views import (
    app,
    blocks,
    calendar,
    change_cancel,
    change_instructions,
    change_place,
    change_time,
    dispute,
    files,
    language,
    message,
    page,
    rate,
    report,
    share,
    verify,
)

app_name = "tracking"

urlpatterns = [
    path("t/<str:token>", page.page, name="page"),
    path("t/<str:token>/state", page.state, name="state"),
    path("t/<str:token>/dot", page.dot, name="dot"),
    path("t/<str:token>/live", page.live, name="live"),
    path("t/<str:token>/time", change_time.time, name="time"),
    path("t/<str:token>/place", change_place.place, name="place"),
    path("t/<str:token>/instructions", change_instructions.instructions, name="instructions"),
    path("t/<str:token>/cancel", change_cancel.cancel, name="cancel"),
    path("t/<str:token>/verify", verify.verify, name="verify"),
    path("t/<str:token>/proof/<str:signed>", files.proof, name="proof"),
    path("t/<str:token>/rate", rate.rating, name="rate"),
    path("t/<str:token>/report", report.report, name="report"),
    path("t/<str:token>/dispute", dispute.dispute, name="dispute"),
    path("t/<str:token>/message", message.message, name="message"),
    path("t/<str:token>/share", share.share, name="share"),
    path("t/<str:token>/calendar.ics", calendar.calendar, name="calendar"),
    path("t/<str:token>/language", language.language, name="language"),
    path("t/<str:token>/manifest.webmanifest", app.manifest, name="manifest"),
    path("brand/<slug:slug>/icon-<int:size>.png", app.icon, name="brand_icon"),
    path("brand/<slug:slug>/block-<str:sealed>.jpg", blocks.picture, name="block_picture"),
    path("favicon.ico", app.favicon, name="favicon"),
    path("brand/<slug:slug>.css", files.brand_css, name="brand_css"),
    path("brand/<slug:slug>.svg", files.brand_svg, name="brand_svg"),
    path("tiles/<int:z>/<int:x>/<int:y>.pbf", files.tile, name="tile"),
]
