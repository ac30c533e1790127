"""Commands, options and exit codes; no logic.

Exit codes: 0 all is clean, 1 finished but something is not clean, 2 wrong usage, 69 MongoDB is unavailable,
75 try later, 78 bad configuration, 130 and 143 stopped by a signal.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Final, NoReturn

from subcmc_crawler.errors import SubcmcError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def main() -> NoReturn:
    """The entry point of `subcmc`: every fault of ours is one line for each thing to mend, never a traceback."""
    code = run()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # the reader of our output, `head` for example, has left
        code = 0
    except OSError:  # said already, when it was written
        code = code or 1
    # the interpreter would wait for threads of the driver, which look every half second whether they should end,
    # and for an answer of a MongoDB that hangs even two minutes: nobody needs it, all has been written and closed
    os._exit(code)


def run() -> int:
    """Runs the command of this process to its end; gives its exit code."""
    from subcmc_crawler.cli.app import app  # noqa: PLC0415 - a broken import must end as a message, too

    try:
        app(prog_name="subcmc")
    except SubcmcError as error:
        for line in str(error).splitlines():
            print(f"subcmc: {line}", file=sys.stderr)  # noqa: T201 - this is what a command line is for
        return error.exit_code
    except BrokenPipeError:
        return 0
    except OSError as error:
        if error.errno not in _FULL:
            raise
        print(f"subcmc: the output cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else bool(ended.code)
    return 0
