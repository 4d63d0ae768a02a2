"""A souk node and clients of it, for tests over real sockets: nothing here knows how souk works inside.

Environment: SOUK (the binary; default build/release/souk), SOUK_SLOW (factor for waits, e.g. under sanitizers).
"""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

import msgpack
import zmq

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOUK = os.environ.get("SOUK", str(ROOT / "build/release/souk"))
POISON = str(pathlib.Path(SOUK).with_name("souk-poison"))  # some keys kill it: tests/poison/kinds.c
SLOW = float(os.environ.get("SOUK_SLOW", "1"))

TOPOLOGY = """
[broker]
listen = ["tcp://127.0.0.1:*"]
events = "tcp://127.0.0.1:*"
{broker}
[store]
path = "data"
memory_mb = 128
{store}
[actors]
catalog = {catalog}
inventory = {inventory}
cart = {cart}
order = {order}
payment = {payment}
sandbox = {sandbox}
[inventory]
{inventory_settings}
[order]
{order_settings}
[cart]
{cart_settings}
"""
ACTORS = dict(catalog=1, inventory=2, cart=1, order=2, payment=1, sandbox=1)


def gbp(pence):
    return {"amount": pence, "currency": "GBP"}


def souk(*arguments, check=None, timeout=120, program=SOUK, **options):
    """Runs a souk command to its end; `check` is the exit code it must have."""
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout * SLOW, **options)
    if check is not None and done.returncode != check:
        raise AssertionError(f"souk {' '.join(map(str, arguments))}: exit {done.returncode}, not {check}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Client:
    """One connection. call() resends under the same id until it is answered."""

    def __init__(self, endpoint, context=None):
        self.socket = (context or zmq.Context.instance()).socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def close(self):
        self.socket.close()

    def send(self, type, key, body=None, id=None, meta=None):
        id = id or uuid.uuid4().hex
        request = [1, id, type, key, body or {}] + ([meta] if meta is not None else [])
        self.socket.send(msgpack.packb(request))
        return id

    def send_raw(self, *frames):
        self.socket.send_multipart(frames)

    def receive(self, timeout=10):
        """(id, status, body) of the next reply frame, or a list of such for a bundle; None after `timeout` s."""
        if not self.socket.poll(int(timeout * 1000 * SLOW)):
            return None
        reply = msgpack.unpackb(self.socket.recv_multipart()[-1])
        return tuple(reply[1:]) if reply[0] == 1 else [tuple(one[1:]) for one in reply[1]]

    def ask(self, type, key, body=None, id=None, meta=None, timeout=30):
        """(status, body) of one command."""
        id = self.send(type, key, body, id, meta)
        end = time.monotonic() + timeout * SLOW
        while time.monotonic() < end:
            reply = self.receive(max(0.01, end - time.monotonic()))
            if reply and not isinstance(reply, list) and reply[0] == id:
                return reply[1], reply[2]
        raise AssertionError(f"no answer to {type} {key}")

    def call(self, type, key, body=None, **options):
        """The body; anything but ok raises Refused."""
        status, reply = self.ask(type, key, body, **options)
        if status != "ok":
            raise Refused(status, reply)
        return reply


class NotStarted(AssertionError):
    """The node ended before it was ready."""

    def __init__(self, code, text):
        super().__init__(f"the node did not start (exit {code}): {text[-3000:]}")
        self.code, self.text = code, text


class Shop:
    """A node in a directory of its own. Use as a context manager."""

    def __init__(self, broker="", store="", inventory_settings="", order_settings="", cart_settings="", **actors):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="souk-test-"))
        self.data = self.directory / "data"
        if "free_min_mb" not in store:  # what a test sees does not depend on how full the machine's disk is
            store += "\nfree_min_mb = 64"
        self.settings = dict(broker=broker, store=store, inventory_settings=inventory_settings,
                             order_settings=order_settings, cart_settings=cart_settings)
        self.program = SOUK
        self.environment = None  # of the node; None: this process's
        self.process = None
        self.endpoint = None
        self.reshape(**actors)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def reshape(self, **actors):
        self.actors = {**ACTORS, **actors}
        (self.directory / "topology.toml").write_text(TOPOLOGY.format(**self.settings, **self.actors))

    def start(self, *arguments, timeout=60, **options):
        """Returns the seconds until `ready`. The endpoint stays the same over restarts."""
        if self.endpoint:
            text = (self.directory / "topology.toml").read_text()
            text = text.replace('listen = ["tcp://127.0.0.1:*"]', f'listen = ["{self.endpoint}"]')
            (self.directory / "topology.toml").write_text(text)
        began = time.monotonic()
        said = len(self.log_text())
        with open(self.directory / "node.log", "ab") as log:
            self.process = subprocess.Popen([self.program, "serve", "-t", str(self.directory / "topology.toml"), *arguments],
                                            stdout=subprocess.PIPE, stderr=log, env=self.environment, **options)
        if not select.select([self.process.stdout], [], [], timeout * SLOW)[0]:
            self.kill()
            raise AssertionError(f"the node is not ready after {timeout} s: {self.log_text()[-3000:]}")
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            code = self.process.wait()
            self.kill()
            raise NotStarted(code, self.log_text()[said:])
        self.endpoint = line.split()[1]
        return time.monotonic() - began

    def log_text(self):
        path = self.directory / "node.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30 * SLOW)
        self.process.stdout.close()
        self.process = None
        return code

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def died(self):
        """The node ends by itself: its exit code."""
        code = self.process.wait(timeout=30 * SLOW)
        self.process.stdout.close()
        self.process = None
        return code

    def client(self):
        return Client(self.endpoint)

    def status(self, client):
        return client.call("souk.status", "shop")

    def settle(self, client, timeout=60):
        """Waits until no order is open."""
        end = time.monotonic() + timeout * SLOW
        while time.monotonic() < end:
            if self.status(client)["open_orders"] == 0:
                return
            time.sleep(0.02)
        raise AssertionError("orders are still open")

    def audit(self, check=0):
        return json.loads(souk("audit", "-d", self.data, "--json", check=check).stdout)

    def replay(self, check=0):
        return json.loads(souk("replay", "-d", self.data, "--json", check=check).stdout)
