"""Django's makemessages without its guesses: a sentence that changed is untranslated, not half right ("fuzzy")."""

import re
from pathlib import Path

from django.core.management.commands import makemessages

# Would change with every run and say nothing.
_NOISE = re.compile(r'^"(?:POT-Creation-Date|Report-Msgid-Bugs-To):.*\n', re.MULTILINE)


class Command(makemessages.Command):
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching", "--sort-output"]
    msguniq_options = [*makemessages.Command.msguniq_options, "--sort-output"]

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        written = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        written.write_text(_NOISE.sub("", written.read_text()))
