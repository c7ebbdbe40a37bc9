"""Chance, in separate streams: changing one part of the generator does not shift the others."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Final, TypeVar

Item = TypeVar("Item")

ZIPF_EXPONENT: Final = 0.8


def stream(seed: int, name: str) -> Random:
    """Give the sub-stream of a name: seeded with the first 8 bytes of SHA-256(seed + ":" + name)."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - invented data, no secrets


@dataclass(slots=True)
class Streams:
    """The sub-streams of one seed, each opened at its first use."""

    seed: int
    open: dict[str, Random] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Random:
        """Give the sub-stream of a name."""
        if name not in self.open:
            self.open[name] = stream(self.seed, name)
        return self.open[name]


def chance(rng: Random, probability: float) -> bool:
    """Say yes with a probability; always draws one number."""
    return rng.random() < probability


def pick(rng: Random, weights: Mapping[Item, float]) -> Item:
    """Draw one key by its weight; the weights need not add up to 1."""
    return rng.choices(list(weights), cum_weights=list(accumulate(weights.values())))[0]


def some(rng: Random, items: Sequence[Item], least: int, most: int) -> list[Item]:
    """Draw between `least` and `most` different items, in the order in which they stand."""
    count = min(rng.randint(least, most), len(items))
    chosen = sorted(rng.sample(range(len(items)), count))
    return [items[index] for index in chosen]


def poisson(rng: Random, mean: float) -> int:
    """Draw a Poisson count; large means by the rounded normal approximation."""
    if mean > 500:  # noqa: PLR2004 - exp(-mean) would vanish
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def geometric(rng: Random, mean: float) -> int:
    """Draw a geometric count from 0 with a mean."""
    again = mean / (1 + mean)
    count = 0
    while rng.random() < again:
        count += 1
    return count


def zipf_weights(size: int) -> list[float]:
    """Give cumulative Zipf weights, so that a few names are common and homonyms occur."""
    return list(accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, size + 1)))
