"""The documentation's configuration: built offline by `make docs`, warnings are errors."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]  # this checkout's package, whatever is installed

project = "mtbalance"
author = "The mtbalance authors"
copyright = "The mtbalance authors"
html_title = "mtbalance"

extensions = ["myst_parser", "sphinx.ext.autodoc", "_generate"]
exclude_patterns = ["_generate", "reference/generated", "reference/speed", "results"]  # pages include them

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in ("Matrix", "Vector", "Weights")}
add_module_names = False
default_role = "code"

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
