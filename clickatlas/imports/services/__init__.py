"""Other shorteners, asked through their APIs: one file each, which says what they answer in terms of roles."""
