from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0005_proofs_and_notes")]

    operations = [
        migrations.AddField(
            model_name="place",
            name="floor",
            field=models.SmallIntegerField(blank=True, help_text="Of a flat; 0 is the ground floor.", null=True),
        ),
    ]
