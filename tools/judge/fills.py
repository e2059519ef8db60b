"""Checks every fill against the recorded session: could it have happened there and then?

Session time of a fill: trades on the wire name their ids, and the session (its format:
common/market/session.hpp) knows when the trade with that id happened. So the map from wire time to
session time is read off the captured market data and not believed. If one speed explains all of it,
a fill has its session time to the nanosecond, plus and minus the window that the caller gives.
Otherwise (speed "max", where everything that one write carries has the time of that write) the fill
lies between the trades before and after it on the wire, plus and minus 250 ms.

Within its window
  * a taker's fill needs recorded size at its very price on the other side, less what own fills took
    there since that size last changed, and a better price must not have been left over;
  * a resting order's fill needs recorded trades through its price, or at its price against it (a
    print without a side counts for both), each used up to its size once; or size of the other side
    that came to or through its price;
  * an opg or cls order's fill needs an opening or closing print at its price, not one exempt from
    the quotes, used up likewise;
  * nothing is filled while the symbol is halted, nothing is taken from a book that is crossed or
    from a side without a quote, and a print exempt from the quotes fills nobody.
The judge is lenient where the window leaves the order of two events open, never elsewhere.
"""
import bisect
import heapq
import struct
import zlib
from collections import defaultdict
from decimal import Decimal

BID, ASK, QUOTE, TRADE, DEPTH, STATUS, RESUMED = 1, 2, 1, 2, 3, 4, 4
AUCTIONS, EXEMPT = {"opg": 8, "cls": 16}, 32  # bits of a print's conditions
MAX_SPEED_WINDOW_NS, END_OF_TIME = 250_000_000, 1 << 62


def raw(value):
    return int(Decimal(value).scaleb(9))


def first(item):
    return item[0]


def between(series, low, high):
    """The entries of a series of (time, ...) after `low` up to `high`."""
    low, high = (bisect.bisect_right(series, at, key=first) for at in (low, high))
    return series[low:high]


def states(series, low, high):
    """As `between`, and before them the entry that was in force at `low`."""
    low, high = (bisect.bisect_right(series, at, key=first) for at in (low, high))
    return series[max(low - 1, 0) : high]


class Side:
    """One side of one symbol's book as it was recorded, over the whole session.

    Quotes rule the best level and remove what is better than it; a depth record of the best level's
    price is older than the quote and is left out.
    """

    def __init__(self, side):
        self.sign = -1 if side == BID else 1  # a better price has the smaller sign * price
        self.best = []  # (time, price, size), from quotes
        self.levels = defaultdict(list)  # price: (time, size)
        self.depth = []  # (time, price) of every depth record with a size
        self.live, self.heap = set(), []  # prices with a size; the heap has the best on top

    def better(self, px, than):
        return self.sign * px < self.sign * than

    def set(self, at, px, size):
        series = self.levels[px]
        if not series or series[-1][1] != size:
            series.append((at, size))
        if size and px not in self.live:
            heapq.heappush(self.heap, self.sign * px)
        (self.live.add if size else self.live.discard)(px)

    def quote(self, at, px, size):
        """Without a size nobody is on this side: no level is left."""
        while self.heap and (not size or self.heap[0] < self.sign * px):
            gone = self.sign * heapq.heappop(self.heap)
            if gone in self.live:
                self.set(at, gone, 0)
        if not self.best or self.best[-1][1:] != (px, size):
            self.best.append((at, px, size))
        if size:
            self.set(at, px, size)

    def level(self, at, px, size):
        if not self.best or self.best[-1][1] != px:
            self.set(at, px, size)
        if size:
            self.depth.append((at, px))


