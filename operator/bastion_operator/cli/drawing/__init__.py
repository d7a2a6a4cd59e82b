"""The network as a picture: the graph as data, where its parts go, and one renderer for each form."""
