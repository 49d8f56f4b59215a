"""What a server has acknowledged, and what it may have done without saying so: what it must hold after it was killed.

Every key has one writer, who makes one change after the other. So each writer leaves at most one change open, and that
one is there whole or not at all, whatever the number of keys that it touches.
"""

import collections
import threading

from botocore.exceptions import ClientError

# Of what a writer asked for last, so much is told when something is wrong with what it has written.
TOLD = 30


def fits(new, old, seen):
    """Whether what is seen is what a change makes of the old value. A callable says so itself."""
    return new(old, seen) if callable(new) else new == seen


class Ledger:
    """Values by key. Nothing (`None`) stands for what is not there."""

    def __init__(self):
        self.kept = {}
        self._open = {}
        self._lock, self._wrong = threading.Lock(), set()
        # The writer of each key; and what each has done last.
        self._writers, self._told = {}, collections.defaultdict(lambda: collections.deque(maxlen=TOLD))
        # Changes that say what they change; a call that leads to nothing is none.
        self.acknowledged = self.unanswered = self.done_unanswered = self.refused = 0
        # Keys that were not as they should be, whatever was wrong with them.
        self.lost = 0

    def write(self, who, changes, call, known=None, refusals=(), **members):
        """Makes a call that changes something; `changes` says what. Where its answer says more, `known` makes the
        changes of the answer. Gives back nothing where it was refused in one of the expected ways."""
        assert who not in self._open, f"{who} writes twice at once"
        self._open[who] = changes
        self._writers |= dict.fromkeys(changes, who)
        try:
            answer = call(**members)
        except ClientError as refused:
            # An answer, so nothing has happened.
            del self._open[who]
            if not any(text in str(refused) for text in refusals):
                raise
            self._told[who].append(f"{who}: refused: {refused}")
            with self._lock:
                self.refused += 1
            return None
        self._keep(known(answer) if known else changes)
        del self._open[who]
        with self._lock:
            self.acknowledged += bool(changes)
            self._told[who].append(f"{who}: {changes}")
        return answer

    def _keep(self, changes):
        for key, value in changes.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value

    def reconcile(self, seen):
        """What is wrong with what is seen, a line each. Whatever it is now is what comes next begins with."""
        faults = []
        for who, changes in self._open.items():
            self.unanswered += bool(changes)
            undone = all(self.kept.get(key) == seen.get(key) for key in changes)
            done = all(fits(new, self.kept.get(key), seen.get(key)) for key, new in changes.items())
            self.done_unanswered += done and not undone
            if not (done or undone):
                faults.append(f"{who} asked for {changes}, which was never answered, and is half done")
                self._wrong.add(who)
                self.lost += 1
            self._told[who].append(f"{who}: {changes} (not answered, {'done' if done else 'not done'})")
            self._keep({key: seen.get(key) for key in changes})
        self._open.clear()
        for key in sorted(self.kept.keys() | seen.keys()):
            if self.kept.get(key) != seen.get(key):
                faults.append(f"{key} is {seen.get(key)!r}; acknowledged was {self.kept.get(key)!r}")
                self._wrong.add(self._writers.get(key, "nobody"))
                self.lost += 1
        return faults

    def story(self):
        """What the writers of the keys that were found wrong have done last, in the order of their answers."""
        return "\n".join(line for who in sorted(self._wrong) for line in self._told[who])
