"""The commands' options, a file each. Nothing here imports more than click: what a command does, it imports when it runs."""
