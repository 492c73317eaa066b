"""`reconcile` on the PATH of a shell, run by the server whose socket `FORK_SERVER` names: see `command.py`.

It starts in a few milliseconds: it imports next to nothing, and no site packages.
"""

import _socket
import array
import json
import os
import sys

server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect(os.environ["FORK_SERVER"])
folder = os.getcwd()  # noqa: PTH109 - importing pathlib takes longer than the rest
request = {"module": "reconciler", "words": sys.argv[1:], "folder": folder, "environ": dict(os.environ)}
streams = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
line = json.dumps(request).encode() + b"\n"
sent = server.sendmsg([line], streams)
while sent < len(line):
    sent += server.send(line[sent:])
answer = b""
while answer.count(b"\n") < 2 and (part := server.recv(1024)):
    answer += part
sys.exit(int(answer.split()[1]) if answer.count(b"\n") == 2 else "the fork server has ended")
