# SPDX-License-Identifier: MIT
"""Makes system calls inside a running program, as somebody would who has taken it over: ptrace(2)."""

import ctypes
import errno
import os
import platform
from pathlib import Path

from world import Skip, eventually, libc

PTRACE_SINGLESTEP, PTRACE_ATTACH, PTRACE_DETACH = 9, 16, 17
PTRACE_GETREGSET, PTRACE_SETREGSET, NT_PRSTATUS = 0x4204, 0x4205, 1

# struct user_regs_struct, in words of 64 bits: where the arguments are, the call's number, its
# result, the instruction, and what restarts an interrupted call.
X86_64 = {"words": 27, "args": (14, 13, 12, 7, 9, 8), "number": 10, "result": 10, "pc": 16,
          "restart": 15, "size": 2}  # fmt: skip
AARCH64 = {"words": 34, "args": (0, 1, 2, 3, 4, 5), "number": 8, "result": 0, "pc": 32,
           "restart": None, "size": 4}  # fmt: skip
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}

# The numbers of some calls there.
CALLS = {
    "x86_64": {"mmap": 9, "mprotect": 10, "socket": 41, "connect": 42, "clone": 56, "execve": 59, "kill": 62,
               "ptrace": 101, "prctl": 157, "keyctl": 250, "unshare": 272,
               "process_vm_writev": 311, "userfaultfd": 323, "getpid": 39},  # fmt: skip
    "aarch64": {"mmap": 222, "mprotect": 226, "socket": 198, "connect": 203, "clone": 220, "execve": 221,
                "kill": 129, "ptrace": 117, "prctl": 167, "keyctl": 219, "unshare": 97,
                "process_vm_writev": 271, "userfaultfd": 282, "getpid": 172},  # fmt: skip
}
# epoll_wait(2) and epoll_pwait(2), as /proc/PID/syscall has them.
WAITS = {"x86_64": {"232", "281"}, "aarch64": {"22"}}


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def ptrace(request, pid, address=0, data=0):
    pointer = ctypes.c_void_p
    if libc.ptrace(request, pid, pointer(address), data if data else pointer(0)) < 0:
        number = ctypes.get_errno()
        if number == errno.EPERM:
            raise Skip("no process may be traced here")
        raise OSError(number, os.strerror(number))


class Takeover:
    """with Takeover(pid) as call: call("getpid"). It waits until the program waits for events."""

    def __init__(self, pid):
        self.pid = pid
        self.machine = MACHINES.get(platform.machine())
        if not self.machine:
            raise Skip(f"no registers known of {platform.machine()}")
        self.numbers = CALLS[platform.machine()]
        self.waits = WAITS[platform.machine()]

    def registers(self, request, words):
        vector = IoVec(ctypes.addressof(words), ctypes.sizeof(words))
        ptrace(request, self.pid, NT_PRSTATUS, ctypes.byref(vector))

    def stopped(self):
        """Stops the program. Returns whether it waits for events: another call would lose its result."""
        ptrace(PTRACE_ATTACH, self.pid)
        os.waitpid(self.pid, 0)
        call = Path(f"/proc/{self.pid}/syscall").read_text().split()[0]
        if call in self.waits:
            return True
        ptrace(PTRACE_DETACH, self.pid)
        return False

    def __enter__(self):
        eventually(self.stopped)
        self.before = (ctypes.c_uint64 * self.machine["words"])()
        self.registers(PTRACE_GETREGSET, self.before)
        return self.call

    def call(self, name, *args):
        """Returns what the call did, or the name of its error."""
        m = self.machine
        words = type(self.before)(*self.before)
        for where, value in zip(m["args"], args):
            words[where] = value & (1 << 64) - 1
        words[m["number"]] = self.numbers[name]
        words[m["pc"]] -= m["size"]  # the instruction that it waits in
        if m["restart"] is not None:
            words[m["restart"]] = (1 << 64) - 1
        self.registers(PTRACE_SETREGSET, words)
        ptrace(PTRACE_SINGLESTEP, self.pid)
        os.waitpid(self.pid, 0)
        self.registers(PTRACE_GETREGSET, words)
        result = ctypes.c_int64(words[m["result"]]).value
        return errno.errorcode[-result] if -4096 < result < 0 else result

    def __exit__(self, *_):
        words = type(self.before)(*self.before)
        words[self.machine["result"]] = (1 << 64) - errno.EINTR
        if self.machine["restart"] is not None:
            words[self.machine["restart"]] = (1 << 64) - 1
        self.registers(PTRACE_SETREGSET, words)
        ptrace(PTRACE_DETACH, self.pid)
