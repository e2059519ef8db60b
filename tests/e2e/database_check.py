"""Holds a run's database against its journal, by means of its own.

The rows are derived here from `sluice-journal cat --json` and Python's integers, not by the code that wrote them. The tool's own
`compare` (which folds by that code, and so proves that each record was applied exactly once) and the gateway's realised P&L are
asked as well.
"""

import decimal
import json
import sqlite3

from harness import run

UNIT = decimal.Decimal(10) ** 9
decimal.getcontext().prec = 60
REFUSED_BY = {"refused": "gate", "not_sent": "network", "rejected": "venue", "replace_rejected": "venue"}
HOPS = ["tick", "feed_to_strategy", "decide", "strategy_to_risk", "approve", "risk_to_gateway", "gate", "gate_to_wire",
        "order_to_ack"]


def units(text):
    return int(decimal.Decimal(text) * UNIT)


def half_even(numerator, denominator):
    return int((decimal.Decimal(numerator) / denominator).to_integral_value(decimal.ROUND_HALF_EVEN))


def notional(px, qty):
    return half_even(px * qty, 10 ** 9)


class Holding:
    """A position at average cost: a fee on a buy comes off what was bought, on a sell off what was paid for it."""

    def __init__(self):
        self.held = self.cash = self.cost = 0

    @property
    def realised(self):
        return self.cash + self.cost

    def fill(self, side, px, qty, fee):
        moved, paid = (qty - fee, notional(px, qty)) if side == "buy" else (-qty, fee - notional(px, qty))
        if self.held == 0 or self.held * moved > 0:
            self.cost += paid
        elif abs(moved) < abs(self.held):
            self.cost -= half_even(self.cost * abs(moved), abs(self.held))
        elif moved:
            self.cost = half_even(paid * (abs(moved) - abs(self.held)), abs(moved))
        self.held += moved
        self.cash -= paid

    def fee(self, side, change):
        if side != "buy":
            self.cash -= change
            return
        before, self.held = self.held, self.held - change
        if self.held == 0 or self.held * before < 0:
            self.cost = 0


class Fold:
    """What the tables must say, told by the journal record by record."""

    def __init__(self, journal):
        self.orders, self.fills, self.refusals, self.events, self.holdings = {}, {}, [], [], {}
        self.quotes, self.ticks = {}, {}
        done = run("sluice-journal", "cat", journal, "--json", "--type", "intent,order,verdict,execution,market")
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            tap = json.loads(line)
            getattr(self, tap["type"])(tap["position"], tap["body"])

    def market(self, _, body):
        for event in body["events"]:
            if event["kind"] == "quote":
                quote = {key: units(event[key]) for key in ("bid_px", "bid_qty", "ask_px", "ask_qty")}
                if all(value > 0 for value in quote.values()):
                    self.quotes[event["instrument"]] = quote

    def state(self, intent, word, final=False):
        """A word of the strategy or of risk gives way to the gateway's, and only the gateway's to a later one."""
        known = self.orders.get(intent)
        if known is None or final or (not known[1] and ("created", "pending", "failed").index(word) >
                                      ("created", "pending", "failed").index(known[0])):
            self.orders[intent] = (word, final)

    def intent(self, _, body):
        self.state(body["intent"], "created")
        self.ticks[body["intent"]] = "cause_receive_ns" in body

    def order(self, position, body):
        self.intent(position, body)
        self.state(body["intent"], "pending")

    def verdict(self, position, body):
        refused = body["decision"] == "refused"
        self.state(body["intent"], "failed" if refused else "pending")
        if refused:
            self.refusals.append((position, "risk", body["reason"]))

    def execution(self, position, body):
        kind = body["kind"]
        if kind == "session":
            return
        self.events.append((position, body["id"], kind))
        self.state(body["intent"], body["state"], final=True)
        if kind in REFUSED_BY:
            self.refusals.append((position, REFUSED_BY[kind], body.get("reason", "none")))
        key = (int(body["intent"].split("-")[1]), body["instrument"])
        fee = units(body.get("fee", "0"))
        if kind == "fill":
            fill = {"position": position, "order": body["intent"], "side": body["side"], "instrument": body["instrument"],
                    "px": units(body["px"]), "qty": units(body["qty"]), "fee": fee, "fee_status": body.get("fee_status", "none")}
            self.fills[body["execution_id"]] = fill
            self.holdings.setdefault(key, Holding()).fill(fill["side"], fill["px"], fill["qty"], fee)
        elif kind == "fee":
            fill = self.fills[body["execution_id"]]
            fill["fee"] += fee
            fill["fee_status"] = body["fee_status"]
            self.holdings[key].fee(body["side"], fee)

    def order_rows(self):
        """(id, state, filled, executions): filled is the sum of the order's own fills."""
        of = {intent: [0, 0] for intent in self.orders}
        for fill in self.fills.values():
            of[fill["order"]][0] += fill["qty"]
            of[fill["order"]][1] += 1
        return sorted((intent, state, *of[intent]) for intent, (state, _) in self.orders.items())

    def valued(self, key):
        """(position, realised, mark, unrealised) at the journal's end: what closing at the last quote would bring."""
        holding, quote = self.holdings[key], self.quotes.get(key[1])
        if holding.held == 0 or quote is None:
            return holding.held, holding.realised, None, 0 if holding.held == 0 else None
        mark = quote["bid_px"] if holding.held > 0 else quote["ask_px"]
        return holding.held, holding.realised, mark, notional(mark, holding.held) - holding.cost


