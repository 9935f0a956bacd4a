"""Links, campaigns, workspaces and the people who sign in."""
