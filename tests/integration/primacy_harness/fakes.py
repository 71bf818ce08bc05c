"""Fake database servers on loopback that misbehave in one way each.

Each accepts any number of connections, a thread for each, and counts those that are open. Those
that misbehave only after login speak enough of the protocol to let anybody in.
"""

import socket
import struct
import threading

from .ports import free_port, release_port

_MARIADB_VERSION = b"5.5.5-10.11.6-MariaDB"


def packet(payload, sequence):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload


def greeting(tls=False):
    """A correct protocol 10 greeting that asks for mysql_native_password."""
    salt = b"12345678", b"abcdefghijkl"
    capabilities = 0x000FF7FF & ~0x0800 & ~0x0020  # everything common, no TLS, no compression
    if tls:
        capabilities |= 0x0800
    payload = (b"\x0a" + _MARIADB_VERSION + b"\0" + struct.pack("<I", 4711) + salt[0] + b"\0" +
               struct.pack("<H", capabilities & 0xFFFF) + b"\x21" + struct.pack("<H", 2) +
               struct.pack("<H", capabilities >> 16) + bytes([21]) + b"\0" * 10 + salt[1] + b"\0" +
               b"mysql_native_password\0")
    return packet(payload, 0)


def ok(sequence):
    return packet(b"\0\0\0\x02\0\0\0", sequence)


def error(number, state, text, sequence, with_state=True):
    payload = b"\xff" + struct.pack("<H", number)
    payload += (b"#" + state if with_state else b"") + text
    return packet(payload, sequence)


def _column(name, sequence):
    def text(value):
        return bytes([len(value)]) + value
    payload = (text(b"def") + text(b"") * 3 + text(name) * 2 + b"\x0c" + struct.pack("<H", 33) +
               struct.pack("<I", 255) + b"\xfd" + struct.pack("<H", 0) + b"\0" + b"\0\0")
    return packet(payload, sequence)


class FakeServer:
    """One listener; `behave(peer)` is called for each connection and owns it while it runs."""

    name = "fake"
    kind = None

    def __init__(self, behave, label, host="127.0.0.1"):
        self.name = label
        self.host = host
        self.port = free_port()
        self._behave = behave
        self._open = set()
        self._lock = threading.Lock()
        self.accepted = 0
        self._closing = threading.Event()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, self.port))
        self._listener.listen(64)
        threading.Thread(target=self._accept, name=f"fake-{label}", daemon=True).start()

    def __repr__(self):
        return f"fake server {self.name} at {self.host}:{self.port}"

    @property
    def open_connections(self):
        """Connections whose peer has not closed them."""
        with self._lock:
            return len(self._open)

    def close(self):
        self._closing.set()
        self._listener.close()
        with self._lock:
            peers = list(self._open)
        for peer in peers:
            peer.shut()
        release_port(self.port)

    def _accept(self):
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            peer = _Peer(connection, self._closing)
            with self._lock:
                self.accepted += 1
                self._open.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            self._behave(peer)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(peer)
            peer.shut()


class _Peer:
    """One connection, with what behaviours are made of."""

    def __init__(self, connection, closing):
        self._connection = connection
        self._closing = closing
        connection.settimeout(120)

    def send(self, data):
        self._connection.sendall(data)

    def packet(self):
        """The next packet's (sequence, payload); OSError at the end of the connection."""
        header = self._exactly(4)
        return header[3], self._exactly(header[0] | header[1] << 8 | header[2] << 16)

    def login(self):
        """Greets and lets the peer in, whoever it is."""
        self.send(greeting())
        sequence, _ = self.packet()
        self.send(ok(sequence + 1))

    def command(self):
        """Answers settings and pings with OK; returns when a real query has come."""
        while True:
            _, payload = self.packet()
            if payload[:1] == b"\x03" and not payload[1:].lstrip().upper().startswith(b"SET "):
                return payload[1:]
            if payload[:1] == b"\x01":
                raise OSError("quit")
            self.send(ok(1))

    def until_closed(self):
        """Reads and forgets until the peer goes away."""
        while self._connection.recv(65536):
            pass

    def trickle(self, data, seconds=1.0):
        """One byte each `seconds`, until the peer goes away."""
        self._connection.settimeout(seconds)
        for position in range(len(data)):
            self.send(data[position:position + 1])
            try:
                if not self._connection.recv(65536):
                    return
            except TimeoutError:
                continue

    def shut(self):
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._connection.close()

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            part = self._connection.recv(length - len(data))
            if not part:
                raise OSError("closed by the peer")
            data += part
        return data


# --- behaviours: what the fake does with a connection


def silent(peer):
    """Accepts and never says a word."""
    peer.until_closed()


def closes_at_once(peer):
    """Accepts and hangs up."""


def garbage_greeting(peer):
    """Bytes that are no greeting, in a packet that looks like one."""
    peer.send(packet(bytes(range(7, 120)), 0))
    peer.until_closed()


def not_mysql(peer):
    """Another service altogether: an SMTP banner."""
    peer.send(b"220 mail.example ESMTP ready\r\n")
    peer.until_closed()


