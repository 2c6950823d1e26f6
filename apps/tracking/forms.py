"""What shoppers type in the change flows: shape and length only, the services judge the rest."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.instructions.models import Instruction


class AddressForm(forms.Form):
    street = forms.CharField(label=_("Street"), max_length=120)
    house_number = forms.CharField(label=_("Number"), max_length=20)
    postcode = forms.CharField(label=_("Postcode"), max_length=12)
    town = forms.CharField(label=_("Town"), max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {"street": "address-line1", "house_number": "off", "postcode": "postal-code", "town": "address-level2"}
        for name, field in self.fields.items():
            field.error_messages["required"] = _("Please fill this in.")
            field.widget.attrs["autocomplete"] = names[name]


class InstructionForm(forms.Form):
    safe_place = forms.ChoiceField(choices=Instruction.SafePlace.choices, required=False)
    note = forms.CharField(
        label=_("A note for the driver"),
        help_text=_("Up to 300 characters. The driver sees it before your stop."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 300}),
    )
    access_code = forms.CharField(
        label=_("Code for the door or gate"),
        help_text=_("Kept locked away. Only your driver sees it, at your door."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 40}),
    )
