"""The live view: tracking, framing advice and a running prediction for the frames of a camera.

Nothing here uses Streamlit. Start reading at `session.py`: one :class:`LiveSession` for each open
page, all sharing the network of `network.py`.
"""
