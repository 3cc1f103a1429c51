"""The verdict in the words of other tools: each file turns results and verdict into text."""
