"""What happened, and who still has to hear of it: the transactional outbox and the product's only timer.

Holds Event (a fact, written with the change that caused it) and Reaction (one piece of work to be done after commit).
Announces events.night_begun once a night, for whoever forgets old rows. Everybody calls
`services.emit`, `services.react` and `services.cancel`.
Who hears of what is one table: config/events.py. `manage.py work` keeps the processes alive that do the work.
"""
