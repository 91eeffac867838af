"""Stand-in for TouchDesigner: a WebSocket DAT that runs the callbacks of a file, and a TOP with a picture.

python touchdesigner.py CALLBACKS SERVER PICTURE COUNT: prints the address of the stream, and ends after COUNT pictures.
"""

import sys
from pathlib import Path

from websockets.sync.client import connect

callbacks, server, picture, count = sys.argv[1:]


class Top:
    def saveByteArray(self, kind: str) -> bytes:
        assert kind == ".jpg"
        return Path(picture).read_bytes()


class Table:
    def rows(self):
        return [["width", "64"], ["height", "64"], ["seed", "3"], ["prompt", "a fox"]]


class WebSocketDat:
    def __init__(self, socket) -> None:
        self.socket = socket
        self.sent = 0

    def sendText(self, text: str) -> None:
        self.socket.send(text)

    def sendBinary(self, data: bytes) -> None:
        self.socket.send(data)
        self.sent += 1


names = {"op": {"source": Top(), "parameters": Table()}.get}
exec(compile(Path(callbacks).read_text(), callbacks, "exec"), names)
with connect(server.replace("http", "ws") + names["PATH"]) as socket:
    dat = WebSocketDat(socket)
    names["onConnect"](dat)
    print(names["STREAM"], flush=True)
    while dat.sent < int(count):
        names["onReceiveText"](dat, 0, socket.recv())
names["onDisconnect"](dat)
