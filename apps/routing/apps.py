from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "apps.routing"

    def ready(self) -> None:
        from apps.routing import checks  # noqa: F401  (registers the system check of the road data)
