"""What nobody should send, and somebody will."""

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "a\udfffb",
    "\r\nSet-Cookie: a=b",
    "\u202e\u200b",
    "🜁" * 40,
    "x" * 5000,
    "9" * 5000,
    "../../../etc/passwd",
    "%00%2e%2e%2f",
    "' OR 1=1 --",
    "null",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)
NUMBERS = (0, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.5, 1e308)
VALUES = (*TEXTS, *NUMBERS, True, None, [], {}, [[[]]], {"a": {"b": []}})
BODIES = (
    b"",
    b"\0" * 50,
    b"\xff\xfe",
    b"{",
    b"[" * 30_000 + b"]" * 30_000,
    b'{"a":' * 6000 + b"1" + b"}" * 6000,
    b'{"version": ' + b"9" * 5000 + b"}",
    b'{"version": NaN, "limit": Infinity}',
    b'{"a": 1, "a": 2}',
    b"x" * 70_000,
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=edge",
    "text/plain",
    "",
)
