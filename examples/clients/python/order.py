#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Place an order with a souk node and print the reply. Needs python3-zmq and python3-msgpack.

    order.py -e tcp://127.0.0.1:5555 --user 17850 my-order-1 85123A:6 71053:2"""
import argparse
import json
import sys
import time
import uuid

import msgpack
import zmq


def line(text):
    sku, _, quantity = text.rpartition(":")
    return {"sku": sku, "quantity": int(quantity)}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("-e", "--endpoint", default="tcp://127.0.0.1:5555", help="default %(default)s")
parser.add_argument("--user", default="guest", help="default %(default)s")
parser.add_argument("--method", default="pm_card_visa", help="payment method (default %(default)s)")
parser.add_argument("--timeout", type=float, default=30, metavar="S", help="give up after S seconds (default 30)")
parser.add_argument("order", help="the order's id; the same id with the same lines is the same order")
parser.add_argument("lines", nargs="+", type=line, metavar="SKU:QUANTITY")
arguments = parser.parse_args()
body = {"user_id": arguments.user, "payment_method": arguments.method, "lines": arguments.lines}
request_id = uuid.uuid4().hex  # kept over all retries: however often it is sent, it takes effect once
frame = msgpack.packb([1, request_id, "order.place", arguments.order, body])

socket = zmq.Context.instance().socket(zmq.DEALER)
socket.linger = 0
socket.connect(arguments.endpoint)
until = time.monotonic() + arguments.timeout
while time.monotonic() < until:
    socket.send(frame)
    while socket.poll(3000):  # longer than the node waits for the order to come to rest (wait_ms, 2000)
        _, answered, status, reply = msgpack.unpackb(socket.recv())
        if answered != request_id:
            continue  # the late answer to something else
        if status not in ("busy", "storage_full", "clock"):
            print(json.dumps({"id": answered, "status": status, "body": reply}, ensure_ascii=False))
            sys.exit(status != "ok")
        time.sleep(reply.get("retry_after_ms", 100) / 1000)
        break
sys.exit(f"no answer in {arguments.timeout:g} s: the outcome is unknown; ask again with the same order id")
