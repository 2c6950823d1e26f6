from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('routing', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='route',
            name='changes',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='route',
            name='improved_changes',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='visit',
            name='window_earliest',
            field=models.DateTimeField(blank=True, help_text='Of a hold; else the deliveries say.', null=True),
        ),
        migrations.AddField(
            model_name='visit',
            name='window_latest',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
