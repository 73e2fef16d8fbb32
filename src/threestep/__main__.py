"""`python -m threestep` is `threestep`."""

from threestep.app import run

if __name__ == "__main__":
    run()
