"""Turns what a broker wrote before it stopped into one sentence."""

from __future__ import annotations

import re
from pathlib import Path

_KNOWN = (
    ("No space left on device", "The disk of {directory} is full."),
    ("Failed to acquire lock on file", "Another broker already uses {directory}."),
    ("Address already in use", "A port of this broker is taken by another program; its log is {log}."),
    ("Could not reserve enough space", "There is too little memory for Kafka; its log is {log}."),
)
_MEANINGFUL = re.compile(r" (?:ERROR|FATAL) \S+ |^Caused by: |^(?:Error|Exception)\b|\b\w+(?:Exception|Error): ")
_PREFIX = re.compile(r"^\S+ \S+ (?:ERROR|FATAL) \S+ |^Caused by: ")


def reason_in(text: str, directory: Path, log: Path) -> str:
    """Return one sentence that says why a broker stopped, from the log of that start."""
    for words, sentence in _KNOWN:
        if words in text:
            return sentence.format(directory=directory, log=log)
    return f"Kafka stopped at its start: {_last_meaningful(text)}; its log is {log}."


def _last_meaningful(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("\t", " "))]
    meaningful = [line for line in lines if _MEANINGFUL.search(line)]
    last = (meaningful or lines or ["it said nothing"])[-1]
    return _PREFIX.sub("", last).strip().rstrip(".")
