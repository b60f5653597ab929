"""What the tests of the executor let workers do. Importable, so that calls can be pickled."""

import os
import signal
import sys
import threading
import time


def give(value):
    return value


def add(left, right=0, *, more=0):
    return left + right + more


def fail(message):
    raise ValueError(message)


def leave(status):
    sys.exit(status)


def die(number=signal.SIGKILL):
    os.kill(os.getpid(), number)
    time.sleep(60)


def die_once(path):
    """The first time that this file is not there."""
    if not os.path.exists(path):
        open(path, "w").close()
        die()
    return os.getpid()


def pid(_=None):
    return os.getpid()


def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()


def leave_a_thread(_=None):
    """One that nobody will ever end, and that is no daemon."""
    threading.Thread(target=time.sleep, args=(3600,)).start()
    return os.getpid()


def leave_a_pool(_=None):
    from concurrent.futures import ThreadPoolExecutor

    global kept
    kept = ThreadPoolExecutor(1)
    return kept.submit(os.getpid).result()


def touch(path):
    open(path, "w").close()


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.002)
    return path


def say(text):
    print(text)


def give_lambda(_):
    return lambda: None


class Unpicklable(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


class Sour(Exception):
    """It can be pickled, and not made from its pickle."""

    def __init__(self, one, two):
        super().__init__(one)


def raise_unpicklable(_):
    raise Unpicklable("no pickle has that")


def raise_sour(_):
    raise Sour(1, 2)


class Explosive:
    def __reduce__(self):
        raise RuntimeError("not to be pickled")


class Poisoned:
    """It is pickled well, and whoever makes it again gets an exception."""

    def __reduce__(self):
        return fail, ("poisoned",)


def give_poisoned(_):
    return Poisoned()


class Thing:
    """Something that can be referred to weakly."""


def give_thing(_):
    return Thing()


begun = []


def begin(value):
    begun.append(value)


def has_begun(_):
    return list(begun)


def begin_badly():
    raise OSError("no licence")


def nest(value):
    import corral

    with corral.Executor(1) as executor:
        return executor.submit(give, value).result()
