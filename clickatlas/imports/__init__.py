"""Links and clicks from elsewhere: other shorteners' exports and APIs, tables of any make, web servers' logs."""
