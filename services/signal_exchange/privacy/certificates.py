"""Certificates for TLS inside a demo region. A real region has those of its own organisation (PKIoverheid)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=1825)
SLACK = timedelta(hours=1)
"""A certificate is valid from so long before its making, for clocks that are behind."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, which a server shows, and its key, which it keeps, both PEM; the key is PKCS #8 without a password."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues the certificates of one region. Its key is never written: whoever drops it issues no more."""

    root: x509.Certificate
    made_at: datetime
    _key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def found(cls, name: str, at: datetime) -> Self:
        """Return a new authority of this name, valid for five years from this moment."""
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certified = x509.BasicConstraints(ca=True, path_length=0), _usage(signs_certificates=True)
        return cls(_signed(_builder(subject, subject, key, key, at), certified, key), at, key)

    @property
    def pem(self) -> bytes:
        """Return the certificate that clients must trust, as PEM."""
        return self.root.public_bytes(Encoding.PEM)

    def issue(self, names: Iterable[str]) -> Certificate:
        """Return a certificate for a server that is reached under these host names and addresses."""
        key, known = generate_private_key(SECP256R1()), [_general_name(name) for name in names]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(known[0].value))])
        builder = _builder(subject, self.root.subject, key, self._key, self.made_at)
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        made = _signed(builder, (x509.BasicConstraints(ca=False, path_length=None), _usage(signs_certificates=False)), self._key)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Certificate(made.public_bytes(Encoding.PEM), private)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, signer: EllipticCurvePrivateKey, at: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), at - SLACK, at + VALID)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(identifier, critical=False).add_extension(authority, critical=False)


def _signed(
    builder: x509.CertificateBuilder, critical: tuple[x509.ExtensionType, ...], key: EllipticCurvePrivateKey
) -> x509.Certificate:
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
