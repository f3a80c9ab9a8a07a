"""What a soak run decides by numbers alone: do both sides' counts agree, is memory flat, did all take place that was
asked for?"""

import collections

# A client that nothing came back to may have left before the server accepted it. What waits for as long is accepted.
ACCEPTED_WITHIN_S = 5

# Memory may differ by noise: of clients that differ, of a page here and there.
NOISE_SHARE = 1.1
NOISE_KIB = 2048


def listen_drops():
    """How often the kernel had no place for a connection to wait, of all listeners (nstat: TcpExtListenDrops)."""
    with open("/proc/net/netstat") as file:
        names, values = (line.split() for line in file.read().splitlines()[:2])
    return int(values[names.index("ListenDrops")])


class Clients:
    """What the clients counted, all together."""

    def __init__(self):
        self.outcomes = collections.Counter()
        self.sent_by_whole = 0  # bytes
        self.sent_by_others = 0
        self.heard_by_others = 0
        self.connected = 0  # certainly
        self.doubtful = 0  # connecting failed, and not by a refusal: the server may have accepted it
        self.silent = []  # (begin, end) in seconds, of each that connected and that nothing came back to

    def note(self, fate, begin, end):
        self.outcomes[fate.outcome] += 1
        if fate.outcome == "whole":
            self.sent_by_whole += fate.sent
        else:
            self.sent_by_others += fate.sent
            self.heard_by_others += fate.received
        self.connected += fate.connection == "made"
        self.doubtful += fate.connection == "doubtful"
        if fate.connection == "made" and not fate.received:
            self.silent.append((begin, end))

    def heard(self):
        return self.sent_by_whole + self.heard_by_others

    def perhaps_not_accepted(self, stops, drops):
        """Silent clients around a stop of the server, `stops` being (begin, end) of each; and as many as the kernel let
        a full backlog forget."""
        near = sum(
            any(begin <= stop_end and stop_begin <= end + ACCEPTED_WITHIN_S for stop_begin, stop_end in stops)
            for begin, end in self.silent
        )
        return min(len(self.silent), near + drops)


def between(what, least, found, most):
    return [] if least <= found <= most else [f"{what}: {found}, and the clients' counts allow {least} to {most}"]


def disagreements(clients, servers, stops, drops):
    """`servers`: what the traces count. A server cannot have received less of a client than came back to it, nor sent
    more than it received. Only those that reset or were cut leave room: the kernel may have dropped what they sent."""
    received, sent = servers["bytes_received"], servers["bytes_sent"]
    problems = between("bytes that the servers received", clients.heard(), received,
                       clients.sent_by_whole + clients.sent_by_others)  # fmt: skip
    problems += between("bytes that the servers sent", clients.heard(), sent, received)
    problems += between("connections that the servers accepted", *accepted_bounds(clients, servers, stops, drops))
    if clients.outcomes["cut"] > servers["drained"]:
        problems.append(f"{clients.outcomes['cut']} clients were cut, and drains cut {servers['drained']}")
    return problems


def accepted_bounds(clients, servers, stops, drops):
    """The least, what it is, the most."""
    least = clients.connected - clients.perhaps_not_accepted(stops, drops)
    return least, servers["connections"], clients.connected + clients.doubtful


def quarters(samples):
    """The means of the first and the last quarter of what comes after a third of the samples, in which clients come and
    the mix of them settles. None: they are too few."""
    settled = samples[len(samples) // 3 :]
    quarter = len(settled) // 4
    if not quarter:
        return None
    return sum(settled[:quarter]) / quarter, sum(settled[-quarter:]) / quarter


def has_grown(first, last):
    return last > first * NOISE_SHARE + NOISE_KIB


def verdict_of(problems, gaps):
    """A gap is something that was asked for and that did not take place or could not be looked at."""
    return "violated" if problems else "incomplete" if gaps else "holds"
