"""Decides whether a history of concurrent operations on one object is linearizable.

J. Wing and C. Gong, Testing and verifying concurrent objects (1993): search for an order of the operations that keeps
real time (an operation that ended before another began comes first) and in which a sequential model gives the answers
that were seen. G. Lowe, Testing for linearizability (2017): remember which (operations done, state) were met, and do not
search from there again. A. Horn and D. Kroening, Faster linearizability checking via P-compositionality (2015): each
object is decided by itself, and the search walks one list of begins and ends.

An operation whose outcome is unknown may take effect at any time after it began, or never: it has no end, and an order
need not contain it.

Bounded: after `seconds` or `states_max` met states the verdict is UNDECIDED.
"""
import time

OK, VIOLATION, UNDECIDED = "linearizable", "NOT LINEARIZABLE", "undecided"


class Operation:
    """`model(state)` gives (answer, next state); states are hashable. `answer` None: the outcome is unknown."""
    __slots__ = ("began", "ended", "model", "answer", "name")

    def __init__(self, began, ended, model, answer, name):
        self.began, self.ended, self.model, self.answer, self.name = began, ended, model, answer, name

    def __repr__(self):
        return f"{self.name} -> {'unknown' if self.answer is None else self.answer}"


class Verdict:
    """`prefix`: the longest order found; `stuck`: what could then not come next, with what the model answers."""

    def __init__(self, outcome, states=0, prefix=(), stuck=()):
        self.outcome, self.states, self.prefix, self.stuck = outcome, states, prefix, stuck

    def __bool__(self):
        return self.outcome == OK

    def __str__(self):
        if self.outcome != VIOLATION:
            return f"{self.outcome} ({self.states} states)"
        lines = [f"{self.outcome} ({self.states} states); after the longest order that fits,"]
        lines += [f"    {operation}" for operation in self.prefix[-6:]]
        lines += ["nothing may come next:"]
        lines += [f"    {operation}; the model answers {answer}" for operation, answer in self.stuck]
        return "\n".join(lines)


class Entry:
    """A begin (with `end`) or an end (without) in the list."""
    __slots__ = ("operation", "bit", "end", "previous", "next")

    def __init__(self, operation, bit, end):
        self.operation, self.bit, self.end = operation, bit, end
        self.previous = self.next = None

    def lift(self):
        self.previous.next = self.next
        if self.next:
            self.next.previous = self.previous

    def put_back(self):
        self.previous.next = self
        if self.next:
            self.next.previous = self


def entries_of(operations):
    """The list of begins and ends by time, behind a head; what is unknown has no end in it."""
    events = []
    for number, operation in enumerate(operations):
        end = Entry(operation, 1 << number, None) if operation.answer is not None else None
        events.append((operation.began, 0, number, Entry(operation, 1 << number, end)))
        if end:
            events.append((operation.ended, 1, number, end))
    head = last = Entry(None, 0, None)
    for *_, entry in sorted(events, key=lambda event: event[:3]):
        last.next, entry.previous = entry, last
        last = entry
    return head


def is_end(entry):
    return entry.end is None and entry.operation.answer is not None


def candidates(head):
    """What may come next: what began before anything that is left ended."""
    entry = head.next
    while entry and not is_end(entry):
        yield entry.operation
        entry = entry.next


class Search:
    def __init__(self, operations, initial, seconds, states_max):
        self.head, self.initial = entries_of(operations), initial
        self.left = sum(operation.answer is not None for operation in operations)
        self.until, self.states_max = time.monotonic() + seconds, states_max
        self.met = set()
        self.best, self.best_state = None, None

    def run(self):
        done, state, stack, entry = 0, self.initial, [], self.head.next
        while self.left:
            if entry is None or is_end(entry):
                # An operation has ended that is not in the order: what was chosen last was wrong.
                self.note(stack, state)
                if not stack:
                    return self.violation()
                chosen, done, state = stack.pop()
                self.put_back(chosen)
                entry = chosen.next
                continue
            answer, after = entry.operation.model(state)
            fits = entry.operation.answer is None or answer == entry.operation.answer
            bits = done | entry.bit
            if not fits or (bits, after) in self.met or (entry.operation.answer is None and after == state):
                entry = entry.next
                continue
            self.met.add((bits, after))
            if len(self.met) % 1024 == 0 and time.monotonic() > self.until or len(self.met) > self.states_max:
                return Verdict(UNDECIDED, len(self.met))
            stack.append((entry, done, state))
            self.lift(entry)
            done, state, entry = bits, after, self.head.next
        return Verdict(OK, len(self.met))

    def lift(self, entry):
        entry.lift()
        if entry.end:
            entry.end.lift()
            self.left -= 1

    def put_back(self, entry):
        if entry.end:
            entry.end.put_back()
            self.left += 1
        entry.put_back()

    def note(self, stack, state):
        if self.best is not None and len(stack) <= len(self.best):
            return
        self.best = [entry.operation for entry, _, _ in stack]
        self.best_state = [(operation, operation.model(state)[0]) for operation in candidates(self.head)]

    def violation(self):
        return Verdict(VIOLATION, len(self.met), self.best, self.best_state)


def check(operations, initial, seconds=30.0, states_max=2_000_000):
    return Search(operations, initial, seconds, states_max).run()
