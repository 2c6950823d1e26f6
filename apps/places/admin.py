"""The operator's look into the address index."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from apps.places.models import Address


@admin.register(Address)
class AddressAdmin(ModelAdmin):
    list_display = ["street", "house_number", "postcode", "town", "latitude", "longitude"]
    search_fields = ["street__istartswith", "=postcode", "town__istartswith"]
    readonly_fields = ["search_key"]
    ordering = ["id"]
    show_full_result_count = False
