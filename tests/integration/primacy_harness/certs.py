"""Certificates for tests: an authority, and server certificates good and bad in one way each."""

import datetime
import ipaddress
import os
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class ServerFiles:
    """ca, certificate and key as files; `ca` is what a client should trust."""

    def __init__(self, ca, certificate, key):
        self.ca = Path(ca)
        self.certificate = Path(certificate)
        self.key = Path(key)

    def server_options(self, folder):
        """Options for mariadbd or mysqld, with copies of the files in the server's own folder."""
        own = Path(folder) / "tls"
        own.mkdir(parents=True, exist_ok=True)
        options = []
        for option, source in (("ssl-ca", self.ca), ("ssl-cert", self.certificate),
                               ("ssl-key", self.key)):
            target = own / f"{option}.pem"
            shutil.copyfile(source, target)
            os.chmod(target, 0o600)
            options.append(f"--{option}={target}")
        return options


class Authority:
    """A certificate authority with its files under `folder`."""

    def __init__(self, folder, name="primacy test authority"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = _build(self._name, self._name, self._key.public_key(), self._key,
                                   is_authority=True)
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(_pem(self._certificate))

    def issue(self, label, names=("localhost",), addresses=("127.0.0.1",), expired=False):
        """A certificate for those names and addresses, signed by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        common = names[0] if names else str(addresses[0])
        certificate = _build(_name(common), self._name, key.public_key(), self._key, names,
                             addresses, expired)
        return self._files(label, certificate, key, self.file)

    def self_signed(self, label, names=("localhost",), addresses=("127.0.0.1",)):
        """A certificate for the right name that nobody vouches for; `ca` is still our own."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(names[0])
        certificate = _build(subject, subject, key.public_key(), key, names, addresses)
        files = self._files(label, certificate, key, self.file)
        # The server itself must be given an authority that fits, or it refuses to start.
        return ServerFiles(files.certificate, files.certificate, files.key)

    def _files(self, label, certificate, key, ca):
        certificate_file = self.folder / f"{label}.pem"
        key_file = self.folder / f"{label}.key"
        certificate_file.write_bytes(_pem(certificate))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        os.chmod(key_file, 0o600)
        return ServerFiles(ca, certificate_file, key_file)


def _name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _build(subject, issuer, public_key, signing_key, names=(), addresses=(), expired=False,
           is_authority=False):
    now = datetime.datetime.utcnow()
    day = datetime.timedelta(days=1)
    first, last = (now - 30 * day, now - day) if expired else (now - day, now + 30 * day)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
               .public_key(public_key).serial_number(x509.random_serial_number())
               .not_valid_before(first).not_valid_after(last)
               .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True))
    if names or addresses:
        alternatives = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ipaddress.ip_address(item)) for item in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
    return builder.sign(signing_key, hashes.SHA256())
