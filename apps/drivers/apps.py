from django.apps import AppConfig


class DriversConfig(AppConfig):
    name = "apps.drivers"
