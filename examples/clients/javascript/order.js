#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Places an order with a souk node and prints the reply. Once: npm install
//     node order.js -e tcp://127.0.0.1:5555 --user 17850 my-order-1 85123A:6 71053:2
const { randomUUID } = require("node:crypto");
const { setTimeout: sleep } = require("node:timers/promises");
const { parseArgs } = require("node:util");
const { decode, encode } = require("@msgpack/msgpack");
const { Dealer } = require("zeromq");

const usage = "usage: order.js [-e ENDPOINT] [--user ID] [--method PM] [--timeout S] ORDER SKU:QUANTITY…";

async function place({ endpoint, user, method, timeout }, order, lines) {
  const body = { user_id: user, payment_method: method, lines };
  const id = randomUUID(); // kept over all retries: however often it is sent, it takes effect once
  const frame = encode([1, id, "order.place", order, body]);
  // Longer than the node waits for the order to come to rest (wait_ms, 2000).
  const socket = new Dealer({ linger: 0, sendTimeout: 3000, receiveTimeout: 3000 });
  socket.connect(endpoint);
  const until = Date.now() + 1000 * Number(timeout);
  while (Date.now() < until) {
    try {
      await socket.send(frame);
      let reply;
      do reply = decode((await socket.receive())[0]);
      while (reply[1] !== id); // the late answer to something else
      const [, , status, view] = reply;
      if (!["busy", "storage_full", "clock"].includes(status)) return { id, status, body: view };
      await sleep(view.retry_after_ms ?? 100);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // nothing came in time: send it again
    }
  }
  throw new Error(`no answer in ${timeout} s: the outcome is unknown; ask again with the same order id`);
}

async function main() {
  const text = (short, value) => ({ type: "string", short, default: value });
  const options = { endpoint: text("e", "tcp://127.0.0.1:5555"), user: text("u", "guest"),
    method: text("m", "pm_card_visa"), timeout: text("t", "30") };
  const { values, positionals: [order, ...words] } = parseArgs({ options, allowPositionals: true });
  if (!words.length) throw new Error(usage);
  const lines = words.map((word) => {
    const [, sku, quantity] = word.match(/^(.+):(\d+)$/) ?? [];
    if (!sku) throw new Error(`${word} is not SKU:QUANTITY`);
    return { sku, quantity: Number(quantity) };
  });
  const reply = await place(values, order, lines);
  console.log(JSON.stringify(reply));
  process.exit(reply.status === "ok" ? 0 : 1);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
