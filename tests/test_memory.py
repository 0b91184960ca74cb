"""How training gets its memory, and what it says when there is too little."""

import platform
import subprocess
import sys

import pytest
import torch
from conftest import ROOT

from shared import LessonError
from shared.memory import explain_out_of_memory, keep_freed_memory


def test_too_little_memory_names_the_batch_size():
    with (pytest.raises(LessonError, match="cpu has too little memory for batches of 512 pictures") as caught,
          explain_out_of_memory(512, torch.device("cpu"))):
        torch.empty(10**15)    # four petabytes
    assert len(str(caught.value).splitlines()) == 2
    with pytest.raises(LessonError), explain_out_of_memory(512, torch.device("cuda")):
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(RuntimeError, match="another"), explain_out_of_memory(512, torch.device("cpu")):
        raise RuntimeError("another error is not hidden")


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64",
                    reason="only glibc is told to keep memory, and PyTorch for ARM does not use it")
def test_kept_memory_need_not_be_had_again():
    # In processes of their own, because what is set stays set
    pages = [int(subprocess.run([sys.executable, "-c", f"""
import resource, torch
from shared.memory import keep_freed_memory
torch.set_num_threads(1)
{keep}
def step():
    large = torch.ones(2**24)    # 64 MiB
    small = large[:2**22] + 1
for _ in range(10):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout) for keep in ("", "keep_freed_memory()")]
    assert pages[1] < pages[0] / 10


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", lambda _: pytest.fail("it was asked"))
    keep_freed_memory()
