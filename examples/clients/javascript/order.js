#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Places an order with a souk node and prints the reply. Once: npm install
//     node order.js tcp://127.0.0.1:5555 my-order-1 85123A:6 71053:2
const { randomUUID } = require("node:crypto");
const { decode, encode } = require("@msgpack/msgpack");
const { Dealer } = require("zeromq");

async function place(endpoint, order, lines) {
  const body = { user_id: "guest", payment_method: "pm_card_visa", lines };
  const id = randomUUID(); // kept over all retries: however often it is sent, it takes effect once
  const socket = new Dealer({ linger: 0, sendTimeout: 3000, receiveTimeout: 3000 }); // the node waits 2 s (wait_ms)
  socket.connect(endpoint);
  for (let tries = 0; tries < 10; tries++) {
    try {
      await socket.send(encode([1, id, "order.place", order, body]));
      const [, answered, status, view] = decode((await socket.receive())[0]);
      if (!["busy", "storage_full", "clock"].includes(status)) return { id: answered, status, body: view };
      await new Promise((resolve) => setTimeout(resolve, view.retry_after_ms));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // nothing came in time: send it again
    }
  }
  throw new Error("no answer: the outcome is unknown; ask again with the same order id");
}

const [endpoint, order, ...words] = process.argv.slice(2);
const lines = words.map((word) => ({ sku: word.replace(/:\d+$/, ""), quantity: Number(word.split(":").pop()) }));
place(endpoint, order, lines).then((reply) => {
  console.log(JSON.stringify(reply));
  process.exit(reply.status === "ok" ? 0 : 1);
}, (error) => { console.error(error.message); process.exit(1); });
