"""Attacks 20 and 21: a webhook is never a way into the house."""

import socket
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.merchants.models import WebhookEndpoint
from apps.storefront import outbound, services
from apps.storefront.addresses import AddressBlocked, checked_address, is_public, parsed
from tests import world

PUBLIC = "93.184.215.14"


def answers(*addresses: str) -> Any:
    """A name server that gives these answers, one set per question; the last for ever."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        found = addresses[min(len(asked), len(addresses)) - 1].split(",")
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    getaddrinfo.asked = asked  # type: ignore[attr-defined]
    return getaddrinfo


@pytest.mark.django_db
@pytest.mark.covers("M5", "GS1")
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "http://127.0.0.1/hook",
        "https://127.0.0.1/hook",
        "https://127.1/",
        "https://0/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://3232235777/",
        "https://8.8.8.8/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://localhost./",
        "https://example.com./",
        "https://LOCALHOST/",
        "https://printer.local/",
        "https://metadata.google.internal/computeMetadata/v1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com:22/",
        "https://example.com:6379/",
        "https://example.com:5432/",
        "https://example.com:99999/",
        "https://example.com:-1/",
        "https://１２７.0.0.1/",
        "https://ⓔxample.com/",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: x",
        "https://example.com\\@127.0.0.1/",
        "https://example.com\t/",
        "https:///hook",
        "https://",
        "//example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://" + "a." * 300 + "com/",
        "https://example.com/" + "a" * 600,
        "",
    ],
)
def test_odd_addresses_are_refused_when_they_are_registered_and_when_they_are_called(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(PUBLIC))
    with pytest.raises(InvalidInput) as error:
        services.add_endpoint(merchant=world.merchant(), url=url)
    assert error.value.code == "webhook_address"
    assert not WebhookEndpoint.objects.exists()
    with pytest.raises(AddressBlocked):
        parsed(url)


@pytest.mark.django_db
@pytest.mark.covers("M5", "GS1")
@pytest.mark.parametrize(
    "answer",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
        "ff02::1",
        f"{PUBLIC},10.0.0.1",
    ],
)
def test_names_that_lead_into_the_house_are_refused(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(answer))
    with pytest.raises(InvalidInput):
        services.add_endpoint(merchant=world.merchant(), url="https://hooks.example.com/")
    with pytest.raises(AddressBlocked) as blocked:
        checked_address(parsed("https://hooks.example.com/"))
    assert blocked.value.code == "address"


@pytest.mark.covers("M5", "GS1")
def test_the_control_public_addresses_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(f"{PUBLIC},2606:2800:21f:cb07::1"))
    for url in ("https://hooks.example.com/a?b=c", "https://xn--bcher-kva.example.com:8443/", "https://a-b.example.li"):
        assert checked_address(parsed(url))[0] == PUBLIC
    assert is_public(PUBLIC)
    assert is_public("::ffff:8.8.8.8")


@pytest.mark.covers("M5", "GS1")
def test_loopback_is_open_only_where_the_setting_says_so(settings: Any) -> None:
    with pytest.raises(AddressBlocked):
        parsed("http://127.0.0.1:8781/")
    settings.WEBHOOKS_MAY_CALL_LOOPBACK = True
    assert checked_address(parsed("http://127.0.0.1:8781/")) == ("127.0.0.1", 8781)
    for other in ("http://localhost:8781/", "http://127.0.0.2/", "http://10.0.0.1/", "http://169.254.169.254/"):
        with pytest.raises(AddressBlocked):
            parsed(other)


@pytest.mark.covers("M5", "GS1")
def test_a_name_that_changes_its_answer_is_called_at_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second answer is private; only the first, checked one may be connected to."""
    server = answers(PUBLIC, "127.0.0.1")
    connected: list[Any] = []

    def create_connection(address: Any, **_options: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", server)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    target = parsed("https://hooks.example.com/")
    with pytest.raises(outbound.Unreachable):
        outbound.post(target, b"{}", {})
    assert connected == [(PUBLIC, 443)]
    assert server.asked == ["hooks.example.com"]
    with pytest.raises(AddressBlocked):
        outbound.post(target, b"{}", {})
    assert len(connected) == 1
