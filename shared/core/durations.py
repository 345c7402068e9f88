"""ISO 8601 durations, as Knative's delivery settings use them."""

import re
from decimal import Decimal

_DURATION = re.compile(
    r"P(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)S)?)?",
    re.ASCII,
)
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def parse_duration(text: str) -> float:
    """Seconds of an ISO 8601 duration in days, hours, minutes and seconds, such as `PT0.2S`.

    Months and years have no fixed length and are refused. Raises ValueError.
    """
    match = _DURATION.fullmatch(text)
    parts = match.groupdict() if match else {}
    if not any(parts.values()):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT5S or PT0.2S")
    total = sum(
        (Decimal(value.replace(",", ".")) * _SECONDS[name] for name, value in parts.items() if value),
        Decimal(0),
    )
    return float(total)


def format_duration(seconds: float) -> str:
    """The shortest ISO 8601 duration of hours, minutes and seconds for `seconds` ≥ 0."""
    micros = round(seconds * 1_000_000)
    minutes, micros = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    rest = f"{Decimal(micros) / 1_000_000:f}"
    rest = rest.rstrip("0").rstrip(".") if "." in rest else rest
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if rest != "0" or not text:
        text += f"{rest}S"
    return f"PT{text}"
