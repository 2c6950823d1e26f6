"""What to do at the place: safe place, note, access code (kept apart, encrypted, revealed late and on record).

Announces instructions.saved, instructions.acknowledged, instructions.code_revealed.
Hears delivery.place_changed: what was meant for the old door is thrown away.
"""
