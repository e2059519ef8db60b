"""A small trading world on paper: a session and the capture of a run that is right in everything.

The tests change one thing in it and look at what the judge says. Nothing here is shared with the
judge: the capture and the session are written from their format descriptions alone.

The session runs from S0 and is played at six times its speed from wire time W0. Prices are BTC/USD.

  t ms   what                                  what our side does
     0   quote 100.00 x 2 / 100.01 x 0.5
    10   depth: asks 100.02 x 3, bids 99.98 x 1
    20   trade 1: 100.01 x 0.1, buyer
    50                                         A: buy 0.7 ioc at 100.02 takes 0.5 and 0.2
    80                                         B: buy 0.4 gtc at 100.00 begins to rest
   100   trade 2: 100.00 x 0.3, seller         B: 0.3 filled, resting
   150                                         B: canceled
   200   quote 100.00 x 2 / 100.01 x 0.6
   250                                         C: sell 0.25 ioc at 99.90 takes 0.25 at 100.00
   300   trade 3: 100.01 x 0.1, buyer
   400   quote 99.99 x 2 / 100.00 x 0.4

Beside it a stock, IBM, whose prints have no side:

     0   quote 180.00 x 300 / 180.02 x 200
    30   print 1: 180.01 x 100
   100   print 2: 180.00 x 200
   120   print 3: 179.99 x 500, exempt from the quotes
   150   halt, no quotes
   200   quote 180.00 x 100 / 180.02 x 100, and at 210 trading again
   250   quote 180.00 x 100 / nobody
   270   quote 180.05 x 100 / 180.01 x 100: crossed
   290   quote 180.00 x 300 / 180.02 x 400
   310   print 4: 180.10 x 1000, the opening auction's
   315   print 5: 180.15 x 700, another exchange's, exempt from the quotes
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from datetime import datetime, timezone
from decimal import ROUND_HALF_EVEN, Decimal

S0 = 1_723_161_254_000_000_000
W0 = 1_790_000_000_000_000_000
SPEED = 6
BTC, IBM, BUYER, SELLER, BID, ASK, QUOTE, TRADE, DEPTH, STATUS = 0, 1, 1, 2, 1, 2, 1, 2, 3, 4
OPENING, EXEMPT = 8, 32
JUDGE = pathlib.Path(__file__).resolve().parents[2] / "tools/judge/judge.py"


def fixed(text):
    return int(Decimal(text) * 10**9)


def wire_ns(ms):
    """Wire time of a session time in milliseconds."""
    return W0 + round(ms * 1_000_000 / SPEED)


def rfc3339(ns):
    whole = datetime.fromtimestamp(ns // 10**9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ns % 10**9:09d}".rstrip("0").rstrip(".") + "Z"


def fee(received, bps):
    exact = Decimal(received) * bps / 10000
    return exact.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)


def record(ms, kind, side, number, *values, symbol=BTC, conditions=0):
    at = S0 + ms * 1_000_000
    values = [v if isinstance(v, int) else fixed(v) for v in values] + [0] * (4 - len(values))
    exchange = 0 if symbol == BTC or kind == STATUS else ord("N")
    return struct.pack("<qqHBBBBBxqqqqQ", at, at, symbol, kind, side, 1, exchange, conditions,
                       *values, number)


def stock(ms, kind, number, *values, conditions=0):
    return record(ms, kind, 0, number, *values, symbol=IBM, conditions=conditions)


def session_records(trade_2_taker=SELLER):
    records = [
        record(0, QUOTE, 0, 1, "100.00", "2", "100.01", "0.5"),
        record(10, DEPTH, ASK, 2, "100.02", "3"),
        record(10, DEPTH, BID, 2, "99.98", "1"),
        record(20, TRADE, BUYER, 1, "100.01", "0.1"),
        record(100, TRADE, trade_2_taker, 2, "100.00", "0.3"),
        record(200, QUOTE, 0, 3, "100.00", "2", "100.01", "0.6"),
        record(300, TRADE, BUYER, 3, "100.01", "0.1"),
        record(400, QUOTE, 0, 4, "99.99", "2", "100.00", "0.4"),
        stock(0, QUOTE, 1, "180.00", "300", "180.02", "200"),
        stock(30, TRADE, 1, "180.01", "100"),
        stock(100, TRADE, 2, "180.00", "200"),
        stock(120, TRADE, 3, "179.99", "500", conditions=EXEMPT),
        stock(150, STATUS, 2, 1),
        stock(150, QUOTE, 3, 0, 0, 0, 0),
        stock(200, STATUS, 4, 3),
        stock(200, QUOTE, 5, "180.00", "100", "180.02", "100"),
        stock(210, STATUS, 6, 4),
        stock(250, QUOTE, 7, "180.00", "100", 0, 0),
        stock(270, QUOTE, 8, "180.05", "100", "180.01", "100"),
        stock(290, QUOTE, 9, "180.00", "300", "180.02", "400"),
        stock(310, TRADE, 4, "180.10", "1000", conditions=OPENING),
        stock(315, TRADE, 5, "180.15", "700", conditions=OPENING | EXEMPT),
    ]
    return sorted(records, key=lambda packed: struct.unpack_from("<q", packed))


def write_session(path, records):
    body = zlib.compress(b"".join(records))
    numbers = (2, 64, len(records), S0, S0, 0, 2, len(body), 0, 0)
    header = struct.pack("<8sIIQqqIIQII", b"SLUSESS1", *numbers)
    increments = [fixed(text) for text in ("0.01", "0.00001", "0.0001")]
    pair = struct.pack("<24sqqqqB", b"BTC/USD", *increments, 0, 1)
    shares = struct.pack("<24sqqqqBc", b"IBM", fixed("0.01"), fixed("1"), fixed("1"), 0, 2, b"A")
    with open(path, "wb") as file:
        file.write(header.ljust(4096, b"\0") + pair.ljust(64, b"\0") + shares.ljust(64, b"\0"))
        file.write(body)


class JudgeCase(unittest.TestCase):
    """Runs the judge over a world, in a folder of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-judge-test-")
        self.session = str(pathlib.Path(self.folder.name) / "x.session")
        self.capture = str(pathlib.Path(self.folder.name) / "wire.cap")

    def tearDown(self):
        self.folder.cleanup()

    def run_judge(self, *arguments):
        command = [sys.executable, "-B", str(JUDGE), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def judge(self, world, cut=0, *options):
        """The judge's object. Its exit code must say whether there are violations."""
        write_session(self.session, world.records)
        world.capture.write(self.capture, cut)
        done = self.run_judge("--capture", self.capture, "--session", self.session, *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["violations"] else 0)
        return result

    def assert_only(self, world, *parts, cut=0):
        """There are violations, and each has one of `parts` in it; every part is found."""
        violations = self.judge(world, cut)["violations"]
        for part in parts:
            self.assertTrue(any(part in v for v in violations), f"{part!r} is not in {violations}")
        for violation in violations:
            self.assertTrue(any(p in violation for p in parts), violation)


class Capture:
    """Writes records; each connection's bytes may be cut into any chunks."""

    CLIENT, SERVER = 0, 1

    def __init__(self):
        self.records = []

    def data(self, at, connection, direction, payload, chunk=1 << 20):
        for i in range(0, len(payload), chunk):
            self.event(at, connection, direction, 2, payload[i : i + chunk])

    def event(self, at, connection, direction, event, payload=b""):
        numbers = (0x52434C53, len(payload), at, connection, 0, direction, event, 0)
        self.records.append(struct.pack("<IIqIBBBB", *numbers) + payload)

    def write(self, path, cut=0):
        raw = b"SLUCAPT1" + struct.pack("<II", 1, 24) + b"".join(self.records)
        with open(path, "wb") as file:
            file.write(raw[: len(raw) - cut])

    def request(self, at, connection, method, target, body=None):
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(payload)}\r\n\r\n"
        self.data(at, connection, self.CLIENT, head.encode() + payload, chunk=7)

    def answer(self, at, connection, status, body=None):
        payload = b"" if body is None else json.dumps(body).encode()
        length = "" if status == 204 else f"Content-Length: {len(payload)}\r\n"
        interim = b"HTTP/1.1 100 Continue\r\n\r\n" if status == 200 else b""
        head = f"HTTP/1.1 {status} X\r\n{length}Connection: keep-alive\r\n\r\n"
        self.data(at, connection, self.SERVER, interim + head.encode() + payload, chunk=11)

    def upgrade(self, at, connection, target):
        head = f"GET {target} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        self.data(at, connection, self.CLIENT, head.encode())
        answer = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n"
        self.data(at, connection, self.SERVER, answer)
        self.frame(at, connection, {"action": "listen"}, masked=True)

    def frame(self, at, connection, message, opcode=1, masked=False, fragments=1):
        payload = json.dumps(message, separators=(",", ":")).encode()
        step, out = -(-len(payload) // fragments), b""
        for i in range(fragments):
            part, last = payload[i * step : (i + 1) * step], i + 1 == fragments
            first = (0x80 if last else 0) | (opcode if i == 0 else 0)
            size = bytes([len(part)]) if len(part) < 126 else b"\x7e" + struct.pack(">H", len(part))
            if masked:
                key = b"\x11\x22\x33\x44"
                part = key + bytes(b ^ key[n % 4] for n, b in enumerate(part))
                size = bytes([size[0] | 0x80]) + size[1:]
            out += bytes([first]) + size + part
            if not last:
                out += b"\x89\x02hi"  # a ping between the fragments
        self.data(at, connection, self.CLIENT if masked else self.SERVER, out, chunk=13)


class Order:
    def __init__(self, name, side, qty, limit, tif, symbol="BTC/USD", kind="limit"):
        self.name, self.side, self.qty, self.limit, self.tif = name, side, qty, limit, tif
        self.symbol, self.kind = symbol, kind
        self.id = f"0000000{ord(name)}-0000-4000-8000-000000000000"
        self.filled, self.status = Decimal(0), "pending_new"

    def body(self):
        return {"symbol": self.symbol, "qty": self.qty, "side": self.side, "type": self.kind,
                "time_in_force": self.tif, "limit_price": self.limit,
                "client_order_id": self.name}

    def told(self):
        return {**self.body(), "id": self.id, "filled_qty": str(self.filled), "status": self.status}


class World:
    REST, STREAM, MARKET = 1, 2, 3

    def __init__(self):
        self.capture, self.records = Capture(), session_records()
        self.activities, self.cash = [], Decimal(100_000)

    def market_trade(self, ms, number, px, size, symbol="BTC/USD"):
        trade = {"T": "t", "S": symbol, "p": px, "s": size, "i": number}
        trade["t"] = rfc3339(wire_ns(ms))
        self.capture.frame(wire_ns(ms), self.MARKET, [trade])

    def ask(self, ms, method, target, answer, body=None, status=200):
        self.capture.request(wire_ns(ms), self.REST, method, target, body)
        self.capture.answer(wire_ns(ms) + 1000, self.REST, status, answer)

    def update(self, ms, event, order, **more):
        data = {"event": event, "timestamp": rfc3339(wire_ns(ms)), "order": order.told()}
        data = {"execution_id": "e-" + event, **data, **more}
        message = {"stream": "trade_updates", "data": data}
        self.capture.frame(wire_ns(ms) + 500, self.STREAM, message, opcode=2, fragments=3)

    def fill(self, ms, order, key, px, qty, maker=False, streamed=True):
        """One execution: on the stream, as FILL and CFEE activities, and in this world's cash. A
        stock's has no fee."""
        order.filled += Decimal(qty)
        done = order.filled == Decimal(order.qty)
        if order.status != "canceled":
            order.status = "filled" if done else "partially_filled"
        buy, value = order.side == "buy", Decimal(px) * Decimal(qty)
        pair = "/" in order.symbol
        charge = fee(qty if buy else value, 15 if maker else 25) if pair else Decimal(0)
        self.cash += -value if buy else value - charge
        told = {"price": px, "qty": qty}
        if streamed:
            self.update(ms, "fill" if done else "partial_fill", order, execution_id=key, **told)
        self.activities.append({
            "activity_type": "FILL", "id": f"20240808195414000::{key}", **told,
            "order_id": order.id, "cum_qty": str(order.filled), "side": order.side,
            "symbol": order.symbol,
            "transaction_time": rfc3339(wire_ns(ms))})
        if not pair:
            return
        self.activities.append({
            "activity_type": "CFEE", "id": f"20240808195414001::{key}", "symbol": "BTCUSD",
            "price": px, ("qty" if buy else "net_amount"): f"{-charge:f}"})

    def begin(self):
        """Account, positions, upgrades, and the first market data."""
        self.ask(-60, "GET", "/v2/account", {"cash": "100000", "currency": "USD"})
        self.ask(-50, "GET", "/v2/positions", [])
        self.capture.upgrade(wire_ns(-40), self.STREAM, "/stream")
        self.capture.upgrade(wire_ns(-40), self.MARKET, "/v1beta3/crypto/us")
        self.market_trade(20, 1, 100.01, 0.1)

    def send(self, ms, order):
        order.status = "pending_new"
        self.ask(ms - 12, "POST", "/v2/orders", order.told(), order.body())
        order.status = "new"
        self.update(ms, "new", order)

    def cancel(self, ms, order):
        order.status = "canceled"
        self.update(ms, "canceled", order)

    def end(self):
        self.market_trade(300, 3, 100.01, 0.1)
        self.ask(500, "GET", "/v2/account/activities?page_size=100", self.activities)
        self.ask(510, "GET", "/v2/account", {"cash": str(self.cash), "currency": "USD"})

    def standard_run(self):
        """The run of the table above."""
        a = Order("A", "buy", "0.7", "100.02", "ioc")
        b = Order("B", "buy", "0.4", "100.00", "gtc")
        c = Order("C", "sell", "0.25", "99.90", "ioc")
        self.begin()
        self.send(50, a)
        self.fill(50, a, "x1", "100.01", "0.5")
        self.fill(50, a, "x2", "100.02", "0.2")
        self.send(80, b)
        self.market_trade(100, 2, 100, 0.3)
        self.fill(100, b, "x3", "100.00", "0.3", maker=True)
        self.ask(140, "DELETE", f"/v2/orders/{b.id}", None, status=204)
        self.cancel(150, b)
        self.send(250, c)
        self.fill(250, c, "x4", "100.00", "0.25")
        self.end()
        return self
