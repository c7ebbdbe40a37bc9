"""How a process reaches Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from signal_exchange.runtime.connection import KafkaConnection


def a_connection(**changes: Path | str) -> KafkaConnection:
    values = {"bootstrap": "127.0.0.1:9092, 127.0.0.1:9093", "username": "routing", "password": "synthetic-secret"}
    return KafkaConnection(**{**values, **changes})  # type: ignore[arg-type]  # the table mixes paths and texts


def test_every_server_of_the_bootstrap_text_is_tried() -> None:
    assert a_connection().for_kafka_python()["bootstrap_servers"] == ["127.0.0.1:9092", "127.0.0.1:9093"]
    assert a_connection().broker_urls() == ["kafka://127.0.0.1:9092", "kafka://127.0.0.1:9093"]


def test_the_password_shows_in_no_representation_of_connection_or_arguments() -> None:
    connection = a_connection()
    shown = f"{connection!r} {connection.for_kafka_python()} {connection.credentials()}"
    assert "synthetic-secret" not in shown
    assert connection.for_kafka_python()["sasl_plain_password"] == "synthetic-secret"


def test_the_connection_authenticates_with_scram_sha_512() -> None:
    assert a_connection().for_kafka_python()["sasl_mechanism"] == "SCRAM-SHA-512"
    assert a_connection().credentials()["mechanism"] == "SCRAM-SHA-512"


def test_without_certificates_the_connection_is_not_encrypted() -> None:
    arguments = a_connection().for_kafka_python()
    assert (arguments["security_protocol"], arguments["ssl_context"]) == ("SASL_PLAINTEXT", None)


def test_a_missing_certificate_stops_the_start_instead_of_connecting_in_clear(tmp_path: Path) -> None:
    connection = a_connection(ca_file=tmp_path / "missing.pem")
    assert connection.security_protocol == "SASL_SSL"
    with pytest.raises(FileNotFoundError):
        connection.for_kafka_python()


def test_librdkafka_gets_the_same_way_with_the_certificates_as_files(tmp_path: Path) -> None:
    plain, encrypted = a_connection().for_librdkafka(), a_connection(ca_file=tmp_path / "ca.pem").for_librdkafka()
    assert plain["bootstrap.servers"] == "127.0.0.1:9092,127.0.0.1:9093"
    assert (plain["security.protocol"], plain["sasl.mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert "synthetic-secret" not in repr(plain)
    assert (encrypted["security.protocol"], encrypted["ssl.ca.location"]) == ("SASL_SSL", str(tmp_path / "ca.pem"))
