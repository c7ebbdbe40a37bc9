"""How a process reaches Kafka: as which principal, with which secret, under which certificates."""

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
    brokers are checked against it; `certificate_file` and `key_file` (PEM) add this process's own certificate.
    """

    bootstrap: str
    username: str
    password: str = field(repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

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
        if self.ca_file is None:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context

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

    def for_aiokafka(self) -> dict[str, Any]:
        """Return the keyword arguments with which every client of aiokafka connects: the same names."""
        return self.for_kafka_python()

    def for_librdkafka(self) -> dict[str, Any]:
        """Return the settings with which every client of librdkafka connects."""
        files = {"ca": self.ca_file, "certificate": self.certificate_file, "key": self.key_file}
        return {
            "bootstrap.servers": ",".join(self.servers),
            "security.protocol": self.security_protocol,
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.username,
            "sasl.password": HiddenText(self.password),
            **{f"ssl.{name}.location": str(file) for name, file in files.items() if file is not None},
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
