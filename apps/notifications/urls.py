"""Call-backs of message providers."""

from django.urls import path

from apps.notifications import views

app_name = "notifications"
urlpatterns = [
    path("messages/twilio/<str:public_id>", views.twilio_status, name="twilio_status"),
]
