"""`python -m cylinder_trace` is `cylinder-trace`."""

import sys

from cylinder_trace.cli import main

sys.exit(main())
