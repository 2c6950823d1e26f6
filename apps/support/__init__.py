"""The agent's and dispatcher's face inside Django admin.

Today in figures, the desk of one delivery (desk.py), the sidebar, the log-in. Other apps register their own lists.
Announces support.page_viewed. Hears nothing.
"""
