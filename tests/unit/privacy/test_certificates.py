"""Certificates of a demo region: a client that trusts the authority reaches the named hosts, and no others."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from signal_exchange.privacy.certificates import Authority, Certificate

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - TLS asks the machine's own clock


def handshake(authority: Authority, shown: Certificate, host: str, folder: Path) -> None:
    """Let a client that trusts the authority meet a server that shows this certificate, without a network."""
    (folder / "certificate.pem").write_bytes(shown.certificate)
    (folder / "key.pem").write_bytes(shown.key)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    client_context = ssl.create_default_context(cadata=authority.pem.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        for side in tuple(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("host", ["kafka", "localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_reaches_the_server_under_each_of_its_names(host: str, tmp_path: Path) -> None:
    authority = Authority.found("Demo region", NOW)
    handshake(authority, authority.issue(["kafka", "localhost", "127.0.0.1"]), host, tmp_path)


def test_another_host_cannot_show_this_certificate(tmp_path: Path) -> None:
    authority = Authority.found("Demo region", NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(authority, authority.issue(["kafka"]), "postgres", tmp_path)


def test_a_certificate_of_another_authority_of_the_same_name_is_refused(tmp_path: Path) -> None:
    one, other = Authority.found("Demo region", NOW), Authority.found("Demo region", NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(one, other.issue(["kafka"]), "kafka", tmp_path)


def test_a_certificate_is_valid_for_five_years_and_not_for_six(tmp_path: Path) -> None:
    four, six = (NOW.replace(year=NOW.year - years, day=1) for years in (4, 6))
    handshake(fresh := Authority.found("Demo region", four), fresh.issue(["kafka"]), "kafka", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(old := Authority.found("Demo region", six), old.issue(["kafka"]), "kafka", tmp_path)


def test_no_key_shows_in_a_representation() -> None:
    authority = Authority.found("Demo region", NOW)
    assert "PRIVATE" not in repr(authority.issue(["kafka"])) + repr(authority)
    assert "PrivateKey" not in repr(authority)
