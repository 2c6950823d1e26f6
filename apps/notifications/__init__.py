"""Who is told what, once: catalogue, rules, templates, a row per message and per try, transports.

Announces notifications.contact_refused. Hears nearly everything (config/events.py).
"""
