#!/usr/bin/env python3
"""The judge: agrees with a right run to the unit, and names what is wrong with each wrong one.

Method: world.py writes a session and the capture of a run that is right; each test changes one
thing, runs judge.py as a process and looks at the violations. A test would pass for a wrong reason
if the judge found fault with everything, so the right run comes first and must have none.
"""
import unittest
from decimal import Decimal

from world import BUYER, SELLER, Capture, JudgeCase, Order, World
from world import session_records, wire_ns, write_session


class JudgeTest(JudgeCase):
    # ---------------------------------------------------------------- a right run
    def test_right_run_gives_exact_books_and_no_violation(self):
        world = World().standard_run()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual({n: o["status"] for n, o in result["orders"].items()},
                         {"A": "filled", "B": "canceled", "C": "filled"})
        self.assertEqual(result["orders"]["B"]["filled_qty"], "0.3")
        self.assertEqual(result["executions"]["x1"],
                         {"order_id": result["orders"]["A"]["id"], "symbol": "BTC/USD",
                          "side": "buy", "px": "100.01", "qty": "0.5", "fee": "0.00125",
                          "fee_asset": "BTC"})
        self.assertEqual(result["executions"]["x3"]["fee"], "0.00045")  # 15 bps: it was resting
        self.assertEqual(result["executions"]["x4"]["fee"], "0.0625")
        self.assertEqual(result["executions"]["x4"]["fee_asset"], "USD")
        # 100000 - 50.005 - 20.004 - 30 + 25 - 0.0625, and 1.0 - 0.25 less the fees in BTC, by hand
        self.assertEqual(result["cash"], {"USD": "99924.9285"})
        self.assertEqual(result["positions"], {"BTCUSD": "0.7478"})
        self.assertEqual(result["fees"], {"BTC": "0.0022", "USD": "0.0625"})
        self.assertEqual(Decimal(result["cash"]["USD"]), world.cash)

    def test_fee_and_cash_are_rounded_half_to_even_at_the_ninth_decimal(self):
        world = World()
        order = Order("A", "buy", "0.0000002", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x", "100.01", "0.0000002")  # fee 0.0000000005 -> 0
        world.end()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual(result["executions"]["x"]["fee"], "0")
        self.assertEqual(result["positions"], {"BTCUSD": "0.0000002"})

    def test_flat_position_and_zero_fees_are_left_out(self):
        world = World()
        world.begin()
        world.end()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual((result["positions"], result["fees"]), ({}, {}))

    def test_order_whose_answer_was_cut_off_is_known_from_the_stream(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.capture.request(wire_ns(40), 9, "POST", "/v2/orders", order.body())
        cut_answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
        world.capture.data(wire_ns(41), 9, Capture.SERVER, cut_answer)
        world.capture.event(wire_ns(42), 9, Capture.SERVER, 4, b"reset")
        order.status = "new"
        world.update(50, "new", order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.end()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual(result["orders"]["A"]["filled_qty"], "0.5")

    def test_fill_missed_by_a_broken_stream_is_taken_from_the_activities(self):
        world = World()
        order = Order("A", "buy", "0.7", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5", streamed=False)
        world.STREAM = 8  # the stream was lost and opened again
        world.capture.upgrade(wire_ns(50), 8, "/stream")
        world.fill(50, order, "x2", "100.02", "0.2")
        world.end()
        result = self.judge(world)
        self.assertEqual(result["violations"], [])
        self.assertEqual(sorted(result["executions"]), ["x1", "x2"])

    def test_end_that_only_an_activity_tells_counts_and_its_quantity_must_be_whole(self):
        fills = ("x1", "100.01", "0.4"), ("x2", "100.01", "0.1"), ("x3", "100.02", "0.2")
        for told, violations in (fills, []), (fills[:2], ["order A: filled, 0.5 filled, its executions make 0.5"]):
            world = World()
            order = Order("A", "buy", "0.7", "100.02", "gtc")
            world.begin()
            world.send(50, order)
            for key, px, qty in told:
                world.fill(50, order, key, px, qty, streamed=False)
            world.activities[-2]["order_status"] = "filled"
            world.end()
            result = self.judge(world)
            self.assertEqual(result["violations"], violations)
            self.assertEqual(result["orders"]["A"]["status"], "filled")

    # ---------------------------------------------------------------- wrong books
    def test_price_altered_on_the_stream_disagrees_with_the_activity(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.activities[0]["price"] = "100.02"
        world.end()
        self.assert_only(world, "execution x1: told as")

    def test_price_altered_everywhere_is_not_in_the_session(self):
        for px, what in (("100.015", "not more than 0e-9 was left"),
                         ("100.02", "the better price 100010000000e-9 was left over")):
            world = World()
            order = Order("A", "buy", "0.5", "100.02", "ioc")
            world.begin()
            world.send(50, order)
            world.fill(50, order, "x1", px, "0.5")
            world.end()
            self.assert_only(world, what)

    def test_fill_outside_its_limit_is_named(self):
        world = World()
        order = Order("A", "buy", "0.7", "100.01", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.fill(50, order, "x2", "100.02", "0.2")
        world.end()
        self.assert_only(world, "the limit is 100.01")

    def test_more_than_the_recorded_size_is_named_also_over_two_orders(self):
        world = World()
        first, second = (Order(n, "buy", "0.3", "100.01", "ioc") for n in "AB")
        world.begin()
        for ms, order in ((50, first), (60, second)):
            world.send(ms, order)
            world.fill(ms, order, "x" + order.name, "100.01", "0.3")
        world.end()
        self.assert_only(world, "execution xB: buy 0.3 at 100.01, taking")

    def test_consumed_size_is_back_when_the_recorded_level_changes(self):
        world = World()
        first, second = (Order(n, "buy", "0.5", "100.01", "ioc") for n in "AB")
        world.begin()
        for ms, order in ((50, first), (220, second)):
            world.send(ms, order)
            world.fill(ms, order, "x" + order.name, "100.01", "0.5")
        world.end()
        self.assertEqual(self.judge(world)["violations"], [])

    def test_resting_fill_without_a_trade_at_its_price_is_named(self):
        for ms, qty in ((120, "0.3"), (100, "0.4")):  # no trade then; more than the trade had
            world = World()
            order = Order("B", "buy", "0.4", "100.00", "gtc")
            world.begin()
            world.send(80, order)
            world.fill(ms, order, "x3", "100.00", qty, maker=True)
            world.cancel(150, order)
            if Decimal(qty) == Decimal(order.qty):
                world.capture.records.pop()  # a filled order has no canceled event
                order.status = "filled"
            world.end()
            violations = self.judge(world)["violations"]
            found = any("resting, is not in the session" in v for v in violations)
            self.assertTrue(found, violations)

    def test_one_trade_fills_two_resting_orders_only_up_to_its_size(self):
        world = World()
        first, second = (Order(n, "buy", "0.2", "100.00", "gtc") for n in "AB")
        world.begin()
        world.send(70, first)
        world.send(80, second)
        for order in (first, second):
            world.fill(100, order, "x" + order.name, "100.00", "0.2", maker=True)
        world.end()
        self.assert_only(world, "no trade or size for 100000000e-9")

    def test_trade_of_the_wrong_side_fills_nobody_at_its_price(self):
        for taker, right in ((SELLER, True), (BUYER, False)):
            world = World()
            world.records = session_records(trade_2_taker=taker)
            order = Order("B", "buy", "0.3", "100.00", "gtc")
            world.begin()
            world.send(80, order)
            world.fill(100, order, "x3", "100.00", "0.3", maker=True)
            world.end()
            violations = self.judge(world)["violations"]
            self.assertEqual(violations == [], right, violations)

    def test_resting_order_is_filled_by_size_that_comes_to_its_price_and_by_no_more(self):
        for qty, right in (("0.4", True), ("0.5", False)):  # at 400 ms 0.4 are offered at 100.00
            world = World()
            order = Order("B", "buy", qty, "100.00", "gtc")
            world.begin()
            world.send(350, order)
            world.fill(400, order, "x3", "100.00", qty, maker=True)
            world.end()
            violations = self.judge(world)["violations"]
            self.assertEqual(violations == [], right, violations)

    def test_wrong_fee_is_named_even_when_it_is_the_other_rate(self):
        for maker in (True, False):
            world = World()
            limit, tif = ("100.02", "ioc") if maker else ("100.00", "gtc")
            order = Order("A", "buy", "0.3", limit, tif)
            world.begin()
            world.send(50, order)
            if maker:  # a taker is charged the resting rate
                world.fill(50, order, "x1", "100.01", "0.3", maker=True)
            else:  # a resting order is charged the taking rate
                world.fill(100, order, "x1", "100.00", "0.3")
            world.end()
            self.assert_only(world, "execution x1: fee")

    def test_fee_that_is_off_by_one_unit_is_named(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.activities[1]["qty"] = "-0.001250001"
        world.end()
        self.assert_only(world, "fee 0.001250001 told, 0.001250000 BTC by the rules")

    def test_missing_fee_and_fee_without_a_fill_are_named(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.activities[1]["id"] = "20240808195414001::x9"
        world.end()
        self.assert_only(world, "execution x1: fee None told", "execution x9: a fee, but no fill")

    def test_cumulative_told_as_incremental_is_named(self):
        world = World()
        order = Order("A", "buy", "0.7", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        order.filled = Decimal(0)
        world.fill(50, order, "x2", "100.02", "0.2")
        world.end()
        violations = self.judge(world)["violations"]
        for part in ("order A: partial_fill tells 0.2 filled after 0.5 and 0.2", "told to make",
                     "its executions make 0.7"):
            self.assertTrue(any(part in v for v in violations), violations)

    def test_partial_fill_dropped_from_an_unbroken_stream_is_named(self):
        world = World()
        order = Order("A", "buy", "0.7", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5", streamed=False)
        world.fill(50, order, "x2", "100.02", "0.2")
        world.end()
        self.assert_only(world, "order A: fill tells 0.7 filled after 0 and 0.2")

    def test_execution_after_the_end_of_its_order_is_named(self):
        world = World()
        order = Order("A", "buy", "0.7", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.cancel(50, order)
        world.fill(50, order, "x2", "100.02", "0.1")
        world.end()
        self.assert_only(world, "execution x2 after it was canceled")

    def test_cash_of_the_account_that_differs_from_the_executions_is_named(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.fill(50, order, "x1", "100.01", "0.5")
        world.cash += Decimal("0.000000001")
        world.end()
        self.assert_only(world, "the account's last cash is 99949.995000001")

    # ---------------------------------------------------------------- wrong orders
    def test_order_sent_twice_is_named(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.send(50, order)
        world.ask(55, "POST", "/v2/orders", {"code": 40010001}, order.body(), status=422)
        world.fill(60, order, "x1", "100.01", "0.5")
        world.end()
        self.assert_only(world, "order A: posted twice")

    def test_order_that_the_venue_tells_otherwise_than_sent_is_named(self):
        world = World()
        order = Order("A", "buy", "0.5", "100.02", "ioc")
        world.begin()
        world.capture.request(wire_ns(30), world.REST, "POST", "/v2/orders", order.body())
        order.qty, order.status = "0.6", "new"
        world.capture.answer(wire_ns(31), world.REST, 200, order.told())
        world.cancel(60, order)
        world.end()
        self.assert_only(world, "sent, now")

    # ---------------------------------------------------------------- session time and market data
    def test_market_data_that_the_session_does_not_have_is_named(self):
        world = World()
        world.begin()
        world.market_trade(150, 2, 100.5, 0.3)
        world.end()
        self.assert_only(world, "trade 2 of BTC/USD, 0.3 at 100.5, is not in the session")

    def test_without_market_data_fills_cannot_be_placed(self):
        world = World()
        world.market_trade = lambda *_: None
        self.assert_only(world.standard_run(), "too little market data")

    def test_stamps_of_no_one_speed_are_placed_between_their_neighbours(self):
        for px, right in (("100.01", True), ("100.015", False)):
            world = World()
            order = Order("A", "buy", "0.5", "100.02", "ioc")
            world.begin()
            world.send(50, order)
            world.fill(50, order, "x1", px, "0.5")
            world.market_trade(250, 2, 100, 0.3)  # it happened at 100 ms
            world.end()
            violations = self.judge(world)["violations"]
            self.assertEqual(violations == [], right, violations)

    def test_fill_at_another_time_than_told_is_named(self):
        # The ask of 100.01 has 0.6 only from 200 ms on.
        for ms, right in ((190, False), (210, True)):
            world = World()
            order = Order("A", "buy", "0.6", "100.01", "ioc")
            world.begin()
            world.send(ms, order)
            world.fill(ms, order, "x1", "100.01", "0.6")
            world.end()
            violations = self.judge(world)["violations"]
            self.assertEqual(violations == [], right, violations)

    # ---------------------------------------------------------------- files and arguments
    def test_cut_capture_is_named(self):
        result = self.judge(World().standard_run(), cut=5)
        self.assertTrue(any("damaged or cut record" in v for v in result["violations"]))

    def test_unreadable_files_end_with_73(self):
        world = World().standard_run()
        self.judge(world)
        for arguments in (("--capture", "/none", "--session", self.session),
                          ("--capture", self.capture, "--session", "/none"),
                          ("--capture", self.session, "--session", self.session),
                          ("--capture", self.capture, "--session", self.capture)):
            done = self.run_judge(*arguments)
            self.assertEqual(done.returncode, 73, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_wrong_arguments_end_with_64(self):
        for arguments in ((), ("--capture", "x"), ("--capture", "x", "--session", "y", "--more")):
            self.assertEqual(self.run_judge(*arguments).returncode, 64)

    def test_what_cannot_be_understood_ends_with_70_and_never_as_a_verdict(self):
        world = World()
        world.begin()
        world.capture.data(wire_ns(50), 5, Capture.CLIENT,
                           b"POST /v2/orders HTTP/1.1\r\nContent-Length: 3\r\n\r\n{{{")
        write_session(self.session, world.records)
        world.capture.write(self.capture)
        done = self.run_judge("--capture", self.capture, "--session", self.session)
        self.assertEqual((done.returncode, done.stdout), (70, ""))


if __name__ == "__main__":
    unittest.main()
