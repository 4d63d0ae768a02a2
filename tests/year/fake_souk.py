#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for the souk program in test_run.py: answers one command after the other from a JSON file.

$FAKE_FAULT plants one fault, for the canaries: oversell, charge, leak, lose, price, audit, replay, crash."""

import argparse
import json
import os
import pathlib
import signal
import sys

FAULT = os.environ.get("FAKE_FAULT", "")


def place(stock, order, body):
    wanted = {}
    for line in body["lines"]:
        wanted[line["sku"]] = wanted.get(line["sku"], 0) + line["quantity"]
    total = sum(line["quantity"] * line["unit_price"]["amount"] for line in body["lines"])
    view = {"status": "confirmed", "stage": "paid", "lines": body["lines"],
            "total": {"amount": total + (FAULT == "price"), "currency": "GBP"}}
    short = [{"sku": sku, "requested": count, "available": stock[sku][0]} for sku, count in wanted.items()
             if count > stock[sku][0]]
    if short and FAULT != "oversell":
        if FAULT == "leak":
            stock[body["lines"][0]["sku"]][0] = 0
        return "insufficient_stock", view | {"status": "out_of_stock", "stage": "out_of_stock", "shortages": short}
    if body["payment_method"] == "pm_card_chargeDeclined" and FAULT != "charge":
        return "payment_declined", view | {"status": "payment_failed", "stage": "payment_failed"}
    for sku, count in wanted.items():
        stock[sku][0] = max(0, stock[sku][0] - count)
    return "ok", view


def answer(stock, request):
    key, body = request["key"], request["body"]
    if request["type"] == "catalog.put":
        return "ok", {"version": 1}
    if request["type"] == "inventory.receive":
        stock[key] = [body["quantity"], body["quantity"]]
        return "ok", {"on_hand": body["quantity"], "available": body["quantity"], "version": 1}
    if request["type"] == "inventory.get":
        left, received = stock[key]
        return "ok", {"on_hand": left, "reserved": 0, "available": left, "received": received}
    return place(stock, key, body)


def serve(arguments):
    if FAULT == "crash":
        sys.exit("fake: crashed")
    os.makedirs(arguments.d)
    (pathlib.Path(arguments.d) / "state.json").write_text("{}")
    print(f"ready {arguments.d} tcp://127.0.0.1:2", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


def send(arguments):
    state, counts, replies = pathlib.Path(arguments.e) / "state.json", {}, []
    stock = json.loads(state.read_text())
    for line in open(arguments.what, encoding="utf-8"):
        request = json.loads(line)
        status, body = answer(stock, request)
        counts[status] = counts.get(status, 0) + 1
        replies.append(json.dumps({"id": request["id"], "key": request["key"], "status": status, "body": body}) + "\n")
    if arguments.window > 1:
        replies.reverse()
    if FAULT == "lose" and "place-" in replies[0]:
        replies.pop()
    pathlib.Path(arguments.replies).write_text("".join(replies), encoding="utf-8")
    state.write_text(json.dumps(stock))
    print(json.dumps({"counts": counts, "seconds": 0.5, "p50_ms": 1.0, "p99_ms": 2.0, "max_ms": 3.0}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["serve", "send", "status", "audit", "replay"])
    parser.add_argument("what", nargs="?")
    for flag in ("-t", "-d", "-e", "--replies", "--timeout"):
        parser.add_argument(flag)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.command == "serve":
        serve(arguments)
    elif arguments.command == "send":
        send(arguments)
    elif arguments.command == "status":
        print(json.dumps({"open_orders": 0, "reasks_total": 0, "parked_payments": 0}))
    else:
        print("{}")
        sys.exit(FAULT == arguments.command)


if __name__ == "__main__":
    main()
