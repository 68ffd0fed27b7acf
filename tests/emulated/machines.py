"""The machines and what is known of each: data, for run.py and table.py."""

from dataclasses import dataclass, field

# Run on two machines by test.sh; the rest is for --emulated-full. The counting and
# hostile tests take minutes there if polled, so here only those of SHORT_POLLED are.
SHORT = (
    "doctor sample_hello sample_echo sample_spellcheck sample_mandelbrot sample_wordfreq sample_notes served"
    " test_dirty test_table_bits test_tracker test_watchdog test_shells test_fresh_shells test_restore test_registers test_inits test_clones test_cxx test_libc test_edges test_guest_log test_heads"
    " test_state test_stored test_layers test_learned test_function_store test_typed test_host_functions test_secrets test_hyperlight test_backtrace"
    " test_linux test_linux_device test_linux_fds test_linux_fs test_linux_gunyah test_linux_hostile test_linux_memory test_linux_shim test_linux_signals test_linux_store test_linux_threads"
    " test_timeouts test_hostile test_counting test_polled test_polled_exits"
).split()
# Of these, what the kind of KVM does not change: on x86_64 the other builds run it.
SHORT_OF_ARCH = (
    "test_cxx test_libc test_edges test_guest_log test_heads test_layers test_learned test_function_store test_typed test_host_functions test_secrets test_backtrace"
    " test_linux_device test_linux_fds test_linux_fs test_linux_gunyah test_linux_store test_linux_threads"
).split()
SHORT_ENVIRONMENT = {"TEST_EXITS_ONLY": "1", "TEST_ONE_BUILD": "1"}
SHORT_POLLED = ("test_polled", "test_polled_exits")

# Each sample function: the options of `thaw invoke`, and what its reply has.
SAMPLES = {
    "hello": (["-d", '{"name":"Ada"}'], r'^{"message":"Hello, Ada!"}$'),
    "echo": (["-d", "What goes in comes out."], r"^What goes in comes out\.$"),
    "spellcheck": (["-d", "The quik brown fox"], r'"corrected":"The quick brown fox"'),
    "mandelbrot": (["-d", '{"width":64,"height":48}', "-v", "-o", "/dev/null"], r"^Content-Type: image/png$"),
    "wordfreq": (["-d", "@LICENSE"], r'"word":"the"'),
    "notes": (["--method", "GET", "--path", "/1"], r'"title":"Snapshot"'),
    "calc": (["-d", "hypot(3, 4) ^ 2"], r"^25$"),
}

# What QEMU's processors do not do as they should: the behaviours of
# test_hostile that need it are left out, and reported as skipped.
LEFT_OUT = {
    "amd64": {
        "sse_exception": "QEMU raises no SIMD floating-point error",
        "mxcsr_reserved": "QEMU lets reserved bits of MXCSR be set",
        "into": "QEMU 10 takes INTO for an instruction of 64-bit code, too",
        "invalidates_cache": "QEMU 10 lets user mode invalidate caches",
    },
    "arm64": {
        "stack_askew": "QEMU does not check the alignment of the stack pointer",
    },
    "native": {},
}


@dataclass
class Machine:
    title: str  # the table's column
    arch: str  # as Debian names it, or native
    preset: str  # whose build/ it runs
    qemu: list = field(default_factory=list)  # none: on this machine itself
    console: str = ""
    kernel: str = ""  # as kernel.sh calls it
    environment: dict = field(default_factory=dict)


def svm(title, more=""):
    """One CPU: with two, QEMU's SVM loses track of one of them now and then.

    -smap: in user mode IRET and far returns read the stack as the kernel
    would, which QEMU then refuses as SMAP does to kernels.
    """
    return Machine(
        title=title,
        arch="amd64",
        preset="release",
        qemu=["qemu-system-x86_64", "-M", "q35", "-cpu", "max,-smap" + more, "-smp", "1"],
        console="ttyS0",
        kernel="amd64",
        environment={"LD_PRELOAD": "/lib/svm_shim.so", "TEST_POLL_ON_ANY_CPU": "1"},
    )


def arm64(title, cpu, gic, kernel="arm64"):
    """@gic: the machine's interrupt controller; thaw's vms have none.

    pmu=off: QEMU lets user mode read the cycle counter, whatever PMUSERENR_EL0 says.
    """
    return Machine(
        title=title,
        arch="arm64",
        preset="arm64",
        qemu=["qemu-system-aarch64", "-M", f"virt,virtualization=on,gic-version={gic}"]
        + ["-cpu", cpu + ",pmu=off", "-smp", "2"],
        console="ttyAMA0",
        kernel=kernel,
    )


MACHINES = {
    "native": Machine("x86_64, native", "native", "release"),
    "svm": svm("x86_64 SVM, emulated"),
    "svm-shadow": svm("the same without nested paging", ",-npt"),
    # pauth, SVE and SME are slow to emulate: they are for the next one, which
    # shows that guests are kept from them; and that nobody counts on 4 KiB
    "vhe": arm64("arm64 VHE, emulated", "max,pauth=off,sve=off,sme=off", gic=3),
    "vhe-16k": arm64(
        "the same with SVE, SME, pointer authentication, and pages of 16 KiB",
        "max,pauth-impdef=on",
        gic=3,
        kernel="arm64-16k",
    ),
    "nvhe": arm64("arm64 nVHE, emulated", "cortex-a72", gic=2),
}
