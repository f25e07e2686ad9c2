"""One word to whoever keeps the services: `ask.py SOCKET start|stop`. Of the standard library alone: it is quick."""

import socket
import sys

with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[1])
    asked.sendall(sys.argv[2].encode() + b"\n")
    said = asked.makefile().readline().strip()
print(said)
sys.exit(0 if said == "done" else 1)
