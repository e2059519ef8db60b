"""Holds a run's database against its journal, by means of its own.

The rows are derived here from `sluice-journal cat --json` and Python's integers, not by the code that wrote them; the tool's
own `compare` and the gateway's realised P&L are asked as well.
"""

import decimal
import json
import sqlite3

from harness import run

UNIT = decimal.Decimal(10) ** 9
decimal.getcontext().prec = 60


def units(text):
    return int(decimal.Decimal(text) * UNIT)


def notional(px, qty):
    """px * qty at 1e-9, rounded half to even."""
    return int((decimal.Decimal(px) * qty / UNIT).to_integral_value(decimal.ROUND_HALF_EVEN))


def taps(journal):
    done = run("sluice-journal", "cat", journal, "--json", "--type", "intent,order,verdict,execution")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def fold(journal):
    """What the tables must say: orders, fills with their fees, refusals, positions."""
    orders, fills, refusals, events = set(), {}, [], []
    for tap in taps(journal):
        body, kind = tap["body"], tap["body"].get("kind")
        if tap["type"] in ("intent", "order"):
            orders.add(body["intent"])
        elif tap["type"] == "verdict":
            orders.add(body["intent"])
            if body["decision"] == "refused":
                refusals.append((tap["position"], "risk", body["reason"]))
        elif kind != "session":
            events.append((tap["position"], body["id"], kind))
            orders.add(body["intent"])
            if kind in ("refused", "rejected"):
                refusals.append((tap["position"], "gate" if kind == "refused" else "venue", body["reason"]))
            elif kind == "fill":
                fills[body["execution_id"]] = {"position": tap["position"], "order": body["intent"], "side": body["side"],
                                               "instrument": body["instrument"], "px": units(body["px"]),
                                               "qty": units(body["qty"]), "fee": units(body.get("fee", "0"))}
            elif kind == "fee":
                fills[body["execution_id"]]["fee"] += units(body.get("fee", "0"))
    positions = {}
    for f in fills.values():
        key = (int(f["order"].split("-")[1]), f["instrument"])
        held, cash = positions.get(key, (0, 0))
        value = notional(f["px"], f["qty"])
        positions[key] = ((held + f["qty"] - f["fee"], cash - value) if f["side"] == "buy" else
                          (held - f["qty"], cash + value - f["fee"]))
    return orders, fills, refusals, events, positions


def check(case, folder, report):
    """`folder` is a finished run's; fails the test at the first difference."""
    journal = folder / "journal"
    compared = run("sluice-journal", "compare", journal, "--complete")
    case.assertEqual(0, compared.returncode, compared.stdout + compared.stderr)
    traced = run("sluice-journal", "trace", journal, "--last", "--json")
    case.assertEqual(0, traced.returncode, traced.stdout + traced.stderr)
    hops = [hop["hop"] for hop in json.loads(traced.stdout)["hops"]]
    case.assertEqual(["tick", "feed_to_strategy", "decide", "strategy_to_risk", "approve", "risk_to_gateway", "gate",
                      "gate_to_wire", "order_to_ack"], hops[:9])
    case.assertEqual("fill", hops[-1])

    orders, fills, refusals, events, positions = fold(journal)
    database = sqlite3.connect(f"file:{folder / 'sluice.db'}?mode=ro", uri=True)
    try:
        rows = database.execute
        case.assertEqual(sorted(orders), [r[0] for r in rows("SELECT id FROM orders ORDER BY id")])
        case.assertEqual(sorted((f["position"], id, f["order"], f["side"], f["instrument"], f["px"], f["qty"],
                                 notional(f["px"], f["qty"]), f["fee"]) for id, f in fills.items()),
                         rows("SELECT position, execution_id, order_id, side, instrument, px, qty, notional, fee "
                              "FROM executions ORDER BY position").fetchall())
        case.assertEqual(refusals, rows("SELECT position, refused_by, reason FROM refusals ORDER BY position").fetchall())
        case.assertEqual(events, rows("SELECT position, n || '.' || sub, kind FROM order_events "
                                      "ORDER BY position").fetchall())
        case.assertEqual(positions, {(s, i): (p, c) for s, i, p, c in
                                     rows("SELECT strategy, instrument, position, cash_flow FROM positions")})
        realised = rows("SELECT sum(realised) FROM positions").fetchone()[0]
        case.assertEqual(units(report["pnl"]["realised"]), realised)
        case.assertEqual([], rows("SELECT * FROM anomalies").fetchall())
        # The last rows of the P&L over time are the positions.
        case.assertEqual(rows("SELECT strategy, instrument, position, realised FROM positions ORDER BY 1, 2").fetchall(),
                         rows("SELECT strategy, instrument, position, realised FROM pnl AS p WHERE bucket_ns = "
                              "(SELECT max(bucket_ns) FROM pnl AS q WHERE q.strategy = p.strategy AND "
                              "q.instrument = p.instrument) ORDER BY 1, 2").fetchall())
    finally:
        database.close()
