"""Install this release of Memory Engine: python3 install.py [--root FOLDER]. Needs Python and its venv module alone."""

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
# What installs lies in the wheel that is installed; Python reads it out of there.
sys.path.insert(0, str(next((here / "wheels").glob("memory_engine-*.whl"))))

from memory_ui.appliance.install import main  # noqa: E402 -- only now it can be found

sys.exit(main(here, sys.argv[1:]))
