"""The addresses of phones at work: drivers, depot clerks, the counters of pick-up points."""

from django.urls import path

from apps.drivers import api, app, clerk, counter, tracker_views, views

app_name = "drivers"
urlpatterns = [
    path("driver/", views.round_page, name="round"),
    path("driver/enter/<str:token>", views.enter, name="enter"),
    path("driver/app.webmanifest", app.manifest, name="manifest"),
    path("driver/worker.js", app.worker, name="worker"),
    path("driver/shell", app.shell, name="shell"),
    path("driver/api/hold", app.hold, name="api_hold"),
    path("driver/depart", views.depart, name="depart"),
    path("driver/break", views.rest, name="rest"),
    path("driver/api/break", api.rest, name="api_rest"),
    path("driver/api/breakdown", api.break_down, name="api_break_down"),
    path("driver/visits/<int:visit_id>/arrive", views.arrive, name="arrive"),
    path("driver/visits/<int:visit_id>/complete", views.complete, name="complete"),
    path("driver/visits/<int:visit_id>/fail", views.fail, name="fail"),
    path("driver/deliveries/<str:delivery>/acknowledge", views.acknowledge, name="acknowledge"),
    path("driver/deliveries/<str:delivery>/code", views.code, name="code"),
    path("driver/deliveries/<str:delivery>/contact", views.contact, name="contact"),
    path("driver/notices/<int:notice_id>/read", views.read_notice, name="read"),
    path("driver/messages/<int:message_id>/read", views.read_message, name="read_message"),
    path("driver/api/route", api.route, name="api_route"),
    path("driver/api/positions", api.positions, name="api_positions"),
    path("driver/api/depart", api.depart, name="api_depart"),
    path("driver/api/visits/<int:visit_id>/arrive", api.arrive, name="api_arrive"),
    path("driver/api/visits/<int:visit_id>/complete", api.complete, name="api_complete"),
    path("driver/api/visits/<int:visit_id>/fail", api.fail, name="api_fail"),
    path("driver/api/deliveries/<str:delivery>/acknowledge", api.acknowledge, name="api_acknowledge"),
    path("driver/api/deliveries/<str:delivery>/code", api.code, name="api_code"),
    path("driver/api/deliveries/<str:delivery>/contact", api.contact, name="api_contact"),
    path("driver/api/notices/<int:notice_id>/read", api.read_notice, name="api_read"),
    path("driver/api/events", api.events, name="api_events"),
    path("ingest/osmand", tracker_views.osmand, name="osmand"),
    path("ingest/osmand/", tracker_views.osmand),
    path("ingest/traccar", tracker_views.traccar, name="traccar"),
    path("depot/", clerk.day, name="depot"),
    path("depot/enter/<str:token>", clerk.enter, name="depot_enter"),
    path("depot/scan", clerk.scan, name="scan"),
    path("depot/back", clerk.coming_back, name="coming_back"),
    path("depot/back/scan", clerk.scan_back, name="scan_back"),
    path("depot/api/day", clerk.api_day, name="depot_api_day"),
    path("point/<str:token>", counter.point, name="counter"),
]
