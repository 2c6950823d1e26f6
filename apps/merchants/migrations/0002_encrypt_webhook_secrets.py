from django.db import migrations, models

import apps.core.encryption
from apps.core.encryption import encrypt


def encrypt_secrets(apps, schema_editor):
    for row in apps.get_model("merchants", "WebhookEndpoint").objects.exclude(secret=""):
        row.secret = encrypt(row.secret)
        row.save(update_fields=["secret"])


class Migration(migrations.Migration):
    dependencies = [("merchants", "0001_initial")]

    operations = [
        migrations.AlterField("webhookendpoint", "secret", models.TextField()),
        migrations.RunPython(encrypt_secrets, migrations.RunPython.noop),
        migrations.AlterField(
            "webhookendpoint",
            "secret",
            apps.core.encryption.EncryptedTextField(help_text="whsec_…, shown once when it is made."),
        ),
    ]
