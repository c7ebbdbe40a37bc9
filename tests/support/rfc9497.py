"""A second implementation of RFC 9497 (ristretto255-SHA512, VOPRF), of RFC 9496 and RFC 9380 alone: slow, plain, for tests only.

It takes the place of another vendor's client: what it makes of a keeper's answer must be what the product makes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


class WrongProofError(Exception):
    """The proof does not fit the public key."""


class NoPointError(ValueError):
    """The bytes are no point of the group."""


@dataclass(frozen=True)
class Point:
    """A point in extended coordinates."""

    x: int
    y: int
    z: int
    t: int

    def __add__(self, other: Point) -> Point:
        a, b = (self.y - self.x) * (other.y - other.x), (self.y + self.x) * (other.y + other.x)
        c, d = 2 * D * self.t * other.t, 2 * self.z * other.z
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def times(self, scalar: int) -> Point:
        result, doubled = ZERO, self
        for bit in bin(scalar % ORDER)[:1:-1]:
            result = result + doubled if bit == "1" else result
            doubled = doubled + doubled
        return result

    def encode(self) -> bytes:
        u1, u2 = (self.z + self.y) * (self.z - self.y) % P, self.x * self.y % P
        inverse = _sqrt_ratio(1, u1 * u2 * u2 % P)[1]
        den1, den2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = den1 * den2 * self.t % P
        if self.t * z_inverse % P & 1:
            x, y, den = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
        else:
            x, y, den = self.x, self.y, den2
        y = -y if x * z_inverse % P & 1 else y
        return _abs(den * (self.z - y)).to_bytes(32, "little")


ZERO = Point(0, 1, 1, 0)


def decode(data: bytes) -> Point:
    """Read a point; raises NoPointError when the bytes are none."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or s & 1:
        raise NoPointError
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, inverse = _sqrt_ratio(1, v * u2 * u2 % P)
    x = _abs(2 * s * inverse * u2)
    y = u1 * inverse * inverse * u2 * v % P
    if not square or x * y % P & 1 or y == 0:
        raise NoPointError
    return Point(x, y, 1, x * y % P)


def _abs(value: int) -> int:
    value %= P
    return P - value if value & 1 else value


def _sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    root = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * root * root % P
    if check in {-u % P, -u * SQRT_M1 % P}:
        root = root * SQRT_M1
    return check in {u % P, -u % P}, _abs(root)


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def _map(data: bytes) -> Point:
    t = int.from_bytes(data, "little") % 2**255 % P
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * (1 - D * D) % P, (-1 - r * D) * (r + D) % P
    square, s = _sqrt_ratio(u, v)
    s, c = (s, -1) if square else (-_abs(s * t) % P, r)
    n = (c * (r - 1) * (D - 1) ** 2 - v) % P
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def _expand(message: bytes, dst: bytes) -> bytes:
    dst_prime = dst + bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + b"\0\x40\0" + dst_prime).digest()
    return hashlib.sha512(first + b"\x01" + dst_prime).digest()


def _hash_to_group(message: bytes) -> Point:
    uniform = _expand(message, b"HashToGroup-" + CONTEXT)
    return _map(uniform[:32]) + _map(uniform[32:])


def _hash_to_scalar(message: bytes) -> int:
    return int.from_bytes(_expand(message, b"HashToScalar-" + CONTEXT), "little") % ORDER


def _framed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def blind(value: bytes, scalar: int) -> bytes:
    """Return the blinded point of a value."""
    return _hash_to_group(value).times(scalar).encode()


def verify(public_key: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
    """Verify the proof of a batch; raises WrongProofError."""
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    seed = hashlib.sha512(_framed(public_key, b"Seed-" + CONTEXT)).digest()
    m = z = ZERO
    for number, (before, after) in enumerate(zip(blinded, evaluated, strict=True)):
        weight = _hash_to_scalar(_framed(seed) + number.to_bytes(2, "big") + _framed(before, after) + b"Composite")
        m, z = m + decode(before).times(weight), z + decode(after).times(weight)
    t2 = BASE.times(s) + decode(public_key).times(c)
    t3 = m.times(s) + z.times(c)
    transcript = _framed(public_key, m.encode(), z.encode(), t2.encode(), t3.encode()) + b"Challenge"
    if _hash_to_scalar(transcript) != c:
        raise WrongProofError


def finalize(value: bytes, scalar: int, evaluated: bytes) -> bytes:
    """Return the output for a value that was blinded with this scalar."""
    point = decode(evaluated).times(pow(scalar, -1, ORDER)).encode()
    return hashlib.sha512(_framed(value, point) + b"Finalize").digest()
