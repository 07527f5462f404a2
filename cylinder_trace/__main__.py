"""`cylinder-trace`, which is also `python -m cylinder_trace`: the first thing said is what is not installed."""

import sys

_EXTRAS = {"aiosmtpd": "demo", "segno": "demo", "psycopg": "postgres"}
"""Which extra brings a module that not everybody needs; `server` brings the others."""


def main() -> int:
    """Run the command line; 2 where a module that it needs is not installed."""
    try:
        from cylinder_trace.cli import main as run

        return run()
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "", "server")
        print(
            f"cylinder-trace: {error.name} is not installed; pip install 'cylinder-trace[{extra}]'",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(main())
