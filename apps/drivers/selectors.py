"""What others may read of a driver's day."""

from apps.drivers.rounds import Round, Stop, round_of

__all__ = ["Round", "Stop", "round_of"]