class Session:
    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        magic, version, size, count = struct.unpack_from("<8sIIQ", data)
        if (magic, version, size) != (b"SLUSESS1", 2, 64):
            raise OSError(f"{path}: no session file of version 2")
        body = 4096 + 64 * struct.unpack_from("<I", data, 44)[0]
        names = [data[i : i + 24].rstrip(b"\0").decode() for i in range(4096, body, 64)]
        self.sides = {(name, side): Side(side) for name in names for side in (BID, ASK)}
        # [time, price, taker's side or 0, size not yet used, conditions]
        self.trades = {name: [] for name in names}
        self.trading = {name: [(-END_OF_TIME, True)] for name in names}  # (from, trading)
        self.printed = {}  # (symbol, trade id): (exchange time, price, size)
        body = zlib.decompress(data[body:])
        if len(body) != 64 * count:
            raise OSError(f"{path}: {len(body)} bytes of records, {64 * count} promised")
        for record in struct.iter_unpack("<qqHBBBxBxqqqqQ", body):
            self.add(names[record[2]], record)

    def add(self, name, record):
        at, exchange_at, _, kind, side, _, conditions, a, b, c, d, number = record
        if kind == QUOTE:
            self.sides[name, BID].quote(at, a, b)
            self.sides[name, ASK].quote(at, c, d)
        elif kind == TRADE:
            self.trades[name].append([at, a, side, b, conditions])
            self.printed[name, number] = (exchange_at, a, b)
        elif kind == DEPTH:
            self.sides[name, side].level(at, a, b)
        elif kind == STATUS:
            self.trading[name].append((at, a == RESUMED))


def session_clock(session, prints, window, bad):
    """The function from a wire time to the (earliest, latest) session time it can mean, or None."""
    anchors = defaultdict(list)
    for at, symbol, number, px, size in prints:
        known = session.printed.get((symbol, number))
        if known is None or known[1:] != (raw(px), raw(size)):
            bad(f"market data: trade {number} of {symbol}, {size} at {px}, is not in the session")
        else:
            anchors[at].append(known[0])
    wire = sorted(anchors)
    if len(wire) < 2:
        return None
    start, length = wire[0], wire[-1] - wire[0]
    base, span = min(anchors[start]), max(anchors[wire[-1]]) - min(anchors[start])

    def by_speed(at):
        middle = base + (at - start) * span // length
        return middle - window, middle + window

    def by_neighbours(at):
        before = wire[max(bisect.bisect_right(wire, at) - 1, 0)]
        after = bisect.bisect_left(wire, at)
        latest = max(anchors[wire[after]]) if after < len(wire) else END_OF_TIME
        return min(anchors[before]) - MAX_SPEED_WINDOW_NS, latest + MAX_SPEED_WINDOW_NS

    def explained(at):
        middle = sum(by_speed(at)) // 2
        return all(abs(middle - known) < 20_000 for known in anchors[at])

    return by_speed if all(explained(at) for at in wire) else by_neighbours


