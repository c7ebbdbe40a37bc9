"""The way of a process to Kafka: as which principal, with which secret, under which certificates."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MECHANISM = "SCRAM-SHA-512"


class HiddenText(str):
    """Text that hides itself: kafka-python writes its whole configuration, password and all, to its debug log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """One principal's way to the brokers.

    `bootstrap` is one or more host:port, separated by commas. With `ca_file` (PEM) the connection is encrypted and the
    brokers are checked against it.
    """

    bootstrap: str
    username: str
    password: str = field(repr=False)
    ca_file: Path | None = None

    @property
    def security_protocol(self) -> str:
        """Return SASL_SSL when there are certificates, else SASL_PLAINTEXT, which belongs on one machine only."""
        return "SASL_SSL" if self.ca_file else "SASL_PLAINTEXT"

    @property
    def servers(self) -> list[str]:
        """Return each host:port of `bootstrap`."""
        return [server.strip() for server in self.bootstrap.split(",")]

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the context of the encrypted connection, or None when there is none.

        Raises:
            OSError: a certificate file is missing or is no certificate.
        """
        return None if self.ca_file is None else ssl.create_default_context(cafile=self.ca_file)

    def for_kafka_python(self) -> dict[str, Any]:
        """Return the keyword arguments with which every client of kafka-python connects."""
        return {
            "bootstrap_servers": self.servers,
            "security_protocol": self.security_protocol,
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": HiddenText(self.password),
            "ssl_context": self.ssl_context(),
        }

    def for_librdkafka(self) -> dict[str, Any]:
        """Return the settings with which every client of librdkafka connects."""
        return {
            "bootstrap.servers": ",".join(self.servers),
            "security.protocol": self.security_protocol,
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.username,
            "sasl.password": HiddenText(self.password),
            **({} if self.ca_file is None else {"ssl.ca.location": str(self.ca_file)}),
        }

    def credentials(self) -> dict[str, Any]:
        """Return the keyword arguments of faust.SASLCredentials."""
        return {
            "username": self.username,
            "password": HiddenText(self.password),
            "mechanism": MECHANISM,
            "ssl_context": self.ssl_context(),
        }

    def broker_urls(self) -> list[str]:
        """Return each server as the URL that Faust's setting `broker` wants."""
        return [f"kafka://{server}" for server in self.servers]
