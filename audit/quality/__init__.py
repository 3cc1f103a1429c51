"""What makes a radiograph poor as a picture, and the limits beyond which a human should look."""
