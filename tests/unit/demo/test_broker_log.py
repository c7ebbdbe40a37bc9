"""What a broker wrote before it stopped, as one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from signal_exchange_demo.broker_log import reason_in

DIRECTORY, LOG = Path("/var/kafka"), Path("/var/kafka/broker.log")
FATAL = """\
2026-11-22 02:54:45.738 INFO KafkaRaftServer starting
2026-11-22 02:54:45.808 ERROR Kafka$ Exiting Kafka due to fatal exception
java.lang.IllegalArgumentException: requirement failed: too few threads.
\tat scala.Predef$.require(Predef.scala:337)
2026-11-22 02:54:45.900 INFO KafkaRaftServer stopping
"""
TAIL = "; its log is /var/kafka/broker.log."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("java.io.IOException: No space left on device\n\tat java.base/x", "The disk of /var/kafka is full."),
        (
            "org.apache.kafka.common.KafkaException: Failed to acquire lock on file .lock in /var/kafka/data.",
            "Another broker already uses /var/kafka.",
        ),
        ("java.net.BindException: Address already in use", "A port of this broker is taken by another program" + TAIL),
        ("Error: Could not reserve enough space for 524288KB object heap", "There is too little memory for Kafka" + TAIL),
    ],
    ids=["disk", "lock", "port", "memory"],
)
def test_a_known_reason_is_told_in_plain_words(text: str, sentence: str) -> None:
    assert reason_in(text, DIRECTORY, LOG) == sentence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            FATAL,
            "java.lang.IllegalArgumentException: requirement failed: too few threads",
        ),
        ("2026-11-22 02:54:45.808 ERROR Kafka$ Exiting Kafka\n", "Exiting Kafka"),
        ("Wrapped\nCaused by: java.lang.RuntimeException: the reason\n\t... 11 more\n", "java.lang.RuntimeException: the reason"),
        ("Unrecognized VM option\n", "Unrecognized VM option"),
        ("", "it said nothing"),
    ],
    ids=["exception", "error line", "cause", "no error line", "empty"],
)
def test_else_the_last_line_that_means_something_is_told(text: str, reason: str) -> None:
    assert reason_in(text, DIRECTORY, LOG) == f"Kafka stopped at its start: {reason}{TAIL}"
