"""A certificate of its own for a server: kubectl sends tokens over nothing else than TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)
RENEWAL = timedelta(days=30)
"""Before its end."""
SKEW = timedelta(hours=1)
"""By which clocks of clients may be behind."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that vouches for itself, and its key.

    Attributes:
        pem: What clients verify the server with.
        key: PEM; stays in memory.
    """

    pem: bytes
    key: bytes

    def context(self) -> ssl.SSLContext:
        """Return how a server shows it."""
        found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # The standard library takes chains from files alone.
        with TemporaryDirectory() as folder:
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            path.write_bytes(self.key + self.pem)
            found.load_cert_chain(path)
        return found


def make_certificate(host: str = "127.0.0.1", *, now: datetime | None = None) -> Certificate:
    """Return a new certificate for an address of this machine, and for localhost.

    Args:
        host: An IP address.
        now: When its life begins, less an hour; the present by default.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "homeostat")])
    begin = (now or datetime.now(UTC)) - SKEW
    places = [x509.IPAddress(ip_address(host)), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Certificate(pem=made.public_bytes(serialization.Encoding.PEM), key=private)


def kept_certificate(folder: Path, *, now: datetime | None = None) -> tuple[Certificate, Path]:
    """Return the certificate that a folder keeps, and the file that clients verify with.

    A kubeconfig that somebody copied goes on working after a restart.

    Args:
        folder: Made when missing; a certificate that has expired, or soon will, is replaced.
        now: The present by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown, key = folder / "apiserver.crt", folder / "apiserver.key"
    if shown.exists() and key.exists():
        found = Certificate(pem=shown.read_bytes(), key=key.read_bytes())
        ends = x509.load_pem_x509_certificate(found.pem).not_valid_after_utc
        if (now or datetime.now(UTC)) < ends - RENEWAL:
            return found, shown
    made = make_certificate(now=now)
    key.touch(mode=0o600)
    key.write_bytes(made.key)
    shown.write_bytes(made.pem)
    return made, shown
