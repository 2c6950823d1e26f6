"""The vans' real plan: day plans, routes under revisions, visits, holds, and the pure planner package.

Announces routing.eta_changed, routing.route_changed, routing.plan_published. Hears every change that touches a plan.
"""