def garbage_after_greeting(peer):
    """A correct greeting, then noise instead of an answer to the login."""
    peer.send(greeting())
    peer.packet()
    peer.send(bytes((index * 37 + 11) & 255 for index in range(4096)))
    peer.until_closed()


def silent_in_tls_handshake(peer):
    """Offers TLS, and says no word when the client begins it."""
    peer.send(greeting(tls=True))
    peer.until_closed()


def half_a_tls_record(peer):
    """Offers TLS and begins an answer of which the rest never comes."""
    peer.send(greeting(tls=True))
    peer.packet()
    peer.send(b"\x16\x03\x03\x00\x58\x02\x00")
    peer.until_closed()


def garbage_in_tls_handshake(peer):
    """Offers TLS and answers its beginning with noise."""
    peer.send(greeting(tls=True))
    peer.packet()
    peer.send(bytes((index * 37 + 11) & 255 for index in range(4096)))
    peer.until_closed()


def garbage_after_login(peer):
    """Lets everybody in, and answers the first query with noise."""
    peer.login()
    peer.command()
    peer.send(bytes((index * 91 + 5) & 255 for index in range(4096)))
    peer.until_closed()


def silent_after_login(peer):
    """Lets everybody in and never answers a query."""
    peer.login()
    peer.command()
    peer.until_closed()


def closes_after_query(peer):
    """Lets everybody in and hangs up on the first query."""
    peer.login()
    peer.command()


def one_byte_a_second(peer):
    """A correct greeting, so slowly that it takes over a minute."""
    peer.trickle(greeting())


def endless_rows(peer):
    """Answers the first query with rows that never end."""
    peer.login()
    peer.command()
    peer.send(packet(b"\x01", 1) + _column(b"value", 2) + packet(b"\xfe\0\0\x02\0", 3))
    sequence = 4
    row = bytes([250]) + b"x" * 250
    while True:
        block = b"".join(packet(row, sequence + index) for index in range(250))
        peer.send(block)
        sequence += 250


def endless_row(peer):
    """Answers the first query with one row of 16 MiB packets without an end."""
    peer.login()
    peer.command()
    peer.send(packet(b"\x01", 1) + _column(b"value", 2) + packet(b"\xfe\0\0\x02\0", 3))
    sequence = 4
    # A value of 2^40 bytes is announced; it travels in packets of the greatest size.
    filling = b"x" * 65536
    start = b"\xfe" + struct.pack("<Q", 1 << 40)
    while True:
        peer.send(b"\xff\xff\xff" + bytes([sequence & 255]) + start)
        left = 0xFFFFFF - len(start)
        while left:
            part = filling[:left]
            peer.send(part)
            left -= len(part)
        start = b""
        sequence += 1


def huge_column_count(peer):
    """Announces 2^40 columns."""
    peer.login()
    peer.command()
    peer.send(packet(b"\xfe" + struct.pack("<Q", 1 << 40), 1))
    peer.until_closed()


def too_many_connections(peer):
    """Error 1040 instead of a greeting, as a full server sends it."""
    peer.send(error(1040, b"08004", b"Too many connections", 0, with_state=False))


def host_not_allowed(peer):
    """Error 1130 instead of a greeting: no account for our address."""
    peer.send(error(1130, b"HY000", b"Host '127.0.0.1' is not allowed to connect to this server", 0,
                    with_state=False))


def host_blocked(peer):
    """Error 1129 instead of a greeting: blocked after too many broken connections."""
    peer.send(error(1129, b"HY000", b"Host '127.0.0.1' is blocked because of many connection "
                    b"errors", 0, with_state=False))


def hostile_text(peer):
    """An error whose text tries to break terminals, JSON and metric lines."""
    peer.login()
    peer.command()
    peer.send(error(1105, b"HY000", b"\x1b[2J\x07\"}\n# HELP evil 1\nevil 1\xff\xfe\0end", 1))
    peer.until_closed()


# behaviour → the classes of error that tell the operator the truth about it
BEHAVIOURS = {
    silent: {"timeout"},
    closes_at_once: {"lost"},
    garbage_greeting: {"protocol"},
    not_mysql: {"protocol", "lost", "timeout"},
    garbage_after_greeting: {"protocol", "lost"},
    silent_in_tls_handshake: {"timeout"},
    half_a_tls_record: {"timeout"},
    garbage_in_tls_handshake: {"tls"},
    # Random bytes may announce a packet that never comes: then silence is all there is to tell.
    garbage_after_login: {"protocol", "lost", "timeout"},
    silent_after_login: {"timeout"},
    closes_after_query: {"lost"},
    one_byte_a_second: {"timeout"},
    endless_rows: {"limit", "protocol", "timeout"},
    # The client library calls a packet over its limit a lost connection.
    endless_row: {"limit", "protocol", "timeout", "query", "lost"},
    huge_column_count: {"limit", "protocol", "lost", "timeout"},
    too_many_connections: {"too_many_connections"},
    host_not_allowed: {"denied"},
    host_blocked: {"denied"},
    hostile_text: {"query"},
}
