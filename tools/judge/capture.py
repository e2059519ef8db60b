"""From the relay's capture (tools/relay/capture.hpp) to messages, for judge.py: reassembles TCP
streams, parses HTTP/1.1 and WebSocket itself. What cannot be read is told to `bad`.
"""
import bisect, pathlib, struct
from collections import defaultdict


class Stream:  # one direction of a connection: its bytes, and when the relay read each stretch
    def __init__(self):
        self.data, self.ends, self.stamps = bytearray(), [], []

    def stamp(self, end):  # of the byte before `end`
        return self.stamps[bisect.bisect_left(self.ends, end)]


def read_capture(path, bad):
    """(client's stream, server's stream) of each connection."""
    raw, at = pathlib.Path(path).read_bytes(), 16
    connections = defaultdict(lambda: (Stream(), Stream()))
    if raw[:16] != b"SLUCAPT1" + struct.pack("<II", 1, 24):
        raise OSError(f"{path}: no capture file of version 1")
    while at < len(raw):
        head = struct.unpack_from("<IIqIBBB", raw, at) if at + 24 <= len(raw) else (0,) * 7
        magic, length, stamp, connection, _, direction, event = head
        if magic != 0x52434C53 or at + 24 + length > len(raw):
            bad(f"{path}: offset {at}: a damaged or cut record")
            break
        at += 24 + length
        if event == 2:  # data; the others open and end connections
            stream = connections[connection][direction]
            stream.data += raw[at - length : at]
            stream.ends.append(len(stream.data))
            stream.stamps.append(stamp)
    return list(connections.values())


def http_messages(stream, answers, limit, bad):
    """([(stamp, words of the start line, body)], offset behind the last). Stops behind a 101."""
    out, at, data = [], 0, stream.data
    while len(out) < limit and (end := data.find(b"\r\n\r\n", at)) >= 0:
        lines = data[at:end].decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
        words, at = lines[0].split(), end + 4
        status = int(words[1]) if answers else 0
        if 100 <= status < 200 and status != 101:
            continue
        bodiless = not answers or status in (101, 204, 304)
        size = headers.get("content-length", "0" if bodiless else None)
        if size is None or "transfer-encoding" in headers:
            bad(f"an HTTP message whose length this judge cannot read: {lines[0]}")
            break
        at += int(size)
        if at > len(data):
            break  # the connection was cut inside it
        out.append((stream.stamp(at), words, bytes(data[at - int(size) : at])))
        if status == 101:
            break
    return out, at


def websocket_messages(stream, at, bad):
    """(stamp, payload) of each whole text or binary message."""
    data, parts = stream.data, b""
    while at + 2 <= len(data):
        first, masked, size = data[at], data[at + 1] >> 7, data[at + 1] & 0x7F
        wide = {126: 2, 127: 8}.get(size, 0)
        size = int.from_bytes(data[at + 2 : at + 2 + wide], "big") if wide else size
        start = at + 2 + wide + 4 * masked
        if start + size > len(data):
            break  # cut
        if first & 0x70:
            bad(f"a WebSocket frame with the extension bits {first:#04x}, which nobody agreed on")
            break
        payload, at = bytes(data[start : start + size]), start + size
        if masked:
            payload = bytes(x ^ data[start - 4 + i % 4] for i, x in enumerate(payload))
        if first & 0x0F >= 8:
            continue  # ping, pong and close may stand between fragments
        parts = parts + payload if first & 0x0F == 0 else payload
        if first & 0x80:
            yield stream.stamp(at), parts
