"""Pure rules: what a note may say; door codes in it are found by core.door_codes."""

from apps.core.door_codes import HIDDEN as HIDDEN
from apps.core.door_codes import clean_note as clean_note
from apps.core.door_codes import split_codes as split_codes

LONGEST_NOTE = 300
