"""`cylinder-scan`, which is also `python -m scanner`: the first thing said is what is not installed."""

import sys


def main() -> int:
    """Run the command line; 2 where a module that it needs is not installed."""
    try:
        from scanner.cli import main as run

        return run()
    except ModuleNotFoundError as error:
        extra = "station"
        print(
            f"cylinder-scan: {error.name} is not installed; pip install 'cylinder-trace[{extra}]'",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
