// crypto.js PORT — crypto: the data stream with its books, warm-up, an order, and the test feed.
"use strict";

const { check, client, connect, listen, run, step, until } = require("./steps.js");

const PAIR = "BTC/USD";
const port = process.argv[2];
const alpaca = client(port);
const data = alpaca.crypto_stream_v1beta3;

async function streams() {
  let heard;
  await step("data stream: connect, authenticate, subscribe", async () => {
    heard = await connect(data, {
      trades: data.onCryptoTrade,
      quotes: data.onCryptoQuote,
      bars: data.onCryptoBar,
      books: data.onCryptoOrderbook,
    });
    data.subscribeForTrades([PAIR]);
    data.subscribeForQuotes(["*"]);
    data.subscribeForBars([PAIR]);
    data.subscribeForOrderbooks([PAIR]);
    await until("the acknowledgement", () => data.getSubscriptions().orderbooks.includes(PAIR));
  });
  await step("data stream: trades, quotes, books", async () => {
    const trade = await until("a trade", () => heard.trades[0]);
    check(trade.Symbol === PAIR && trade.Price > 0 && "BS".includes(trade.TakerSide), "a trade", trade);
    check(trade.Timestamp instanceof Date, "its moment", trade);
    const quote = await until("a quote", () => heard.quotes[0]);
    check(quote.BidPrice > 0 && quote.BidPrice < quote.AskPrice, "a quote", quote);
    const book = await until("a book", () => heard.books.find((b) => b.Bids.length > 0 && b.Asks.length > 0));
    check(book.Bids[0].Price > 0 && book.Asks[0].Size >= 0, "a book", book);
  });
  return heard;
}

async function trading() {
  const updates = await listen(alpaca);
  await step("order: limit, new, canceled", async () => {
    const order = await alpaca.createOrder({ symbol: PAIR, side: "buy", type: "limit", time_in_force: "gtc", qty: 0.001,
                                             limit_price: 30000 });
    await updates.wait("new", order.id);
    await alpaca.cancelOrder(order.id);
    await updates.wait("canceled", order.id);
  });
  await step("order: market, filled; the fee is taken from what was bought", async () => {
    const order = await alpaca.createOrder({ symbol: PAIR, side: "buy", type: "market", time_in_force: "gtc", qty: 0.001 });
    await updates.wait("fill", order.id);
    const position = await alpaca.getPosition("BTCUSD");
    check(Number(position.qty) > 0 && Number(position.qty) < 0.001, "the position", position);
  });
}

async function dataRest(heard) {
  await step("bars leave with the minute", async () => {
    const bar = await until("a bar", () => heard.bars[0]);
    check(bar.Low <= bar.Close && bar.Close <= bar.High && bar.Volume > 0, "a bar", bar);
  });
  await step("data REST: bars, trades, latest", async () => {
    const bars = await alpaca.getCryptoBars([PAIR], { timeframe: "1Min" });
    check(bars.get(PAIR).length >= 1 && bars.get(PAIR)[0].Close > 0, "bars", [...bars]);
    const trades = await alpaca.getCryptoTrades([PAIR], { limit: 15, pageLimit: 10 });
    check(trades.get(PAIR).length === 15, "trades over two pages", trades.get(PAIR).length);
    const quotes = await alpaca.getLatestCryptoQuotes([PAIR, "ETH/USD"]);
    check(quotes.size === 2, "the latest quotes", [...quotes]);
    const snapshots = await alpaca.getCryptoSnapshots([PAIR]);
    check(snapshots.get(PAIR).LatestTrade.Price > 0, "a snapshot", [...snapshots]);
  });
}

async function testFeed() {
  const test = alpaca.data_stream_v2;
  test.session.url = `ws://127.0.0.1:${port}/v2/test`;
  await step("test feed: FAKEPACA trades around the clock", async () => {
    const heard = await connect(test, { trades: test.onStockTrade, quotes: test.onStockQuote });
    test.subscribeForTrades(["FAKEPACA"]);
    test.subscribeForQuotes(["FAKEPACA"]);
    await until("a trade and a quote", () => heard.trades.length > 0 && heard.quotes.length > 0);
    check(heard.trades[0].Symbol === "FAKEPACA", "its symbol", heard.trades[0]);
  });
  test.disconnect();
}

run(async () => {
  const heard = await streams();
  await trading();
  await testFeed();
  await dataRest(heard);
  check(heard.errors.length === 0, "no error on the data stream", heard.errors);
  data.disconnect();
  alpaca.trade_ws.disconnect();
});
