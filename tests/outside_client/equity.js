// equity.js PORT data|trading — stocks: streams and warm-up, or an order's whole life, as the npm client sees them.
"use strict";

const { check, client, connect, listen, refused, run, step, until } = require("./steps.js");

const SYMBOL = "SYNA";
const port = process.argv[2];
const alpaca = client(port);
const data = alpaca.data_stream_v2;

const isPrice = (value) => typeof value === "number" && value > 0;
const now = () => new Date(Date.now() + 5000);

async function streams() {
  let heard;
  await step("data stream: connect and authenticate", async () => {
    heard = await connect(data, {
      trades: data.onStockTrade,
      quotes: data.onStockQuote,
      bars: data.onStockBar,
      dailyBars: data.onStockDailyBar,
      statuses: data.onStatuses,
    });
  });
  await step("data stream: subscriptions add up and are acknowledged in full", async () => {
    data.subscribeForTrades([SYMBOL]);
    data.subscribeForQuotes([SYMBOL, "SYNB"]);
    data.subscribeForBars(["*"]);
    data.subscribeForDailyBars([SYMBOL]);
    data.subscribeForStatuses(["*"]);
    data.subscribeForLulds(["*"]);
    const full = await until("the acknowledgement", () => {
      const set = data.getSubscriptions();
      return set.lulds.includes("*") && set.cancelErrors.includes(SYMBOL) && set;
    });
    check(full.corrections.includes(SYMBOL), "corrections follow the trades", full);
    check(full.quotes.length === 2 && full.updatedBars.length === 0, "the set is what was asked for", full);
  });
  return heard;
}

async function marketData(heard) {
  await step("data stream: trades", async () => {
    const trade = await until("a trade", () => heard.trades[0]);
    check(trade.Symbol === SYMBOL && isPrice(trade.Price) && Number.isInteger(trade.Size), "a trade", trade);
    check(typeof trade.Exchange === "string" && trade.Exchange.length === 1, "its exchange", trade);
    check(Array.isArray(trade.Conditions) && trade.Tape === "A" && trade.ID > 0, "conditions, tape, id", trade);
    check(trade.Timestamp instanceof Date && trade.Timestamp <= now(), "msgpack's timestamp is a moment", trade);
  });
  await step("data stream: quotes", async () => {
    const quote = await until("a quote", () => heard.quotes.find((q) => q.Symbol === "SYNB"));
    check(isPrice(quote.BidPrice) && isPrice(quote.AskPrice) && quote.BidSize > 0, "a quote", quote);
    check(quote.Tape === "B" && quote.Conditions[0] === "R", "tape and conditions", quote);
  });
}

async function lateData(heard) {
  await step("data stream: a halt and its end", async () => {
    await until("statuses", () => heard.statuses.length >= 4);
    const codes = heard.statuses.filter((s) => s.Symbol === "SYNB").map((s) => s.StatusCode);
    check(codes[0] === "2" && codes.includes("3"), "CTA's codes on tape B", heard.statuses);
  });
  await step("data stream: minute and daily bars", async () => {
    const bar = await until("a minute bar", () => heard.bars.find((b) => b.Symbol === SYMBOL));
    check(bar.LowPrice <= bar.OpenPrice && bar.OpenPrice <= bar.HighPrice && bar.TradeCount > 0, "a bar", bar);
    check(bar.Volume > 0 && bar.VWAP >= bar.LowPrice && bar.VWAP <= bar.HighPrice, "volume and average", bar);
    await until("a daily bar", () => heard.dailyBars.find((b) => b.Symbol === SYMBOL));
  });
  await step("data stream: nothing went wrong on it", async () => {
    check(heard.errors.length === 0, "no error", heard.errors);
  });
}

async function dataRest() {
  await step("data REST: bars, trades and quotes with paging", async () => {
    const bars = await alpaca.getMultiBarsV2([SYMBOL, "SYNB"], { timeframe: "1Min" });
    check(bars.get(SYMBOL).length >= 1 && isPrice(bars.get("SYNB")[0].ClosePrice), "bars", [...bars]);
    let count = 0;
    let last;
    for await (const trade of alpaca.getTradesV2(SYMBOL, { limit: 25, pageLimit: 10 })) {
      check(last === undefined || trade.Timestamp >= last, "in order", trade);
      last = trade.Timestamp;
      ++count;
    }
    check(count === 25, "as many trades as asked for, over three pages", count);
    for await (const quote of alpaca.getQuotesV2(SYMBOL, { limit: 1 })) {
      check(isPrice(quote.BidPrice) || isPrice(quote.AskPrice), "a quote", quote);
    }
  });
  await step("data REST: latest and snapshot", async () => {
    check(isPrice((await alpaca.getLatestTrade(SYMBOL)).Price), "the latest trade");
    const quotes = await alpaca.getLatestQuotes([SYMBOL, "SYNB"]);
    check(quotes.size === 2, "the latest quotes", [...quotes]);
    const snapshot = await alpaca.getSnapshot(SYMBOL);
    check(isPrice(snapshot.LatestTrade.Price) && isPrice(snapshot.DailyBar.ClosePrice), "a snapshot", snapshot);
  });
}

async function reads() {
  await step("account, clock, calendar, assets", async () => {
    const account = await alpaca.getAccount();
    check(account.status === "ACTIVE" && account.currency === "USD" && account.cash === "100000", "account", account);
    const clock = await alpaca.getClock();
    check(typeof clock.is_open === "boolean" && /-0[45]:00$/.test(clock.next_open), "clock", clock);
    const calendar = await alpaca.getCalendar({ start: new Date("2024-03-04T12:00:00Z"),
                                                end: new Date("2024-03-08T12:00:00Z") });
    check(calendar.length === 5 && calendar[0].open === "09:30", "calendar", calendar);
    const assets = await alpaca.getAssets({ status: "active", asset_class: "us_equity" });
    check(assets.some((asset) => asset.symbol === SYMBOL && asset.class === "us_equity"), "assets", assets);
    const asset = await alpaca.getAsset(SYMBOL);
    check(asset.tradable === true, "asset", asset);
  });
}

