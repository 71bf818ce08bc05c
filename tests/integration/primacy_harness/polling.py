"""The one place that sleeps: wait for a condition, with a cap."""

import time


class CapExceeded(AssertionError):
    """A condition did not come true in time; the text says which and what was last seen."""


def wait_until(condition, cap, what, interval=0.02, ignore=()):
    """Calls condition() until it returns something true, and returns that.

    cap is in seconds. Exceptions of the types in `ignore` count as "not yet". `what` finishes the
    sentence "waited N s for ...".
    """
    deadline = time.monotonic() + cap
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except ignore as failure:
            last = f"{type(failure).__name__}: {failure}"
        if time.monotonic() >= deadline:
            raise CapExceeded(f"waited {cap:g} s for {what}; last seen: {last!r}")
        time.sleep(interval)


def hold(condition, duration, what, interval=0.02):
    """Fails as soon as condition() is false during the next `duration` seconds.

    For "this never happens": an absence can only be watched for a while.
    """
    deadline = time.monotonic() + duration
    while time.monotonic() < deadline:
        if not condition():
            raise AssertionError(f"{what} stopped being true")
        time.sleep(interval)
