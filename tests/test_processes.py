"""What the trainer asks of its process: memory, and when signals take effect."""

import platform
import signal
import subprocess
import sys

import pytest
import torch
from conftest import ROOT

from shared.training.processes import join_processes, keep_freed_memory, stop_between_batches

PAGES = """
import resource, torch
from shared.training.processes import keep_freed_memory
torch.set_num_threads(1)
def pages(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        large = torch.ones(2**24)    # 64 MiB
        small = large[:2**22] + 1
        del large, small
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages(10)
print(pages(20))
keep_freed_memory()
pages(10)
print(pages(20))
"""


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc"
                    or platform.machine() != "x86_64",
                    reason="only glibc is told to keep memory, and PyTorch for ARM does without it")
def test_kept_memory_is_used_again():
    printed = subprocess.check_output([sys.executable, "-c", PAGES], cwd=ROOT)
    before, after = map(int, printed.split())
    assert after < before / 10


def test_a_rank_alone_is_not_torchrun(monkeypatch):
    """Some schedulers of clusters set it for every program."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_processes(torch.device("cpu")) == (0, 1)


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", lambda _: pytest.fail("it was asked"))
    keep_freed_memory()


@pytest.mark.parametrize("last_batch", [True, False])
def test_a_signal_waits_for_the_end_of_the_batch(last_batch):
    done = []
    with pytest.raises(KeyboardInterrupt), stop_between_batches() as stop_if_asked:
        signal.raise_signal(signal.SIGINT)
        done.append("the batch")
        if not last_batch:
            stop_if_asked()
            done.append("the next batch")
    assert done == ["the batch"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt), stop_between_batches():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it waited")


def test_signals_that_are_ignored_stay_so(monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)    # as in a job of the background
    try:
        with stop_between_batches() as stop_if_asked:
            signal.raise_signal(signal.SIGINT)
            stop_if_asked()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def run(script: str) -> tuple[int, str, str]:
    """The status of a process that runs a script, and what it printed and said on stderr."""
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT,
                             check=False)
    return process.returncode, process.stdout, process.stderr


def test_workers_die_quietly():
    script = ("import signal\nfrom shared.training.processes import leave_signals_to_the_trainer\n"
              "leave_signals_to_the_trainer(0)\nsignal.raise_signal(signal.SIGINT)\n"
              "print('still there', flush=True)\nsignal.raise_signal(signal.SIGTERM)\n"
              "print('not any more', flush=True)")
    # With another status, DataLoader would raise an error in the trainer.
    assert run(script) == (0, "still there\n", "")


def test_all_but_process_0_end_without_pythons_own_way_out():
    """On which a thread of PyTorch aborted one of seven of them, pytorch/pytorch#190489."""
    script = ("import atexit\nimport torch.distributed as dist\nfrom shared.training import processes\n"
              "atexit.register(print, 'its own way out')\n"
              "dist.is_initialized, dist.get_rank = lambda: True, lambda: 1\n"
              "dist.destroy_process_group = lambda: print('left', flush=True)\n"
              "processes.leave_processes()\nprint('goes on')")
    assert run(script) == (0, "left\n", "")
