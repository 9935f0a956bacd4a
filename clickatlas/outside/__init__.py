"""What the server fetches itself: from the public internet only, whatever names and redirects say."""
