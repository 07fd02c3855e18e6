"""A camera's frames while they come: whom to follow, how it is framed, what it may be.

Nothing here knows Streamlit. `session.py` is where to start: one :class:`LiveSession` for each
open page, all of them sharing the network of `network.py`.
"""
