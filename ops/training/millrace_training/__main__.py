"""Command line: python -m millrace_training STAGE --run DIR."""

from .cli import main

main()
