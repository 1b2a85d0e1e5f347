"""How Sphinx builds the site. `python -m tools.site` runs it over a copy of all pages, laid out as the project is."""

project = "Single Window Gateway"
project_copyright = "the authors of the Single Window Gateway"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "docs/index"
myst_heading_anchors = 4
# Pages from outside docs/ that are read on their own say so by themselves; everything of ours stands in a table of contents.
exclude_patterns: list[str] = []
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
# Furo asks nobody for fonts or scripts; a test looks that it stays so.
html_theme_options = {"top_of_page_buttons": []}
language = "en"
