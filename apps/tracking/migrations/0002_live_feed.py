from django.db import migrations, models


def add_xid(apps, schema_editor):
    """On PostgreSQL ids are not handed out in commit order; the live tail compares transaction ids with snapshots."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE tracking_pagechange ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()")
        schema_editor.execute("CREATE INDEX tracking_pagechange_xid ON tracking_pagechange (xid)")


def drop_xid(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE tracking_pagechange DROP COLUMN xid")


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="pagesnapshot",
            name="changes_at",
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
        migrations.AlterField(
            model_name="pagechange",
            name="made_at",
            field=models.DateTimeField(db_index=True),
        ),
        migrations.RunPython(add_xid, drop_xid),
    ]
