"""Addresses the install knows by heart: the geocoder's own index."""

from django.db import models


class Address(models.Model):
    """One house number with its entrance (degrees, WGS 84); `search_key` is the normalised text."""

    street = models.CharField(max_length=120)
    house_number = models.CharField(max_length=20)
    postcode = models.CharField(max_length=12)
    town = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    latitude = models.FloatField()
    longitude = models.FloatField()
    search_key = models.CharField(max_length=240, db_index=True)

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return f"{self.street} {self.house_number}, {self.postcode} {self.town}"
