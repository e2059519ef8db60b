#!/usr/bin/env python3
"""The judge on stocks: prints without a side, halts, absent and crossed quotes, auctions, no fees.

Method as in judge_test.py; the stock's session stands in world.py.
"""
import unittest
from decimal import Decimal

from world import JudgeCase, Order, World


def order(side, qty, limit, tif="day", kind="limit"):
    return Order("A", side, qty, limit, tif, symbol="IBM", kind=kind)


class StockTest(JudgeCase):
    def run_of(self, one, sent_ms, fill_ms, px, qty, maker=False):
        """A run with one fill of one order; what is left of it is cancelled."""
        world = World()
        world.begin()
        world.send(sent_ms, one)
        world.fill(fill_ms, one, "x1", px, qty, maker=maker)
        if Decimal(qty) < Decimal(one.qty):
            world.cancel(fill_ms + 1, one)
        world.end()
        return world

    def assert_right(self, world):
        self.assertEqual(self.judge(world)["violations"], [])

    def test_fill_of_a_stock_has_no_fee_and_books_in_dollars(self):
        result = self.judge(self.run_of(order("buy", "150", "180.05"), 50, 50, "180.02", "150"))
        self.assertEqual(result["violations"], [])
        execution = result["executions"]["x1"]
        self.assertEqual((execution["fee"], execution["fee_asset"]), ("0", "USD"))
        self.assertEqual(result["fees"], {})
        self.assertEqual(result["positions"], {"IBM": "150"})
        self.assertEqual(result["cash"], {"USD": "72997"})

    def test_fee_that_is_charged_for_a_stock_is_named(self):
        world = World()
        one = order("sell", "100", "180.00")
        world.begin()
        world.send(50, one)
        world.fill(50, one, "x1", "180.00", "100")
        world.activities.append({
            "activity_type": "CFEE", "id": "20240808195414001::x1", "symbol": "IBM",
            "price": "180.00", "net_amount": "-0.27"})
        world.cash -= Decimal("0.27")
        world.end()
        self.assert_only(world, "execution x1: fee 0.27 told, 0 USD by the rules")

    def test_print_without_a_side_fills_both_sides_at_its_price_up_to_its_size(self):
        self.assert_right(self.run_of(order("buy", "200", "180.00"), 80, 100, "180.00", "200", True))
        self.assert_right(self.run_of(order("sell", "100", "180.01"), 20, 30, "180.01", "100", True))
        more = self.run_of(order("buy", "201", "180.00"), 80, 100, "180.00", "201", True)
        self.assert_only(more, "no trade or size for 1000000000e-9")

    def test_one_print_fills_a_buyer_and_a_seller_only_up_to_its_size(self):
        for qty, right in (("50", True), ("51", False)):
            world = World()
            buyer = order("buy", "50", "180.01")
            seller = Order("B", "sell", qty, "180.01", "day", symbol="IBM")
            world.begin()
            for one in (buyer, seller):
                world.send(20, one)
            world.fill(30, buyer, "x1", "180.01", "50", maker=True)
            world.fill(30, seller, "x2", "180.01", qty, maker=True)
            world.end()
            self.assertEqual(self.judge(world)["violations"] == [], right)

    def test_print_exempt_from_the_quotes_fills_nobody(self):
        world = self.run_of(order("buy", "100", "180.00"), 110, 120, "180.00", "100", True)
        self.assert_only(world, "resting, is not in the session")

    def test_no_fill_while_trading_is_halted(self):
        for ms in (160, 205):  # without quotes, and with quotes again but no trading yet
            world = self.run_of(order("buy", "100", "180.02"), ms, ms, "180.02", "100")
            self.assert_only(world, "trading was halted")
        self.assert_right(self.run_of(order("buy", "100", "180.02"), 220, 220, "180.02", "100"))

    def test_order_that_came_in_the_halt_is_filled_when_it_ends(self):
        world = self.run_of(order("buy", "100", "180.02"), 160, 210, "180.02", "100", True)
        self.assert_right(world)

    def test_side_without_a_quote_has_nothing_to_take(self):
        world = self.run_of(order("buy", "100", "180.02"), 260, 260, "180.02", "100")
        self.assert_only(world, "not more than 0e-9 was left at this price")
        self.assert_right(self.run_of(order("sell", "100", "180.00"), 260, 260, "180.00", "100"))

    def test_nothing_is_taken_from_a_crossed_book(self):
        world = self.run_of(order("buy", "100", "180.02"), 280, 280, "180.01", "100")
        self.assert_only(world, "the book was crossed")
        world = self.run_of(order("buy", "100", "180.01"), 275, 280, "180.01", "100", True)
        self.assert_only(world, "no trade or size for 100000000000e-9")

    def test_auction_fills_at_its_print_and_nowhere_else(self):
        opg = order("buy", "1000", "180.20", tif="opg")
        self.assert_right(self.run_of(opg, 250, 310, "180.10", "1000"))
        wrong = ((310, "180.11", "1000"), (310, "180.10", "1001"), (100, "180.00", "100"))
        exempt = ((315, "180.15", "100"),)
        for ms, px, qty in wrong + exempt:
            world = self.run_of(order("buy", qty, "180.20", tif="opg"), 50, ms, px, qty)
            self.assert_only(world, "no auction's print at this price")

    def test_elected_stop_may_take_or_rest(self):
        stop = order("buy", "100", "180.02", kind="stop_limit")
        self.assert_right(self.run_of(stop, 20, 50, "180.02", "100"))
        stop = order("buy", "100", "180.00", kind="stop_limit")
        self.assert_right(self.run_of(stop, 20, 100, "180.00", "100", True))
        stop = order("buy", "100", "180.00", kind="stop_limit")
        self.assert_only(self.run_of(stop, 20, 130, "180.00", "100"), "resting or taking")

    def test_print_of_a_stock_that_the_session_does_not_have_is_named(self):
        world = World()
        world.begin()
        world.market_trade(30, 1, 180.01, 100, symbol="IBM")
        world.market_trade(100, 2, 180.01, 200, symbol="IBM")
        world.end()
        self.assert_only(world, "trade 2 of IBM, 200 at 180.01, is not in the session")

    def test_fill_of_a_symbol_that_the_session_does_not_have_is_named(self):
        one = Order("A", "buy", "1", "5", "day", symbol="ZZZ")
        self.assert_only(self.run_of(one, 50, 50, "5", "1"), "ZZZ is not in the session")


if __name__ == "__main__":
    unittest.main()
