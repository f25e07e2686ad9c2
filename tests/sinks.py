"""Places messages are sent to: a web server and a mail server on this machine, each keeping what it is given."""

import datetime
import ipaddress
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificate(folder: Path) -> Path:
    """One this machine vouches for only where it is told to: certificate and key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "sink.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


def _served_with(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@dataclass(kw_only=True)
class WebSink:
    """Answers every POST with `status`, and keeps what was posted."""

    port: int = 0
    status: int = 204
    posted: list[dict[str, Any]] = field(default_factory=list)

    def url(self, scheme: str = "http") -> str:
        """Where it is."""
        return f"{scheme}://127.0.0.1:{self.port}/hook"


@contextmanager
def web_sink(pem: Path | None = None) -> Iterator[WebSink]:
    """A web server while the context is open; over TLS with a certificate."""
    sink = WebSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if 200 <= sink.status < 300:
                sink.posted.append(json.loads(body))
            self.send_response(sink.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    if pem is not None:
        server.socket = _served_with(pem).wrap_socket(server.socket, server_side=True)
    sink.port = server.server_address[1]
    with _running(server):
        yield sink


@dataclass(kw_only=True)
class MailSink:
    """Takes every e-mail, unless it `refuses`; `signed_in` keeps what was signed in with."""

    port: int = 0
    refuses: bool = False
    mails: list[Any] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)


@contextmanager
def mail_sink(pem: Path | None = None, *, tls: bool = False) -> Iterator[MailSink]:
    """A mail server while the context is open: with a certificate it offers STARTTLS, or speaks TLS from the start."""
    sink = MailSink()
    context = _served_with(pem) if pem is not None else None

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with ExitStack() as opened:
                if tls and context is not None:
                    self.request = opened.enter_context(context.wrap_socket(self.request, server_side=True))
                _talk(self.request, sink, None if tls else context, opened)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    with _running(server):
        yield sink


def _talk(connection: Any, sink: MailSink, context: ssl.SSLContext | None, opened: ExitStack) -> None:
    """One conversation, as far as a client of the standard library goes."""
    stream, sender, recipients = opened.enter_context(connection.makefile("rwb")), "", []

    def say(line: str) -> None:
        stream.write(f"{line}\r\n".encode())
        stream.flush()

    say("220 sink")
    while line := stream.readline().decode().strip():
        verb = line.split()[0].upper()
        if verb == "EHLO":
            say("250-sink")
            say("250-AUTH PLAIN")
            say("250 STARTTLS" if context is not None else "250 8BITMIME")
        elif verb == "STARTTLS" and context is not None:
            say("220 go on")
            connection, context = opened.enter_context(context.wrap_socket(connection, server_side=True)), None
            stream = opened.enter_context(connection.makefile("rwb"))
        elif verb == "AUTH":
            sink.signed_in.append(line.split()[-1])
            say("235 welcome")
        elif verb == "MAIL" and sink.refuses:
            say("451 not now")
        elif verb == "MAIL":
            sender, recipients = line.split("<")[1].split(">")[0], []
            say("250 go on")
        elif verb == "RCPT":
            recipients.append(line.split("<")[1].split(">")[0])
            say("250 go on")
        elif verb == "DATA":
            say("354 go on")
            body = []
            while (part := stream.readline().decode()) not in (".\r\n", ""):
                body.append(part)
            sink.mails.append(message_from_string("".join(body), policy=default))
            sink.envelopes.append((sender, tuple(recipients)))
            sink.secured.append(isinstance(connection, ssl.SSLSocket))
            say("250 taken")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("250 go on")


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
