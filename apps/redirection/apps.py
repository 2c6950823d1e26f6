from django.apps import AppConfig


class RedirectionConfig(AppConfig):
    name = "apps.redirection"
