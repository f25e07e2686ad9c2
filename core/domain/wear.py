"""What hearing does to a take."""


def advance(wear: float, per_play: float, factor: float) -> float:
    """Wear after one more heard play; `factor` is the deployment's. Never above 1."""
    return min(1.0, wear + per_play * factor)


def amount(wear: float) -> float:
    """How much of the wear chain is heard, 0 to 1: smoothstep, a = w^2 (3 - 2w), so that it begins gently."""
    held = min(1.0, max(0.0, wear))
    return held * held * (3.0 - 2.0 * held)
