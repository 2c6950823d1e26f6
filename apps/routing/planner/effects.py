"""How much longer or shorter things take than expected, by what they have in common: the shrunk estimator.

The logarithm of actual / expected is a sum of effects: one per label of each block (a zone, an hour, a van's day), and
a slope per measured feature (parcels, floor), plus noise. Each block's effects are drawn towards nought by as much as
the data say they should be: effects ~ N(0, t²), with t² and the noise s² estimated together (empirical Bayes: the
evidence procedure, MacKay 1992, which for one block is the James-Stein estimator). A label seen once hardly moves; a
block whose labels do not differ vanishes. What strays further than three s is pulled in (Huber 1964), so that a lunch
break or a forgotten tap teaches little. Pure NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any, Final

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]

ROUNDS: Final = 8
FIRST_SPREAD: Final = 0.2
"""How far labels of a block lie apart before any is known (standard deviation of the logarithm)."""
BELIEF: Final = 3.0
"""That first guess counts like so many labels."""
SLOPE_SPREAD: Final = 0.1
STRAY: Final = 3.0
SMEAR_BELIEF: Final = 20.0
"""The mean's correction counts as if so many observations had needed none."""


@dataclass(frozen=True)
class Effects:
    """What was learned. Effects and slopes are logarithms; `spread` is t of each block, `noise` is s.

    `smear` makes the expectation right for sums of seconds (Duan 1983), as the exponential of a mean logarithm is a
    median.
    """

    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    slopes: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.5
    smear: float = 1.0
    count: int = 0

    def factor(self, labels: Mapping[str, str], features: Mapping[str, float] | None = None) -> float:
        """Expected actual / expected for these labels; an unknown label has no effect."""
        total = sum(self.labels.get(block, {}).get(label, 0.0) for block, label in labels.items())
        total += sum(self.slopes.get(name, 0.0) * value for name, value in (features or {}).items())
        return exp(total) * self.smear

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, effects to four places."""
        labels = {b: {label: round(e, 4) for label, e in sorted(effects.items())} for b, effects in self.labels.items()}
        slopes = {name: round(slope, 5) for name, slope in self.slopes.items()}
        spread = {name: round(value, 4) for name, value in self.spread.items()}
        scalars = {"noise": round(self.noise, 4), "smear": round(self.smear, 4), "count": self.count}
        return {"labels": labels, "slopes": slopes, "spread": spread, **scalars}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Effects:
        return cls(**content)


def fit(
    expected: Floats,
    actual: Floats,
    blocks: Mapping[str, Sequence[str]],
    features: Mapping[str, Floats] | None = None,
    *,
    forget: Sequence[str] = (),
) -> Effects:
    """Learns from seconds that were expected and seconds that it took, one observation per element.

    `blocks` give each observation's label; those in `forget` (a van's day: it never comes again) explain the past, so
    that it does not pass for a zone's or an hour's fault, and only their spread is kept.
    """
    names, features = list(blocks), dict(features or {})
    if not len(actual):
        return Effects()
    columns, owners, known = _columns(blocks, features)
    target = np.log(np.maximum(actual, 1.0) / np.maximum(expected, 1.0))
    weight = expected / (expected + np.median(expected))
    weight = weight / weight.mean()
    mean, spread, noise = _evidence(columns, owners, target, weight, len(names))
    labels = {
        name: dict(zip(known[name], mean[owners == number].tolist(), strict=True))
        for number, name in enumerate(names)
        if name not in forget
    }
    slopes = dict(zip(features, mean[owners >= len(names)].tolist(), strict=True))
    kept = np.array([owner >= len(names) or names[owner] not in forget for owner in owners])
    # An ordinary day is what days were like on average.
    ordinary = float((columns[:, ~kept] @ mean[~kept]).mean())
    guess = expected * np.exp(columns[:, kept] @ mean[kept] + ordinary)
    stray = np.clip(actual, guess / np.exp(STRAY * noise), guess * np.exp(STRAY * noise))
    belief = SMEAR_BELIEF * float(guess.mean())
    smear = (float(stray.sum()) + belief) / (float(guess.sum()) + belief)
    return Effects(labels, slopes, dict(zip(names, spread, strict=True)), noise, smear * exp(ordinary), len(actual))


def _columns(
    blocks: Mapping[str, Sequence[str]], features: Mapping[str, Floats]
) -> tuple[Floats, npt.NDArray[np.intp], dict[str, list[str]]]:
    """The design matrix, the block that owns each column (features behind them), and the labels per block."""
    parts, owners, known = [], [], {}
    for number, (name, labels) in enumerate(blocks.items()):
        found, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        known[name] = [str(label) for label in found]
        part = np.zeros((len(codes), len(found)))
        part[np.arange(len(codes)), codes] = 1.0
        parts.append(part)
        owners += [number] * len(found)
    for number, values in enumerate(features.values(), start=len(blocks)):
        parts.append(np.asarray(values, dtype=np.float64)[:, None])
        owners.append(number)
    return np.hstack(parts), np.array(owners, dtype=np.intp), known


def _evidence(
    columns: Floats, owners: npt.NDArray[np.intp], target: Floats, weight: Floats, blocks: int
) -> tuple[Floats, list[float], float]:
    """Effects, each block's spread and the noise, so that the data are likeliest; strays count as three s away."""
    spread = [FIRST_SPREAD] * blocks
    noise = max(0.1, float(np.std(target)))
    mean = np.zeros(columns.shape[1])
    weighed = columns.T * weight
    gram = weighed @ columns
    for _round in range(ROUNDS):
        guess = columns @ mean
        reach = STRAY * noise / np.sqrt(weight)
        pulled = guess + np.clip(target - guess, -reach, reach) if _round else target
        prior = np.where(owners < blocks, np.array([*spread, SLOPE_SPREAD])[np.minimum(owners, blocks)], SLOPE_SPREAD)
        covariance = np.linalg.inv(gram / noise**2 + np.diag(1.0 / prior**2))
        mean = covariance @ (weighed @ pulled) / noise**2
        variance = np.diag(covariance)
        for block in range(blocks):
            mine = owners == block
            moment = float((mean[mine] ** 2 + variance[mine]).sum())
            spread[block] = max(0.005, np.sqrt((BELIEF * FIRST_SPREAD**2 + moment) / (BELIEF + mine.sum())))
        rest = pulled - columns @ mean
        free = max(1.0, len(target) - len(mean) + float((variance / prior**2).sum()))
        noise = max(0.05, float(np.sqrt((weight * rest**2).sum() / free)))
    return mean, [float(value) for value in spread], noise
