"""The clients of a soak run: each has a word of its own, checks every byte that comes back, and says how it fared."""

import asyncio
import dataclasses
import random
import socket
import struct

# A client that hears nothing for as long gives up: something hangs.
PATIENCE_S = 120


@dataclasses.dataclass
class Fate:
    """How one connection went."""

    kind: str
    # none: it was refused. made: the kernel had it connected. doubtful: it failed otherwise.
    connection: str = "doubtful"
    sent: int = 0  # bytes that were written to the socket
    received: int = 0
    # whole: all came back, and then the end. reset: the client itself reset or left. unserved: it never came to be
    # accepted, or was let go of before a byte of it came back. cut: less came back. wrong: another byte did. hung.
    outcome: str = "hung"
    why: str = ""


class Connection:
    """A client's connection, with the pattern that it sends."""

    def __init__(self, reader, writer, fate, seed, pace):
        self.reader, self.writer, self.fate, self.pace = reader, writer, fate, pace
        self.pattern = random.Random(seed).randbytes(1 << 16)

    def slice(self, position, count):
        begin = position % len(self.pattern)
        wrapped = self.pattern[begin : begin + count]
        while len(wrapped) < count:
            wrapped += self.pattern[: count - len(wrapped)]
        return wrapped

    async def rest(self, seconds):
        await asyncio.sleep(seconds * self.pace)

    async def send(self, count):
        self.writer.write(self.slice(self.fate.sent, count))
        self.fate.sent += count
        await self.writer.drain()

    async def hear(self, count):
        """Waits until so many bytes more came back, or the end."""
        heard = 0
        while heard < count:
            more = await asyncio.wait_for(self.reader.read(min(count - heard, 1 << 16)), PATIENCE_S)
            if not more:
                return False
            self.check(more)
            heard += len(more)
        return True

    def check(self, more):
        if more != self.slice(self.fate.received, len(more)):
            raise ValueError(f"wrong bytes at {self.fate.received}")
        self.fate.received += len(more)

    async def end(self):
        """Ends the client's side and reads on to the server's end."""
        self.writer.write_eof()
        await self.hear(1 << 62)

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def fast(one, chance):
    for _ in range(chance.randint(1, 30)):
        size = chance.choice((1, 5, 64, 1000, 4096))
        await one.send(size)
        if not await one.hear(size):
            return
    await one.end()


async def slow(one, chance):
    for _ in range(chance.randint(2, 8)):
        await one.send(chance.randint(1, 20))
        await one.rest(chance.uniform(0.1, 2))
    await one.end()


async def huge(one, chance):
    """Much at once, read while it is sent."""
    size = chance.randint(1 << 18, 1 << 22)

    async def write():
        for begin in range(0, size, 1 << 15):
            await one.send(min(1 << 15, size - begin))

    writing = asyncio.ensure_future(write())
    try:
        if await one.hear(size):
            await writing
            await one.end()
    finally:
        writing.cancel()


async def holder(one, chance):
    """A word now and then, for a long while."""
    for _ in range(chance.randint(3, 10)):
        await one.send(8)
        if not await one.hear(8):
            return
        await one.rest(chance.uniform(1, 8))
    await one.end()


async def empty(one, _):
    await one.end()


async def resetting(one, chance):
    await one.send(chance.randint(1, 1 << 15))
    if chance.random() < 0.5:
        await one.hear(1)
    one.reset()
    one.fate.outcome = "reset"


async def vanishing(one, chance):
    """Leaves, with what comes back unread."""
    await one.send(chance.randint(1, 1 << 15))
    one.writer.transport.abort()
    one.fate.outcome = "reset"


STEADY = {fast: 40, slow: 20, holder: 30, huge: 1, empty: 5}


async def live(address, seed, is_resetting, pace=1.0):
    """The life of one client: never raises, and always says how it went. `pace`: by how much its rests are shorter."""
    chance = random.Random(seed)
    if is_resetting:
        kind = chance.choice((resetting, vanishing))
    else:
        kind = chance.choices(list(STEADY), list(STEADY.values()))[0]
    fate = Fate(kind.__name__)
    writer = None
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), PATIENCE_S)
        fate.connection = "made"
        await kind(Connection(reader, writer, fate, seed, pace), chance)
        if fate.outcome != "reset":
            fate.outcome = "whole" if fate.received == fate.sent else ("cut" if fate.received else "unserved")
    except ValueError as wrong:
        fate.outcome, fate.why = "wrong", str(wrong)
    except asyncio.TimeoutError:
        fate.why = f"{fate.kind}: silence after {fate.received} of {fate.sent} bytes"
    except OSError as failure:
        if writer is None and isinstance(failure, ConnectionRefusedError):
            fate.connection = "none"
        fate.outcome, fate.why = ("cut" if fate.received else "unserved"), str(failure)
    finally:
        if writer is not None:
            writer.transport.abort()
    return fate
