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

from deployments.local_cluster.credentials import write_private

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
        key: PEM.
    """

    pem: bytes
    key: bytes

    @classmethod
    def read(cls, shown: Path, key: Path) -> Certificate:
        """Return what two files hold."""
        return cls(pem=shown.read_bytes(), key=key.read_bytes())

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


def make_certificate(
    host: str = "127.0.0.1", *, now: datetime | None = None, of_clients: bool = False
) -> Certificate:
    """Return a new certificate for an address of this machine, and for localhost.

    Args:
        host: An IP address.
        of_clients: Clients show it too, to a server that lets in nobody else.
        now: When its life begins, less an hour; the present by default.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "homeostat")])
    begin = (now or datetime.now(UTC)) - SKEW
    uses = [ExtendedKeyUsageOID.SERVER_AUTH]
    if of_clients:
        uses.append(ExtendedKeyUsageOID.CLIENT_AUTH)
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
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Certificate(pem=made.public_bytes(serialization.Encoding.PEM), key=private)


def kept_certificate(
    folder: Path, *, name: str = "apiserver", now: datetime | None = None, of_clients: bool = False
) -> tuple[Path, Path]:
    """Return the files of the certificate that a folder keeps, and of its key.

    A kubeconfig that names the first goes on working after a restart, also after one that renews it.

    Args:
        folder: Made when missing. What has expired or soon will, or is broken, is replaced.
        name: Of the files.
        of_clients: As for `make_certificate`.
        now: The present by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not _is_good(shown, key, now=now or datetime.now(UTC)):
        made = make_certificate(now=now, of_clients=of_clients)
        write_private(key, made.key.decode())
        write_private(shown, made.pem.decode())
    return shown, key


def _is_good(shown: Path, key: Path, *, now: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificate(shown.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return False
    # Whoever is killed between writing the two leaves halves of different pairs.
    is_pair = found.public_key() == private.public_key()
    return is_pair and now < found.not_valid_after_utc - RENEWAL
