// steps.js — what both client programs share: named steps, waiting for conditions, checks.
//
// A program drives @alpacahq/alpaca-trade-api against a simulator that runs already. It prints one line per step and
// ends with 0 when all of them held, with 1 and the step's name when one did not.
"use strict";

const path = require("path");
const modules = process.env.OUTSIDE_CLIENT_MODULES;
const Alpaca = require(path.join(modules, "@alpacahq/alpaca-trade-api"));

const PATIENCE_MS = 30000;

function check(holds, what, value) {
  if (!holds) {
    throw new Error(value === undefined ? what : `${what}; got ${JSON.stringify(value)}`);
  }
}

// Waits until find() gives something; its last value is in the error when it never does.
async function until(what, find) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await find();
    if (found) {
      return found;
    }
    check(Date.now() < deadline, `not within ${PATIENCE_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function step(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    const body = error.response ? ` ${error.response.status} ${JSON.stringify(error.response.data)}` : "";
    throw new Error(`${name}: ${error.message}${body}`);
  }
}

// A refusal as the client reports it: HTTP status and the venue's code.
async function refused(status, code, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    check(error.response, "an HTTP answer is expected", error.message);
    const data = error.response.data;
    check(error.response.status === status && data.code === code, `${status} with code ${code} is expected`,
          { status: error.response.status, data });
    return;
  }
  throw new Error(`a refusal with ${status} is expected; got ${JSON.stringify(answer)}`);
}

function client(port) {
  const alpaca = new Alpaca({
    keyId: "KEY",
    secretKey: "SECRET",
    paper: true,
    baseUrl: `http://127.0.0.1:${port}`,
    dataBaseUrl: `http://127.0.0.1:${port}`,
    dataStreamUrl: `http://127.0.0.1:${port}`,
    feed: "sip",
  });
  // The client insists on TLS for stocks; loopback has none.
  alpaca.data_stream_v2.session.url = `ws://127.0.0.1:${port}/v2/sip`;
  alpaca.crypto_stream_v1beta3.session.url = `ws://127.0.0.1:${port}/v1beta3/crypto/us`;
  return alpaca;
}

// Connects a market data stream and keeps what it says by kind.
async function connect(stream, handlers) {
  const heard = { errors: [] };
  stream.onError((error) => heard.errors.push(String(error)));
  for (const [kind, register] of Object.entries(handlers)) {
    heard[kind] = [];
    register.call(stream, (message) => heard[kind].push(message));
  }
  let connected = false;
  stream.onConnect(() => {
    connected = true;
  });
  stream.connect();
  await until("authenticated on the data stream", () => connected || heard.errors.length > 0);
  check(heard.errors.length === 0, "no error on the data stream", heard.errors);
  check(stream.conn.extensions.includes("permessage-deflate"), "the stream is compressed", stream.conn.extensions);
  return heard;
}

// The order events of the account, and a search in them.
async function listen(alpaca) {
  const events = [];
  const stream = alpaca.trade_ws;
  stream.onOrderUpdate((update) => events.push(update));
  let connected = false;
  stream.onConnect(() => {
    connected = true;
    stream.subscribe(["trade_updates"]);
  });
  stream.connect();
  await until("authorized on the order stream", () => connected);
  return {
    events,
    wait: (event, id) => until(`event ${event} of ${id}; heard ${events.map((e) => e.event)}`,
                               () => events.find((e) => e.event === event && e.order.id === id)),
  };
}

function run(main) {
  main().then(
    () => process.exit(0),
    (error) => {
      console.error(`failed: ${error.message}`);
      process.exit(1);
    });
}

module.exports = { check, client, connect, listen, refused, run, step, until };
