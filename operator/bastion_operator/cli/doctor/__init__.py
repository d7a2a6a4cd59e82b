"""What `kubectl bastion doctor` looks at."""
