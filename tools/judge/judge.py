#!/usr/bin/env python3
"""The third judge: recomputes orders, executions, fees, cash and positions from wire bytes alone.

It reads the relay's captures (tools/relay/capture.hpp) and the session, shares no code with either
side, parses the bytes itself (capture.py), counts with `decimal`. Orders
come from POST and PATCH bodies, answers and trade_updates; executions from trade_updates and FILL
activities, fees from CFEE activities and the rules: each pair must agree. fills.py checks fills,
chains.py replaced orders. Prints the canonical JSON object with `violations`. Exit codes: 0 none,
1 some, 64 usage, 70 bug, 73 no file.
"""
import argparse, functools, json, re, sys, traceback
from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

import capture
import chains
import fills

getcontext().prec = 60
TERMINAL = ("filled", "canceled", "expired", "rejected", "replaced")
violations = []
bad = violations.append
parse = functools.partial(json.loads, parse_float=Decimal)


def round9(value):
    return value.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)


def text_of(value):
    return f"{value.normalize():f}" if value else "0"


def ns_of(text):
    """RFC 3339 with 0 to 9 digits of fraction as nanoseconds since 1970."""
    part = re.fullmatch(r"([\d-]{10}T[\d:]{8})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text)
    moment = datetime.fromisoformat(part[1] + part[3].replace("Z", "+00:00"))
    return int(moment.timestamp()) * 10**9 + int((part[2] or "").ljust(9, "0"))


def wire_events(connections):
    """(stamp, method of Books, arguments) for all that matters, in the order of capture."""
    out = []
    for number, (client, server) in enumerate(connections):
        answers, behind = capture.http_messages(server, True, sys.maxsize, bad)
        upgraded = bool(answers) and answers[-1][1][1] == "101"
        most = len(answers) if upgraded else sys.maxsize
        requests, _ = capture.http_messages(client, False, most, bad)
        if len(answers) > len(requests):
            bad(f"connection {number}: {len(answers)} answers to {len(requests)} requests")
        for stamp, (method, target, *_), body in requests:
            if (call := {"POST": "post", "PATCH": "patch"}.get(method)) and "/v2/orders" in target:
                out.append((stamp, call, (target, parse(body))))
        for (asked, (_, target, *_), _), (stamp, (_, status, *_), body) in zip(requests, answers):
            if status in ("200", "207") and body:
                out.append((stamp, "answer", (target.split("?")[0], parse(body), asked)))
        for stamp, payload in capture.websocket_messages(server, behind, bad) if upgraded else ():
            if b"trade_updates" in payload or b'"T":"t"' in payload:
                message = parse(payload)
                if isinstance(message, list):
                    out += [(stamp, "market_trade", (m,)) for m in message if m["T"] == "t"]
                elif message["stream"] == "trade_updates":
                    out.append((stamp, "update", (message["data"], number, stamp)))
    return sorted(out, key=lambda event: event[0])


def terms(order):
    """What an order asks for; the same in the POST body and in whatever the venue tells of it."""
    numbers = (order.get("qty"), order.get("limit_price"))
    words = [order[key] for key in ("symbol", "side", "type", "time_in_force")]
    return words + [None if n is None else Decimal(str(n)) for n in numbers]


class Books:
    def __init__(self, carried=False):
        self.carried = carried  # a successor's filled_qty begins at its predecessor's
        self.posted, self.orders, self.activities, self.last_fill = {}, {}, {}, 0
        self.filled = defaultdict(Decimal)
        self.executions, self.prints, self.streamed, self.live_at = {}, [], {}, {}
        self.replaced = {}  # name of a successor: name of the order it replaces
        self.start_cash = self.last_cash = self.start_positions = None

    def post(self, _, body):
        if self.posted.setdefault(body["client_order_id"], body) is not body:
            bad(f"order {body['client_order_id']}: posted twice")

    def patch(self, target, body):
        self.post(target, chains.successor(self, target.rpartition("/")[2], body, bad))

    def market_trade(self, trade):
        self.prints.append((ns_of(trade["t"]), *(trade[key] for key in "Sips")))

    def answer(self, target, answer, asked):
        for item in answer if isinstance(answer, list) else [answer]:
            if "client_order_id" in item:
                self.see(item)
            elif "activity_type" in item and self.activities.setdefault(item["id"], item) != item:
                bad(f"activity {item['id']}: read with two contents")
        if target == "/v2/account":
            self.last_cash = (asked, Decimal(answer["cash"]))
            if self.start_cash is None and not self.last_fill:
                self.start_cash = self.last_cash[1]
        if target == "/v2/positions" and self.start_positions is None and not self.last_fill:
            self.start_positions = {p["symbol"]: Decimal(p["qty"]) for p in answer}

    def see(self, order):
        name, status = order["client_order_id"], order["status"]
        known = self.orders.setdefault(name, dict(order))
        for what, other in ("told before", known), ("sent", self.posted.get(name, order)):
            if terms(other) != terms(order) or other.get("id", order["id"]) != order["id"]:
                bad(f"order {name}: {terms(other)} {what}, now {terms(order)} {order['id']}")
        if known["status"] not in TERMINAL:
            known["status"] = status
        elif status in TERMINAL and status != known["status"]:
            bad(f"order {name}: {known['status']}, then {status}")
        filled = chains.own(self, name, Decimal(order["filled_qty"]))
        self.filled[name] = max(self.filled[name], filled)

    def update(self, data, connection, stamp):
        order, event, qty = data["order"], data["event"], 0
        name = order["client_order_id"]
        cumulative = chains.own(self, name, Decimal(order["filled_qty"]))
        before, over = self.streamed.get((connection, name), (None, None))
        self.see(order)
        if event in ("fill", "partial_fill"):
            qty, self.last_fill = Decimal(data["qty"]), stamp
            self.execute(data["execution_id"], name, data, cumulative, data["timestamp"])
            if over in TERMINAL:
                bad(f"order {name}: execution {data['execution_id']} after it was {over}")
        if before is not None and before + qty != cumulative:
            bad(f"order {name}: {event} tells {cumulative} filled after {before} and {qty}")
        self.streamed[connection, name] = (cumulative, order["status"])
        if event == "new":
            self.live_at[name] = ns_of(data["timestamp"])

    def execute(self, key, name, told, cumulative, at):
        px, qty = Decimal(told["price"]), Decimal(told["qty"])
        new = {"name": name, "px": px, "qty": qty, "sum": cumulative, "at": ns_of(at)}
        if self.executions.setdefault(key, new) != new:
            bad(f"execution {key}: told as {self.executions[key]} and as {new}")
        limit, buy = terms(self.orders[name])[-1], self.orders[name]["side"] == "buy"
        if min(px, qty) <= 0 or (limit is not None and (px > limit if buy else px < limit)):
            bad(f"execution {key}: {qty} at {px}, the limit is {limit}")

    def end_by_activity(self, name, filled):
        """Where the stream was cut an activity may be the only word of an order's end."""
        if self.orders[name]["status"] not in TERMINAL:
            self.orders[name]["status"] = "filled"
            self.filled[name] = chains.own(self, name, filled)

    def fee(self, key, execution, told):
        """(amount, asset). The rules: stocks none; pairs, of what is received, 15 bps if the order
        was resting, else 25. Notes in the execution whether it was, None where nobody can say."""
        order = self.orders[execution["name"]]
        base, pair, quote = order["symbol"].partition("/")
        buy, live = order["side"] == "buy", self.live_at.get(execution["name"])
        value = execution["value"] = round9(execution["px"] * execution["qty"])
        received, asset = (execution["qty"], base) if buy and pair else (value, quote or "USD")
        taker, maker = (round9(received * bps / 10000) if pair else Decimal(0) for bps in (25, 15))
        amount = told and -Decimal(told.get("qty" if buy else "net_amount", "0"))
        amount = Decimal(0) if amount is None and not pair else amount
        may_rest = order["type"] != "market" and order["time_in_force"] in ("gtc", "day")
        # Without its `new` event nobody can say when an order began to rest: either rate will do.
        later = execution["at"] > live if live is not None else amount == maker
        known = order["type"] in ("market", "limit") and (pair or live is not None or not may_rest)
        rested = may_rest and later if known else amount == maker
        execution["maker"] = rested if known else None
        due = maker if rested else taker
        if amount != due or (told and told["symbol"] != base + quote):
            bad(f"execution {key}: fee {amount} told, {due} {asset} by the rules")
        return (due if amount is None else amount), asset

    def settle(self):
        """The canonical result; every check that needs the whole story is made here."""
        names, fees = {order["id"]: name for name, order in self.orders.items()}, {}
        orders, executions, totals, sums = {}, {}, defaultdict(Decimal), defaultdict(Decimal)
        for key, item in self.activities.items():
            execution, kind = key.partition("::")[2], item["activity_type"]
            if kind == "FILL" and (name := names.get(item["order_id"])) is not None:
                at, filled = item["transaction_time"], Decimal(item["cum_qty"])
                self.execute(execution, name, item, chains.own(self, name, filled), at)
                if item.get("order_status") == "filled":
                    self.end_by_activity(name, filled)
            elif kind != "CFEE" or fees.setdefault(execution, item) is not item:
                bad(f"activity {key}: a second fee, an unknown kind, or of an unknown order")
        for key in fees.keys() - self.executions.keys():
            bad(f"execution {key}: a fee, but no fill")
        if self.start_cash is None:
            bad("no account answer before the first fill: the starting cash is unknown")
        cash = self.start_cash or Decimal(0)
        positions = defaultdict(Decimal, self.start_positions or {})
        for key, e in sorted(self.executions.items(), key=lambda x: (x[1]["at"], x[1]["sum"])):
            order, (fee, asset) = self.orders[e["name"]], self.fee(key, e, fees.get(key))
            buy, value = order["side"] == "buy", e["value"]
            sums[e["name"]] += e["qty"]
            if sums[e["name"]] != e["sum"]:
                bad(f"execution {key}: told to make {e['sum']}, they make {sums[e['name']]}")
            cash += -value if buy else value - fee
            positions[order["symbol"].replace("/", "")] += e["qty"] - fee if buy else -e["qty"]
            totals[asset] += fee
            numbers = {"px": text_of(e["px"]), "qty": text_of(e["qty"]), "fee": text_of(fee)}
            words = {"symbol": order["symbol"], "side": order["side"], "fee_asset": asset}
            executions[key] = {"order_id": order["id"]} | words | numbers
        for name, order in self.orders.items():
            status, filled = order["status"], self.filled[name]
            whole = chains.is_whole(self, name, sums)
            if filled != sums[name] or (status == "filled") != whole:
                bad(f"order {name}: {status}, {filled} filled, its executions make {sums[name]}")
            numbers = {"qty": text_of(Decimal(order["qty"])), "filled_qty": text_of(sums[name])}
            orders[name] = numbers | {key: order[key] for key in ("id", "symbol", "side", "status")}
        chains.check(self, sums, bad)
        last = max([self.last_fill] + [e["at"] for e in self.executions.values()])
        if self.last_cash and self.last_cash[0] > last and self.last_cash[1] != cash:
            bad(f"the account's last cash is {self.last_cash[1]}, the executions make it {cash}")
        held, paid = ({key: text_of(n) for key, n in m.items() if n} for m in (positions, totals))
        books = {"orders": orders, "executions": executions, "cash": {"USD": text_of(cash)}}
        return books | {"positions": held, "fees": paid}


def main():
    parser = argparse.ArgumentParser(description="The third judge; see the head of this file.")
    parser.error = lambda text: (print(f"judge.py: {text}", file=sys.stderr), sys.exit(64))
    parser.add_argument("--capture", action="append", required=True, help="repeat for more files")
    parser.add_argument("--session", required=True)
    parser.add_argument("--window-ms", type=int, default=1, help="of session time around a fill")
    parser.add_argument("--carried", action="store_true", help="see chains.py")
    arguments = parser.parse_args()
    try:
        books = Books(arguments.carried)
        pairs = [pair for path in arguments.capture for pair in capture.read_capture(path, bad)]
        for _, method, values in wire_events(pairs):
            getattr(books, method)(*values)
        result = books.settle()
        fills.check(arguments.session, books, arguments.window_ms * 1_000_000, bad)
    except OSError as error:
        print(f"judge.py: {error}; check --capture and --session", file=sys.stderr)
        return 73
    except Exception:  # whatever it is, the verdict must not look like one of the books
        traceback.print_exc()
        return 70
    print(json.dumps(result | {"violations": violations}, sort_keys=True))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