const order = (side, type, fields) => ({ symbol: SYMBOL, side, type, time_in_force: "day", ...fields });

async function restingOrder(updates) {
  const far = Math.floor((await alpaca.getLatestTrade(SYMBOL)).Price * 80) / 100;
  let first;
  let second;
  await step("order: limit, accepted, found under both ids and in the list", async () => {
    first = await alpaca.createOrder(order("buy", "limit", { qty: 10, limit_price: far, client_order_id: "outside-1" }));
    check(first.symbol === SYMBOL && first.qty === "10" && first.filled_qty === "0", "the order", first);
    await updates.wait("new", first.id);
    check((await alpaca.getOrder(first.id)).client_order_id === "outside-1", "by id");
    check((await alpaca.getOrderByClientId("outside-1")).id === first.id, "by client order id");
    check((await alpaca.getOrders({ status: "open" })).some((o) => o.id === first.id), "in the list of open orders");
  });
  await step("order: replaced", async () => {
    second = await alpaca.replaceOrder(first.id, { limit_price: far - 1, client_order_id: "outside-2" });
    check(second.id !== first.id && second.replaces === first.id, "a new order that names the old one", second);
    const told = await updates.wait("replaced", first.id);
    check(told.order.replaced_by === second.id, "the event carries the old order", told.order);
    await updates.wait("new", second.id);
  });
  await step("order: canceled", async () => {
    await alpaca.cancelOrder(second.id);
    const told = await updates.wait("canceled", second.id);
    check(told.order.status === "canceled", "the order in the event", told.order);
    check((await alpaca.getOrders({ status: "closed" })).some((o) => o.id === second.id), "in the list of closed orders");
  });
}

async function tradedOrder(updates) {
  let bought;
  await step("order: market, filled", async () => {
    bought = await alpaca.createOrder(order("buy", "market", { qty: 10 }));
    const fill = await updates.wait("fill", bought.id);
    check(Number(fill.price) > 0 && fill.position_qty === "10", "price and position", fill);
    check(fill.order.filled_qty === "10" && fill.order.status === "filled", "the order is filled", fill.order);
  });
  await step("position and activities", async () => {
    const positions = await alpaca.getPositions();
    check(positions.length === 1 && positions[0].symbol === SYMBOL, "one position", positions);
    const position = await alpaca.getPosition(SYMBOL);
    check(position.qty === "10" && position.side === "long", "it is ten shares long", position);
    const fills = await alpaca.getAccountActivities({ activityTypes: ["FILL"] });
    check(fills.length >= 1 && fills.every((f) => f.order_id === bought.id && f.symbol === SYMBOL), "fills", fills);
  });
}

async function bracketOrder(updates) {
  let bracket;
  await step("order: bracket, its legs nested", async () => {
    const price = Math.round((await alpaca.getLatestTrade(SYMBOL)).Price);
    bracket = await alpaca.createOrder(order("buy", "limit", {
      qty: 5, limit_price: price - 30, order_class: "bracket",
      take_profit: { limit_price: price + 30 }, stop_loss: { stop_price: price - 60 },
    }));
    check(bracket.order_class === "bracket" && bracket.legs.length === 2, "two legs", bracket);
    await updates.wait("new", bracket.id);
    const nested = await alpaca.getOrders({ status: "open", nested: true });
    const found = nested.find((o) => o.id === bracket.id);
    check(found && found.legs.every((leg) => leg.status === "held"), "legs are held", nested);
  });
  await step("order: cancel all", async () => {
    const results = await alpaca.cancelAllOrders();
    check(Array.isArray(results) && results.some((r) => r.id === bracket.id && r.status === 200), "207's list", results);
    await updates.wait("canceled", bracket.id);
    await until("no order is open", async () => (await alpaca.getOrders({ status: "open" })).length === 0);
  });
}

async function refusals(updates) {
  await step("position: closed", async () => {
    const sold = await alpaca.createOrder(order("sell", "market", { qty: 10 }));
    const fill = await updates.wait("fill", sold.id);
    check(fill.position_qty === "0", "nothing is left", fill);
    await refused(404, 40410000, () => alpaca.getPosition(SYMBOL));
  });
  await step("refusals carry status and code", async () => {
    await refused(403, 40310000, () => alpaca.createOrder(order("buy", "market", { qty: 1000000 })));
    await refused(422, 40010001, () => alpaca.createOrder(order("buy", "limit", { qty: 1 })));
    await refused(404, 40410000, () => alpaca.getOrder("00000000-0000-4000-8000-000000000000"));
    await refused(422, 40010001, () => alpaca.createOrder(order("buy", "limit", {
      qty: 1, limit_price: 10, client_order_id: "outside-1" })));
  });
}

async function dataMain() {
  const heard = await streams();
  await marketData(heard);
  await lateData(heard);
  await dataRest();
  data.disconnect();
}

async function tradingMain() {
  await reads();
  const updates = await listen(alpaca);
  await until("the first trade", async () => {
    const trades = await alpaca.getLatestTrades([SYMBOL]);
    return trades.size > 0;
  });
  await restingOrder(updates);
  await tradedOrder(updates);
  await bracketOrder(updates);
  await refusals(updates);
  alpaca.trade_ws.disconnect();
}

run(process.argv[3] === "data" ? dataMain : tradingMain);
