"""The demo's own addresses: its front door, the phone that receives everything, and the Twilio it pretends to have."""

from django.urls import path

from apps.demo import fake_twilio, phone, views, wheel

app_name = "demo"
urlpatterns = [
    path("", views.start, name="start"),
    path("demo/vans/<int:key_id>/take", wheel.take, name="take"),
    # Below the path of the driver's cookie.
    path("driver/demo/on", wheel.drive_on, name="drive_on"),
    path("driver/demo/back", wheel.hand_back, name="hand_back"),
    path("demo/phone", phone.phone, name="phone"),
    path("demo/phone/newest", phone.newest, name="phone_newest"),
    path("demo/twilio/2010-04-01/Accounts/<str:account_sid>/Messages.json", fake_twilio.create_message, name="twilio"),
]
