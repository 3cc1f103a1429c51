"""The report of a study: study.json and the pictures beside it to one HTML file."""
