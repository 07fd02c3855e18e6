"""The app's pages; run by app.py."""
