"""`python -m threestep` is `threestep`."""

import sys

from threestep.app import main

if __name__ == "__main__":
    sys.exit(main())
