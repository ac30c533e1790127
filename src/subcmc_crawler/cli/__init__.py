"""Commands, options and exit codes; no logic.

Exit codes: 0 all is clean, 1 finished but something is not clean, 2 wrong usage, 69 MongoDB is unavailable,
75 try later, 78 bad configuration, 130 and 143 stopped by a signal.
"""

from __future__ import annotations

import os
import sys

from subcmc_crawler.errors import StoreLost, SubcmcError


def main() -> None:
    """The entry point of `subcmc`: every fault of ours is one line for each thing to mend, never a traceback."""
    from subcmc_crawler.cli.app import app  # noqa: PLC0415 - a broken import must end as a message, too

    try:
        app(prog_name="subcmc")
    except SubcmcError as error:
        for line in str(error).splitlines():
            print(f"subcmc: {line}", file=sys.stderr)  # noqa: T201 - this is what a command line is for
        if isinstance(error, StoreLost):
            # Motor's threads may wait two minutes more for the answer of a MongoDB that hangs: nobody needs it
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(error.exit_code)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output, `head` for example, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
