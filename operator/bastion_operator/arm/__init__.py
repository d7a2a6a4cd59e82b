"""The only room that talks to Azure."""
