#!/usr/bin/env python3
"""The judge on replaced orders: follows a chain through PATCH, and names what cannot be one.

Method as in judge_test.py. P buys 0.5 at 100.00 and is replaced by S (total `TOTAL` at 100.02, ioc in
effect because it crosses) after an execution of 0.3 of its own.
"""
import unittest

from world import JudgeCase, Order, World

TOTAL = "0.7"


class Replace(World):
    """P rests at 100.00; trade 2 fills 0.3 of it; S takes its place and buys the rest at 100.01."""

    def __init__(self):
        super().__init__()
        self.p = Order("P", "buy", "0.5", "100.00", "gtc")
        self.s = Order("S", "buy", TOTAL, "100.02", "gtc")

    def patch(self, ms, answer=None, **changed):
        body = {"qty": self.s.qty, "limit_price": self.s.limit, "client_order_id": "S"} | changed
        told = {**self.s.told(), "replaces": self.p.id, "status": "accepted"} if answer is None else answer
        self.ask(ms, "PATCH", f"/v2/orders/{self.p.id}", told, body)

    def start(self):
        self.begin()
        self.send(80, self.p)
        self.market_trade(100, 2, 100, 0.3)
        self.fill(100, self.p, "x1", "100.00", "0.3", maker=True)
        return self

    def replaced(self, ms):
        self.p.status = "replaced"
        self.update(ms, "replaced", self.p)
        self.s.status = "new"
        self.update(ms, "new", self.s)

    def trade(self, qty="0.4", status="filled"):
        """S's execution; its filled_qty counts from zero."""
        self.fill(210, self.s, "x2", "100.01", qty, streamed=False)
        self.s.status = status
        event = "fill" if status == "filled" else "partial_fill"
        self.update(210, event, self.s, execution_id="x2", price="100.01", qty=qty)
        return self

    def cancelled(self, ms, order):
        self.cancel(ms, order)
        return self


class ReplaceTest(JudgeCase):
    def chain(self):
        world = Replace().start()
        world.patch(190)
        world.replaced(210)
        return world

    def test_chain_that_is_right_has_no_violation(self):
        world = self.chain().trade()
        world.end()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual({n: (o["status"], o["qty"], o["filled_qty"]) for n, o in result["orders"].items()},
                         {"P": ("replaced", "0.5", "0.3"), "S": ("filled", "0.7", "0.4")})

    def test_rejected_successor_and_an_old_order_that_lives_on(self):
        world = Replace().start()
        world.patch(190)
        world.s.status = "rejected"
        world.update(195, "order_replace_rejected", world.s)
        world.cancelled(220, world.p)
        world.end()
        self.assertEqual(self.judge(world)["violations"], [])

    def test_refused_patch_leaves_no_order(self):
        world = Replace().start()
        world.ask(190, "PATCH", f"/v2/orders/{world.p.id}", {"code": 42210000, "message": "no"},
                  {"qty": TOTAL, "limit_price": "100.02", "client_order_id": "S"}, status=422)
        world.cancelled(220, world.p)
        world.end()
        self.assertEqual(self.judge(world)["violations"], [])

    def test_successor_that_goes_on_counting_is_right_only_where_the_venue_counts_so(self):
        world = Replace().start()
        world.patch(190)
        world.s.filled = world.p.filled
        world.replaced(210)
        world.trade()
        world.end()
        result = self.judge(world, 0, "--carried")
        self.assertEqual(result["violations"], [])
        self.assertEqual({n: o["filled_qty"] for n, o in result["orders"].items()}, {"P": "0.3", "S": "0.4"})
        self.assertNotEqual(self.judge(world)["violations"], [])

    def test_carried_quantity_that_is_not_the_predecessors_is_named(self):
        world = Replace().start()
        world.patch(190)
        world.s.filled = world.p.filled + 1
        world.replaced(210)
        world.trade()
        world.end()
        self.assertNotEqual(self.judge(world, 0, "--carried")["violations"], [])

    def test_more_than_the_total_is_named(self):
        world = self.chain().trade("0.5")
        world.end()
        self.assert_only(world, "its chain traded 0.8", "order S: filled")

    def test_end_before_the_total_is_no_filled(self):
        world = self.chain().trade("0.3")
        world.end()
        self.assert_only(world, "order S: filled, 0.3 filled")

    def test_successor_other_than_asked_for_is_named(self):
        world = Replace().start()
        world.patch(190, limit_price="100.01")
        world.replaced(210)
        world.trade()
        world.end()
        self.assert_only(world, "order S: ")

    def test_replaced_without_a_successor_is_named(self):
        world = Replace().start()
        world.p.status = "replaced"
        world.update(210, "replaced", world.p)
        world.end()
        self.assert_only(world, "order P: replaced, and 0 successors lived")

    def test_two_orders_of_a_chain_that_both_live_are_named(self):
        world = Replace().start()
        world.patch(190)
        world.s.status = "new"
        world.update(210, "new", world.s)
        world.trade()
        world.cancelled(220, world.p)
        world.end()
        self.assert_only(world, "order P: canceled, and 1 successors lived")

    def test_successor_of_another_order_than_asked_for_is_named(self):
        world = Replace().start()
        world.patch(190, answer={**world.s.told(), "replaces": "somebody", "status": "accepted"})
        world.replaced(210)
        world.trade()
        world.end()
        self.assert_only(world, "the venue says it replaces somebody")

    def test_replace_of_an_order_nobody_told_of_is_named(self):
        world = Replace()
        world.begin()
        world.ask(190, "PATCH", "/v2/orders/nobody", {"code": 40410000, "message": "no"},
                  {"qty": TOTAL, "limit_price": "100.02", "client_order_id": "S"}, status=404)
        world.end()
        self.assert_only(world, "replaces nobody, which nobody told of")


if __name__ == "__main__":
    unittest.main()
