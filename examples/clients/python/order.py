#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Places an order with a souk node and prints the reply. Needs python3-zmq and python3-msgpack.

    order.py tcp://127.0.0.1:5555 my-order-1 85123A:6 71053:2"""
import json
import sys
import time
import uuid

import msgpack
import zmq

if len(sys.argv) < 4:
    sys.exit(__doc__)
endpoint, order, *words = sys.argv[1:]
lines = [{"sku": sku, "quantity": int(quantity)} for sku, _, quantity in (word.rpartition(":") for word in words)]
body = {"user_id": "guest", "payment_method": "pm_card_visa", "lines": lines}
request_id = uuid.uuid4().hex  # kept over all retries: however often it is sent, it takes effect once
socket = zmq.Context.instance().socket(zmq.DEALER)
socket.linger = 0
socket.connect(endpoint)
for _ in range(10):
    socket.send(msgpack.packb([1, request_id, "order.place", order, body]))
    while socket.poll(3000):  # longer than the node waits for the order to come to rest (wait_ms, 2000)
        _, answered, status, reply = msgpack.unpackb(socket.recv())
        if status not in ("busy", "storage_full", "clock"):
            print(json.dumps({"id": answered, "status": status, "body": reply}, ensure_ascii=False))
            sys.exit(status != "ok")
        time.sleep(reply.get("retry_after_ms", 100) / 1000)
        break
sys.exit("no answer: the outcome is unknown; ask again with the same order id")
