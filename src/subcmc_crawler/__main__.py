"""`python -m subcmc_crawler` is `subcmc`."""

from subcmc_crawler.cli import main

if __name__ == "__main__":
    main()
