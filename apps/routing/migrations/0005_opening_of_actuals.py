from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0004_learned_times")]

    operations = [
        migrations.RemoveField(model_name="route", name="driven_expected_seconds"),
        migrations.RemoveField(model_name="route", name="driven_seconds"),
        migrations.RemoveField(model_name="route", name="served_expected_seconds"),
        migrations.RemoveField(model_name="route", name="served_seconds"),
        migrations.AddField(
            model_name="actual",
            name="opens_at",
            field=models.DateTimeField(blank=True, help_text="Who came earlier had to wait.", null=True),
        ),
        migrations.AlterField(
            model_name="actual",
            name="cell",
            field=models.CharField(help_text="Grid cell in which the drive began.", max_length=16),
        ),
    ]
