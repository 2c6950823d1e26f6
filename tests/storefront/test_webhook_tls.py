"""Over TLS: the checked address is called, and its certificate must name the host that was registered."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.core import clock
from apps.storefront import outbound
from apps.storefront.addresses import parsed

HOST, PORT = "hooks.example.com", 8782


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for HOST, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.wall() - timedelta(days=1))
        .not_valid_after(clock.wall() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Stands where the public address would be; what it was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", PORT))
    got: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    got.append(secured.recv(65_536))
                    secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    connect = socket.create_connection
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: public)

    def to_this_server(address: Any, **options: Any) -> socket.socket:
        assert address == ("93.184.215.14", 443)
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(options["timeout"])
        plain.connect(("127.0.0.1", PORT))
        return plain

    monkeypatch.setattr(socket, "create_connection", to_this_server)
    yield got
    monkeypatch.setattr(socket, "create_connection", connect)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.mark.covers("M5")
def test_a_certificate_for_the_host_is_accepted(
    server: list[bytes], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    head = outbound.post(parsed(f"https://{HOST}/in"), b'{"a":1}', {"webhook-id": "msg_1"})
    assert head.status == 204
    assert server[0].startswith(b"POST /in HTTP/1.1\r\nHost: hooks.example.com\r\nwebhook-id: msg_1\r\n")
    assert server[0].endswith(b'\r\n\r\n{"a":1}')


@pytest.mark.covers("M5", "GS1")
@pytest.mark.parametrize(("trusted", "host"), [(False, HOST), (True, "other.example.com")])
def test_any_other_certificate_is_not_and_nothing_is_sent(
    server: list[bytes], certificate: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool, host: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(outbound.Unreachable) as error:
        outbound.post(parsed(f"https://{host}/in"), b"{}", {})
    assert error.value.code == "tls"
    assert server == []
