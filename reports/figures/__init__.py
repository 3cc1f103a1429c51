"""Pictures of findings, drawn with matplotlib into SVG that is the same every time."""
