"""The schedule of a run: which fault comes when, and where, drawn from the seed alone."""

from __future__ import annotations

import random
from dataclasses import dataclass

from campaign.devices import GATEWAYS
from campaign.faults import KINDS


@dataclass(frozen=True)
class Draw:
    position: int
    kind: str
    gateway: str  # of the kinds that strike one; else where the pause before it is made
    gap_s: float  # from the fault before
    pause_s: float  # of the collector before it, so that batches are in flight; 0 = none
    seed: int  # of what the fault itself draws


def draw(seed: int, count: int, only: list[str] | None = None) -> list[Draw]:
    """Decks of all kinds in random order: each comes as often as every other."""
    source = random.Random(seed)
    drawn, deck = [], []
    for position in range(count):
        if not deck:
            deck = sorted(only or KINDS)
            source.shuffle(deck)
        drawn.append(Draw(position, deck.pop(), source.choice(GATEWAYS), source.uniform(0.05, 0.7),
                          source.uniform(0.1, 0.5) if source.random() < 0.6 else 0.0, source.getrandbits(32)))
    return drawn
