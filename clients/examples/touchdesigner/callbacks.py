"""Callbacks of a WebSocket DAT in TouchDesigner: paints a TOP, without any package.

Start the server with --compat demo. In TouchDesigner:

1. A WebSocket DAT with these callbacks, Network Address 127.0.0.1, Port 8420, and as its path (Request) the text in
   PATH below.
2. The TOP to paint is named `source`; the parameters come from a Table DAT named `parameters` (name, value), if there
   is one.
3. A Web Render TOP with the address http://127.0.0.1:8420 + STREAM shows the result.
"""

import json
import uuid

USER = str(uuid.uuid4())
PATH = "/api/ws/" + USER
STREAM = "/api/stream/" + USER
PROMPT = "oil painting"


def parameters():
    """Return what the picture should look like: the rows of the table."""
    table = op("parameters")  # noqa: F821, a global of TouchDesigner
    values = {"prompt": PROMPT}
    for row in table.rows() if table else []:
        name, value = (str(cell) for cell in row)
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def onConnect(dat):
    print("connected: the result is at", STREAM)


def onReceiveText(dat, rowIndex, message):
    """Answer the server, which asks for each picture."""
    status = json.loads(message)
    if status["status"] == "send_frame":
        dat.sendText(json.dumps({"status": "next_frame"}))
        dat.sendText(json.dumps(parameters()))
        dat.sendBinary(op("source").saveByteArray(".jpg"))  # noqa: F821
    elif status["status"] in ("error", "timeout"):
        print("Millrace:", status["message"])


def onDisconnect(dat):
    print("disconnected")
