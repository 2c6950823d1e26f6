"""The orders of a demo day: who gets what, where and when. Pure and deterministic by its Random."""

from dataclasses import dataclass
from random import Random

from apps.demo import cast

# How a day's windows are spread (local hours). The rest is open all day.
TWO_HOURS = tuple((start, start + 2) for start in (8, 10, 12, 14, 16, 18))
FOUR_HOURS = ((8, 12), (12, 16), (14, 18), (16, 20))
OPEN_DAY = (8, 20)
BEFORE_WORK, AFTER_WORK = (8, 10), (17, 19)
RETURN_SHARE, PRIORITY_SHARE, NEED_SHARE = 0.03, 0.05, 0.2
NEEDED_FOR = {"cold": {"Cheese and bread"}, "age_check": {"Wine, 6 bottles"}, "two_person": {"Workbench, flat pack"}}
# Length, width, height in millimetres, and grams from-to.
SIZES = (
    ((220, 160, 60), (200, 900)),
    ((300, 200, 150), (700, 3_500)),
    ((400, 300, 200), (2_000, 8_000)),
    ((600, 400, 350), (5_000, 18_000)),
    ((1180, 520, 300), (9_000, 28_000)),
)
SIZE_WEIGHTS = {"alpenkorb": (1, 4, 6, 2, 0), "lumen": (4, 5, 4, 2, 1), "werkbank": (2, 4, 4, 3, 2)}


@dataclass(frozen=True, slots=True)
class DemoParcel:
    description: str
    grams: int
    millimetres: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class DemoOrder:
    merchant: str
    reference: str
    recipient: str
    phone: str
    email: str
    language: str
    address: int  # index into the extract's addresses
    window: tuple[int, int]  # local hours
    parcels: tuple[DemoParcel, ...]
    service_seconds: int
    is_return: bool = False
    needs: tuple[str, ...] = ()
    priority: int = 0
    from_shop: bool = False
    """Collected at the merchant's own shop on the way (`cast.SHOPS`)."""
    preferred: tuple[int, int] | None = None
    """Local hours inside the window that they would like best."""


def orders(random: Random, count: int, addresses: list[int], first_number: int) -> list[DemoOrder]:
    """`count` orders to addresses drawn from `addresses`; numbers for references and phones start at `first_number`."""
    chosen = random.sample(addresses, count)
    return [_order(random, first_number + index, address) for index, address in enumerate(chosen)]


def _order(random: Random, number: int, address: int) -> DemoOrder:
    merchant = random.choices(cast.MERCHANTS, weights=(5, 4, 3))[0]
    name = cast.person(random)
    parcels = tuple(_parcel(random, merchant.slug) for _ in range(random.choices((1, 2, 3), weights=(78, 17, 5))[0]))
    is_return = random.random() < RETURN_SHARE
    window = _window(random)
    # Few vans can, so they need time for it.
    is_special = not is_return and window[1] - window[0] >= 4 and random.random() < NEED_SHARE
    return DemoOrder(
        merchant=merchant.slug,
        reference=f"{merchant.slug[:2].upper()}-{20_000 + number}",
        recipient=name,
        phone=cast.phone(number),
        email=f"customer{number}@example.li",
        language=random.choices(("de", "en"), weights=(3, 2))[0],
        address=address,
        window=window,
        parcels=parcels,
        service_seconds=random.choice((120, 150, 180, 180, 240, 300)) + 20 * (len(parcels) - 1),
        is_return=is_return,
        needs=_needs(parcels) if is_special else (),
        priority=5 if random.random() < PRIORITY_SHARE else 0,
        from_shop=_from_shop(merchant.slug, number, window) and not is_return,
        preferred=_preferred(number, window),
    )


def _from_shop(merchant: str, number: int, window: tuple[int, int]) -> bool:
    """Of whoever has a shop every eighth, where there is time to go there first."""
    return merchant in cast.SHOPS and number % 8 == 5 and window[1] >= 14 and window[1] - window[0] >= 4


def _preferred(number: int, window: tuple[int, int]) -> tuple[int, int] | None:
    """Of those who are in all day every fourth would like it before work or after."""
    if window != OPEN_DAY or number % 4 != 2:
        return None
    return BEFORE_WORK if number % 8 == 2 else AFTER_WORK


def _needs(parcels: tuple[DemoParcel, ...]) -> tuple[str, ...]:
    """What the goods ask of the van that brings them."""
    goods = {parcel.description for parcel in parcels}
    return tuple(need for need, names in NEEDED_FOR.items() if goods & names)


def _window(random: Random) -> tuple[int, int]:
    share = random.random()
    if share < 0.35:
        return random.choices(TWO_HOURS, weights=(2, 4, 3, 3, 4, 2))[0]
    if share < 0.60:
        return random.choice(FOUR_HOURS)
    return OPEN_DAY


def _parcel(random: Random, merchant: str) -> DemoParcel:
    size, (low, high) = random.choices(SIZES, weights=SIZE_WEIGHTS[merchant])[0]
    return DemoParcel(random.choice(cast.GOODS[merchant]), random.randrange(low, high, 50), size)
