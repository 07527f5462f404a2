"""`python -m scanner` is `cylinder-scan`."""

import sys

from scanner.cli import main

sys.exit(main())
