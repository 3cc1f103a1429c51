"""`python -m hipaudit`, which `torchrun -m hipaudit` needs."""

from hipaudit.cli import main

main()
