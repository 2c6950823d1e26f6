"""Under /admin/, beside the admin's own addresses."""

from django.urls import path

from apps.support import views

app_name = "support"

urlpatterns = [
    path("admin/desk/<int:delivery_id>/as-customer", views.as_customer, name="as_customer"),
    path("admin/desk/<int:delivery_id>/answer", views.answer, name="answer"),
    path("admin/desk/<int:delivery_id>/times", views.times, name="times"),
    path("admin/desk/dispute/<int:dispute_id>", views.dispute, name="dispute"),
    path("admin/desk/proof/<int:proof_id>", views.proof_photo, name="proof_photo"),
    path("admin/desk/<int:delivery_id>/replace-link", views.replace_link, name="replace_link"),
    path("admin/desk/<int:delivery_id>/links/<int:link_id>/withdraw", views.withdraw_link, name="withdraw_link"),
]
