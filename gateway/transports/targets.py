"""Where webhooks may be sent: an address that somebody else chose must not make us call our own house.

Rule 1: a target is held against these rules when it is registered and again at each call, since names change what they mean.
Rule 2: of a name every address counts; one that is forbidden forbids the target. A call goes to an address that was checked here and
        is not looked up again (DNS rebinding).
Rule 3: what is not public unicast is forbidden: IPv4 by the table below (IANA IPv4 Special-Purpose Address Registry, RFC 6890), IPv6
        by lying outside of 2000::/3 or inside of its special blocks (IANA IPv6 Special-Purpose Address Registry). Networks that the
        operator allows are exempt.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from gateway.errors import Finding, Rejected

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

LONGEST_URL = 2_048
# Printable ASCII without what parsers disagree about: blank, quotes, angle brackets, backslash, braces, bar, caret, grave.
_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
UNRESOLVED = "webhook.target.unresolved"
USUAL_PORTS = {"https": 443, "http": 80}

FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (RFC 6598); some clouds keep their metadata there
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own services behind a public address
        "169.254.0.0/16",  # link-local, metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays from 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
PUBLIC_IPV6 = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Target:
    """A web address, read. path: with the query. host: without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows. ports: pairs of first and last."""

    schemes: tuple[str, ...] = ("https",)
    ports: tuple[tuple[int, int], ...] = ((443, 443),)
    networks: tuple[Network, ...] = ()

    def read(self, url: str) -> Target:
        """Rejected when it is no address, or one whose form is not allowed. Nothing is looked up."""
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise _refused("webhook.url.unreadable") from None
        scheme = parts.scheme.lower()
        if len(url) > LONGEST_URL or not _URL.fullmatch(url) or not _HOST.fullmatch(host) or parts.fragment:
            raise _refused("webhook.url.unreadable")
        if scheme not in self.schemes:
            raise _refused("webhook.url.scheme", found=scheme[:20], expected=", ".join(self.schemes))
        if "@" in parts.netloc:
            raise _refused("webhook.url.credentials")
        port = USUAL_PORTS[scheme] if port is None else port
        if not any(first <= port <= last for first, last in self.ports):
            raise _refused("webhook.url.port", found=str(port), expected=self._ports())
        query = f"?{parts.query}" if parts.query else ""
        return Target(scheme, host, port, (parts.path or "/") + query)

    def resolve(self, target: Target) -> list[str]:
        """The addresses of a target, all of them allowed. Rejected when one is not, or when there is none."""
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise _refused(UNRESOLVED, found=target.host) from None
        addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
        for address in addresses:
            if not self.allows(ip_address(address)):
                raise _refused("webhook.target.forbidden", found=target.host)
        return addresses

    def allows(self, address: Address) -> bool:
        """Whether a call may go there."""
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        if any(address in network for network in self.networks):
            return True
        if isinstance(address, IPv6Address) and address not in PUBLIC_IPV6:
            return False
        return not any(address in network for network in FORBIDDEN)

    def check(self, url: str) -> None:
        """Everything that can be said of an address before it is called. Rejected says what is wrong with it.

        A name that has no address now may have one when it is called, and is looked at then.
        """
        target = self.read(url)
        try:
            self.resolve(target)
        except Rejected as problem:
            if problem.code != UNRESOLVED:
                raise

    def _ports(self) -> str:
        return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ports)


def _refused(code: str, found: str | None = None, expected: str | None = None) -> Rejected:
    """Which address a name has is not told: that would map the network behind us."""
    return Rejected("the target is not allowed", [Finding(code, "/url", found, expected)], code=code)