def check_trace(case, journal, fold):
    """The last fill of an order that a tick caused leads back to it; an order of a timer's names none."""
    ticked = [id for id, fill in fold.fills.items() if fold.ticks.get(fill["order"])]
    case.assertTrue(ticked, "no fill of an order that a tick caused")
    traced = run("sluice-journal", "trace", journal, "--execution", ticked[-1], "--json")
    case.assertEqual(0, traced.returncode, traced.stdout + traced.stderr)
    trace = json.loads(traced.stdout)
    hops = [hop["hop"] for hop in trace["hops"]]
    case.assertEqual(HOPS, hops[:len(HOPS)])
    case.assertEqual("fill", hops[-1])
    case.assertTrue(trace["complete"] and trace["tick"], trace)
    for order in [order for order, tick in fold.ticks.items() if not tick][-1:]:
        traced = run("sluice-journal", "trace", journal, "--order", order, "--json")
        case.assertEqual(0, traced.returncode, traced.stdout + traced.stderr)
        trace = json.loads(traced.stdout)
        case.assertIsNone(trace["tick"])
        case.assertIn("no market event caused it", trace["no_tick"])
        case.assertEqual({None}, {hop["since_tick_ns"] for hop in trace["hops"]})


def check(case, folder, report):
    """`folder` is a finished run's; fails the test at the first difference."""
    journal = folder / "journal"
    compared = run("sluice-journal", "compare", journal, "--complete")
    case.assertEqual(0, compared.returncode, compared.stdout + compared.stderr)
    fold = Fold(journal)
    check_trace(case, journal, fold)
    database = sqlite3.connect(f"file:{folder / 'sluice.db'}?mode=ro", uri=True)
    try:
        def rows(sql):
            return database.execute(sql).fetchall()

        case.assertEqual(fold.order_rows(), sorted(rows("SELECT id, state, filled, executions FROM orders")))
        case.assertEqual(sorted((f["position"], id, f["order"], f["side"], f["instrument"], f["px"], f["qty"],
                                 notional(f["px"], f["qty"]), f["fee"], f["fee_status"]) for id, f in fold.fills.items()),
                         rows("SELECT position, execution_id, order_id, side, instrument, px, qty, notional, fee, fee_status "
                              "FROM executions ORDER BY position"))
        case.assertEqual(fold.refusals, rows("SELECT position, refused_by, reason FROM refusals ORDER BY position"))
        case.assertEqual(fold.events, rows("SELECT position, n || '.' || sub, kind FROM order_events ORDER BY position"))
        case.assertEqual(sorted(order for order, tick in fold.ticks.items() if tick),
                         sorted(id for id, in rows("SELECT id FROM orders WHERE cause_receive_ns IS NOT NULL")))
        case.assertEqual({key: (h.held, h.cash, h.cost, h.realised) for key, h in fold.holdings.items()},
                         {(s, i): (p, cash, cost, r) for s, i, p, cash, cost, r in
                          rows("SELECT strategy, instrument, position, cash_flow, cost, realised FROM positions")})
        case.assertEqual(units(report["pnl"]["realised"]), rows("SELECT sum(realised) FROM positions")[0][0])
        # The last bucket of each position is the journal's end.
        case.assertEqual({key: fold.valued(key) for key in fold.holdings},
                         {(s, i): (p, r, m, u) for s, i, p, r, m, u in rows(
                             "SELECT strategy, instrument, position, realised, mark_px, unrealised FROM pnl AS p "
                             "WHERE bucket_ns = (SELECT max(bucket_ns) FROM pnl AS q WHERE q.strategy = p.strategy AND "
                             "q.instrument = p.instrument)")})
        case.assertEqual([], rows("SELECT * FROM anomalies"))
    finally:
        database.close()
