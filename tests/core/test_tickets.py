"""The queue of a device: first come, first served, and the dead do not count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.tickets import Ticket, queue

ROOT = Path(__file__).resolve().parents[2]


def test_tickets_are_served_in_the_order_in_which_they_were_taken(home: Path) -> None:
    first, second, third = (Ticket.take("cpu", f"job-{n}") for n in "abc")
    assert [ticket.place() for ticket in (first, second, third)] == [0, 1, 2]
    assert queue("cpu") == ["job-a", "job-b", "job-c"]
    first.release()
    assert [ticket.place() for ticket in (second, third)] == [0, 1]
    second.release()
    third.release()
    assert queue("cpu") == []


def test_the_ticket_of_a_killed_worker_does_not_hold_up_the_queue(home: Path) -> None:
    script = (
        "import sys; from core.tickets import Ticket; t = Ticket.take('cpu', 'job-dead'); print(1, flush=True); input()"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    mine = Ticket.take("cpu", "job-mine")
    assert mine.place() == 1
    worker.kill()
    worker.communicate()
    assert mine.place() == 0
    assert queue("cpu") == ["job-mine"]
    mine.release()


def test_devices_have_queues_of_their_own(home: Path) -> None:
    cpu, card = Ticket.take("cpu", "job-a"), Ticket.take("cuda:0", "job-b")
    assert (cpu.place(), card.place()) == (0, 0)
    cpu.release()
    card.release()
