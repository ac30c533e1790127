"""The faults, and what each one ends.

    SubcmcError
    ├── BadConfig          a setting or the registry; nothing was started             exit 78
    ├── NotFound           a run, province, dataset or key that nobody knows          exit 2
    ├── TryLater           the lease is held, or no window is open                    exit 75
    ├── StoreLost          MongoDB is away, refuses, or holds what we cannot read     exit 69
    ├── WorkersLost        the scheduler of a run's workers is away                   exit 69
    └── Fault              one request to one province                                a verdict
        ├── Unreachable    no answer: connection, TLS, timeout                        verdict 3
        └── Answered       something came back
            ├── Refused    an HTTP status or an envelope code that says no            verdict 4
            ├── Malformed  no envelope can be read from the body                      verdict 4
            └── TooLarge   the body passed the limit of 1.3.1                         a smaller page

Messages are one line: what, where, how to mend. They never hold a record, a secret or a password.
"""

from __future__ import annotations


class SubcmcError(Exception):
    """Root of every error that this package raises on purpose."""

    exit_code = 1


class BadConfig(SubcmcError):
    """A setting or the registry is wrong; `faults` holds one line for each fault."""

    exit_code = 78

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class NotFound(SubcmcError):
    """The user named something that does not exist."""

    exit_code = 2


class TryLater(SubcmcError):
    """Nothing is wrong, but not now: the lease is held or the window is closed."""

    exit_code = 75


class StoreLost(SubcmcError):
    """MongoDB cannot be reached, refuses us, or is not a store of ours."""

    exit_code = 69


class WorkersLost(SubcmcError):
    """Who hands out a run's pulls to other machines cannot be reached any more; the run can be gone on with."""

    exit_code = 69


class Fault(SubcmcError):
    """How one request to a province failed; `kind` is a stable word for ledgers and reports."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


class Unreachable(Fault):
    """No answer came: the connection, TLS or the clock failed."""


class Answered(Fault):
    """An answer came, and it cannot be used."""


class Refused(Answered):
    """An HTTP status other than 200, or an envelope whose code is not 0 (1.3.3).

    `status` is the HTTP status, `retry_after_seconds` what the province asked for, if anything.
    """

    def __init__(
        self, kind: str, detail: str, *, status: int, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class Malformed(Answered):
    """No envelope of the specification can be read from the body (2.2.1.4)."""


class TooLarge(Answered):
    """The decoded body passed 10 MB (1.3.1) and was abandoned while it streamed in."""