class Checker:
    """`span` is the (earliest, latest) session time of the fill; fills come in their order."""

    def __init__(self, session):
        self.session = session
        self.taken = defaultdict(list)  # (symbol, side, price): (span, size) of own fills

    def left(self, symbol, side, px, span):
        """(most, least) that can have been left at a price: recorded size, less what own fills took
        since it changed. They differ where the spans leave the order of events open."""
        seen = states(self.session.sides[symbol, side].levels.get(px, []), *span)
        if not seen:
            return 0, 0
        own, sizes = self.taken[symbol, side, px], [size for _, size in seen]
        surely = sum(size for (earliest, _), size in own if earliest > seen[-1][0])
        perhaps = sum(size for (_, latest), size in own if latest >= seen[0][0])
        return max(sizes) - surely, min(sizes) - perhaps

    def crossed(self, symbol, span):
        """The bid was above the ask all the time."""
        best = [states(self.session.sides[symbol, side].best, *span) for side in (BID, ASK)]
        if not all(size for state in best for _, _, size in state) or not all(best):
            return False
        return min(px for _, px, _ in best[0]) > max(px for _, px, _ in best[1])

    def taker(self, symbol, side, px, qty, span):
        """What is wrong with a fill that took from `side`; None if nothing is."""
        book, (most, _) = self.session.sides[symbol, side], self.left(symbol, side, px, span)
        best = {(b, size) for _, b, size in states(book.best, *span)}
        skipped = [b for b, size in best if size and book.better(b, px)]
        skipped = [b for b in skipped if self.left(symbol, side, b, span)[1] > 0]
        if most < qty:
            return f"not more than {max(most, 0)}e-9 was left at this price"
        if best and len(skipped) == len(best):
            return f"the better price {skipped[0]}e-9 was left over"
        if self.crossed(symbol, span):
            return "the book was crossed"
        self.taken[symbol, side, px].append((span, qty))
        return None

    @staticmethod
    def use(trade, need):
        """Takes from a trade what is still needed; returns what is needed after it."""
        used = min(need, trade[3])
        trade[3] -= used
        return need - used

    def auction(self, symbol, px, qty, span, bit):
        """As `taker`, for an order of the opening or the closing auction."""
        need = qty
        for trade in between(self.session.trades[symbol], *span):
            if trade[4] & bit and not trade[4] & EXEMPT and trade[1] == px:
                need = self.use(trade, need)
        return f"no auction's print at this price for {need}e-9 of it" if need > 0 else None

    def maker(self, symbol, side, px, qty, span):
        """As `taker`, for an order that rested at `px` when `side` or a trade came to it."""
        book, need = self.session.sides[symbol, side], qty
        for trade in between(self.session.trades[symbol], *span):
            # A trade at the price counts only if its taker (1 buyer, 2 seller) was of `side`.
            reaches = book.better(trade[1], px) or (trade[1] == px and trade[2] in (0, side))
            if reaches and not trade[4] & EXEMPT:
                need = self.use(trade, need)
        came = {b for _, b, size in states(book.best, *span) if size}
        came = set() if self.crossed(symbol, span) else came
        came |= {level for _, level in between(book.depth, *span)}
        for level in sorted(came, key=lambda level: book.sign * level):
            if need > 0 and not book.better(px, level):
                used = max(min(need, self.left(symbol, side, level, span)[0]), 0)
                self.taken[symbol, side, level].append((span, used))
                need -= used
        return f"no trade or size for {need}e-9 of it came to this price" if need > 0 else None

    def fill(self, order, e, span):
        """What is wrong with the execution `e`; None if nothing is."""
        symbol, side = order["symbol"], ASK if order["side"] == "buy" else BID
        if not any(on for _, on in states(self.session.trading[symbol], *span)):
            return "trading was halted"
        px, qty = raw(e["px"]), raw(e["qty"])
        if order["time_in_force"] in AUCTIONS:
            return self.auction(symbol, px, qty, span, AUCTIONS[order["time_in_force"]])
        wrong = None
        for maker in (False, True) if e["maker"] is None else (e["maker"],):
            wrong = (self.maker if maker else self.taker)(symbol, side, px, qty, span)
            if wrong is None:
                return None
        return wrong


def check(path, books, window_ns, bad):
    """Reports through `bad`. settle() has noted in each execution whether its order rested, or None
    where nobody can say."""
    session = Session(path)
    clock = session_clock(session, books.prints, window_ns, bad)
    if clock is None:
        if books.executions:
            bad("the capture has too little market data to place the fills in the session")
        return
    checker = Checker(session)
    for key, e in sorted(books.executions.items(), key=lambda x: (x[1]["at"], x[1]["sum"])):
        order, span = books.orders[e["name"]], clock(e["at"])
        if order["symbol"] not in session.trades:
            bad(f"execution {key}: {order['symbol']} is not in the session")
        elif (wrong := checker.fill(order, e, span)) is not None:
            what = f"{order['side']} {e['qty']} at {e['px']}"
            how = {True: "resting", False: "taking", None: "resting or taking"}[e["maker"]]
            bad(f"execution {key}: {what}, {how}, is not in the session at {span}: {wrong}")
