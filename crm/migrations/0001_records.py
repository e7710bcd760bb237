import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64, unique=True, verbose_name='name')),
                ('next_run_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='next run')),
                ('queued_at', models.DateTimeField(null=True, verbose_name='handed to a worker')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('succeeded_at', models.DateTimeField(null=True, verbose_name='last good run')),
                ('failed_at', models.DateTimeField(null=True, verbose_name='last failed run')),
                ('counts', models.JSONField(default=dict, verbose_name='did')),
                ('error', models.TextField(blank=True, default='', verbose_name='error')),
            ],
            options={
                'verbose_name': 'background job',
                'verbose_name_plural': 'background jobs',
                'ordering': ['name'],
                'permissions': [('run_job', 'Can start background jobs by hand')],
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=40, verbose_name='rule')),
                ('taken', models.BigIntegerField(verbose_name='taken')),
                ('more', models.BooleanField(default=False, verbose_name='more is left for the next night')),
                ('ran_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
            ],
            options={
                'verbose_name': 'run of a retention rule',
                'verbose_name_plural': 'runs of retention rules',
                'indexes': [models.Index(fields=['-ran_at'], name='retention_newest')],
            },
        ),
    ]
