"""The only writers of deliveries, one file per verb.

Each service checks, writes under the condition of a revision or a state, and announces, all in one transaction.
"""

from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput
from apps.deliveries.services.bump_pages import bump_pages
from apps.deliveries.services.cancel_delivery import cancel_delivery
from apps.deliveries.services.change_delivery import change_place, change_window
from apps.deliveries.services.create_delivery import MOST_PARCELS, create_delivery, door_service_seconds
from apps.deliveries.services.doorstep_codes import (
    doorstep_code_of,
    needs_doorstep_code,
    renew_doorstep_code,
    try_doorstep_code,
    try_doorstep_codes,
)
from apps.deliveries.services.home_key import with_home_key
from apps.deliveries.services.keep_codes import (
    COLLECTION_TRIES,
    collection_code_of,
    drop_codes,
    renew_collection_code,
    save_access_code,
    set_collection,
    try_collection_code,
    use_collection_code,
)
from apps.deliveries.services.links import (
    find_link,
    make_link,
    note_opened,
    revoke_link,
    rotate_link,
    rotate_links,
    token_of,
    tracking_path,
    tracking_url,
    was_opened_lately,
)
from apps.deliveries.services.load_parcel import load_parcel, unload_parcel
from apps.deliveries.services.move_state import end_attempt, move_state, move_states, start_attempt
from apps.deliveries.services.note_attempt import discount_attempt, note_attempt, record_contact_try
from apps.deliveries.services.open_promise import open_promise
from apps.deliveries.services.record_proof import record_proof
from apps.deliveries.services.refuse_phone import refuse_phone
from apps.deliveries.services.share_links import share_link, shares_of, stop_sharing
from apps.deliveries.services.withdraw_failure import correct_failure, withdraw_failure

__all__ = [
    "COLLECTION_TRIES",
    "MOST_PARCELS",
    "ContactInput",
    "ParcelInput",
    "PlaceInput",
    "bump_pages",
    "cancel_delivery",
    "change_place",
    "change_window",
    "collection_code_of",
    "correct_failure",
    "create_delivery",
    "discount_attempt",
    "door_service_seconds",
    "doorstep_code_of",
    "drop_codes",
    "end_attempt",
    "find_link",
    "load_parcel",
    "make_link",
    "move_state",
    "move_states",
    "needs_doorstep_code",
    "note_attempt",
    "note_opened",
    "open_promise",
    "record_contact_try",
    "record_proof",
    "refuse_phone",
    "renew_collection_code",
    "renew_doorstep_code",
    "revoke_link",
    "rotate_link",
    "rotate_links",
    "save_access_code",
    "set_collection",
    "share_link",
    "shares_of",
    "start_attempt",
    "stop_sharing",
    "token_of",
    "tracking_path",
    "tracking_url",
    "try_collection_code",
    "try_doorstep_code",
    "try_doorstep_codes",
    "unload_parcel",
    "use_collection_code",
    "was_opened_lately",
    "with_home_key",
    "withdraw_failure",
]
