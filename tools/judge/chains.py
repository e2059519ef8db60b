"""Replaced orders, for judge.py: what a PATCH asks for, and what a chain of orders may have traded.

A successor's quantity is the chain's total, its filled_qty counts its own executions alone. Of an
order and its successors exactly one may trade at a time: an order is `replaced` if and only if one
successor of it lived; the venue's `rejected` says that one never did.
Where a successor's filled_qty goes on counting from its predecessor's (--carried), what it traded
itself is the difference.
"""
from decimal import Decimal


def successor(books, old_id, body, bad):
    """The order a PATCH asks for, in the form of a POST body; notes which one it replaces."""
    old = next((name for name, order in books.orders.items() if order["id"] == old_id), None)
    if old is None:
        bad(f"order {body['client_order_id']}: replaces {old_id}, which nobody told of")
        return body
    books.replaced[body["client_order_id"]] = old
    kept = ("symbol", "side", "type", "time_in_force", "qty", "limit_price")
    return {key: books.orders[old].get(key) for key in kept} | body


def traded_before(books, name, sums):
    total = Decimal(0)
    while (name := books.replaced.get(name)) is not None:
        total += sums[name]
    return total


def own(books, name, told):
    """What of a quantity told as filled are the order's own executions; 0 before it took over."""
    before = traded_before(books, name, books.filled) if books.carried else Decimal(0)
    return max(told - before, Decimal(0))


def is_whole(books, name, sums):
    """Has the order traded all that its predecessors left of it?"""
    total = sums[name] + traded_before(books, name, sums)
    return sums[name] > 0 and total == Decimal(books.orders[name]["qty"])


def check(books, sums, bad):
    lived = {}
    for name, old in books.replaced.items():
        order = books.orders.get(name)
        if order is None:
            continue  # refused: the venue never had it
        total, told = sums[name] + traded_before(books, name, sums), order.get("replaces")
        if sums[name] > 0 and total > Decimal(order["qty"]):
            bad(f"order {name}: its chain traded {total}, {order['qty']} was asked for")
        if told is not None and told != books.orders[old]["id"]:
            bad(f"order {name}: the venue says it replaces {told}, we asked for {old}")
        if order["status"] != "rejected":
            lived.setdefault(old, []).append(name)
    for name, order in books.orders.items():
        heirs = len(lived.get(name, ()))
        if heirs != (1 if order["status"] == "replaced" else 0):
            bad(f"order {name}: {order['status']}, and {heirs} successors lived")
