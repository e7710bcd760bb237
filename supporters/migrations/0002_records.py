import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.math
import django.db.models.functions.text
import django.utils.timezone
import supporters.models.functions
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("supporters", "0001_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DoubleSearch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('percent', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='percent done')),
                ('people', models.BigIntegerField(db_default=0, default=0, verbose_name='people looked at')),
                ('found', models.BigIntegerField(db_default=0, default=0, verbose_name='pairs found')),
                ('new', models.BigIntegerField(db_default=0, default=0, verbose_name='of them new')),
                ('error', models.TextField(blank=True, db_default='', default='', verbose_name='error')),
            ],
            options={
                'verbose_name': 'search for doubles',
                'verbose_name_plural': 'searches for doubles',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='InboxRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('never', 'Never to be written to again'), ('move', 'A new address')], max_length=5, verbose_name='kind')),
                ('email', models.CharField(max_length=254, verbose_name='email')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='asked')),
            ],
            options={
                'verbose_name': 'request to an inbox',
                'verbose_name_plural': 'requests to inboxes',
            },
        ),
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=250, verbose_name='name')),
                ('country', models.CharField(blank=True, db_default='', max_length=2, verbose_name='country')),
                ('role', models.CharField(choices=[('partner', 'Partner'), ('member', 'Member'), ('ally', 'Ally'), ('funder', 'Funder'), ('authority', 'Authority')], default='partner', max_length=10, verbose_name='role')),
                ('website', models.URLField(blank=True, db_default='', verbose_name='website')),
                ('source_code', models.SlugField(help_text="Marks what this partner's links bring in.", max_length=64, verbose_name='source code')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'organisation',
                'verbose_name_plural': 'organisations',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ReceiptDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False, verbose_name='day')),
                ('through', models.BigIntegerField(verbose_name='up to receipt')),
                ('receipts', models.BigIntegerField(verbose_name='receipts')),
                ('taken', models.BigIntegerField(verbose_name='contents taken away')),
                ('root', models.BinaryField(verbose_name='root')),
                ('blocks', models.BinaryField(help_text='The roots of every 256 receipts, one after the other.')),
                ('previous', models.BinaryField(verbose_name='digest before')),
                ('digest', models.BinaryField(verbose_name='digest')),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='made')),
            ],
            options={
                'verbose_name': 'digest of receipts',
                'verbose_name_plural': 'digests of receipts',
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='RecurringDonation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('interval', models.CharField(choices=[('month', 'Monthly'), ('quarter', 'Quarterly'), ('year', 'Yearly')], default='month', max_length=7, verbose_name='interval')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('active', 'Active'), ('failing', 'Payment fails'), ('paused', 'Paused'), ('ended', 'Ended')], default='pending', max_length=7, verbose_name='state')),
                ('provider', models.CharField(blank=True, db_default='', max_length=32, verbose_name='provider')),
                ('provider_id', models.CharField(blank=True, db_default='', max_length=190, verbose_name="provider's id")),
                ('started_on', models.DateField(blank=True, null=True, verbose_name='since')),
                ('next_due_on', models.DateField(blank=True, null=True, verbose_name='next due')),
                ('ended_on', models.DateField(blank=True, null=True, verbose_name='ended')),
                ('source_code', models.CharField(blank=True, db_default='', max_length=64, verbose_name='source code')),
                ('told_at', models.DateTimeField(editable=False, help_text='When the provider, by its clock, last told its state: older news is no news.', null=True)),
                ('ending_key', models.UUIDField(editable=False, help_text='Stored before the provider is asked to end it: it is owed from then on.', null=True)),
            ],
            options={
                'verbose_name': 'recurring donation',
                'verbose_name_plural': 'recurring donations',
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('way', models.CharField(choices=[('paper', 'On paper'), ('partner', "By a partner's own tool")], max_length=7, verbose_name='gathered')),
                ('source', models.CharField(help_text="Where the number comes from: which stall or lists, or which tool and page. Nobody's name.", max_length=250, verbose_name='source')),
                ('number', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000000)], verbose_name='signatures')),
                ('country', models.CharField(help_text='One batch for each country.', max_length=2, verbose_name='country')),
                ('place', models.CharField(blank=True, db_default='', max_length=120, verbose_name='place')),
                ('gathered_on', models.DateField(help_text='The last day, if it was several: the total counts them on that day.', verbose_name='gathered on')),
                ('scan_type', models.CharField(blank=True, choices=[('application/pdf', 'PDF'), ('image/jpeg', 'JPEG'), ('image/png', 'PNG')], db_default='', editable=False, max_length=15, verbose_name='scan')),
                ('scan_size', models.PositiveIntegerField(editable=False, null=True, verbose_name='octets of the scan')),
                ('scan_hash', models.BinaryField(help_text='SHA-256; it outlives the scan.', null=True, verbose_name='hash of the scan')),
                ('no_scan', models.CharField(blank=True, db_default='', help_text="A scan, or the reason why there can't be one.", max_length=250, verbose_name='why there is no scan')),
                ('state', models.CharField(choices=[('entered', 'To be checked'), ('checked', 'Counted'), ('withdrawn', 'Withdrawn')], db_default='entered', default='entered', editable=False, max_length=9, verbose_name='state')),
                ('entered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='entered')),
                ('checked_at', models.DateTimeField(editable=False, null=True, verbose_name='checked')),
                ('withdrawn_at', models.DateTimeField(editable=False, null=True, verbose_name='withdrawn')),
                ('withdrawn_because', models.CharField(blank=True, db_default='', editable=False, max_length=250, verbose_name='why it was withdrawn')),
                ('checked_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='checked by')),
                ('entered_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
            ],
            options={
                'verbose_name': 'batch of signatures',
                'verbose_name_plural': 'batches of signatures',
                'permissions': [('check_tally', 'Can check batches of signatures'), ('see_tally_scan', 'Can see scans of batches of signatures')],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listing', models.CharField(help_text='Its name in supporters.exporting.listings.', max_length=40)),
                ('query', models.TextField(blank=True, db_default='', help_text="Which part of it, as in a page's address.")),
                ('what', models.CharField(max_length=250, verbose_name='list')),
                ('filters', models.TextField(blank=True, db_default='', verbose_name='filters')),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None, verbose_name='columns')),
                ('format', models.CharField(choices=[('xlsx', 'xlsx'), ('ods', 'ods'), ('csv', 'csv'), ('json', 'json')], max_length=4, verbose_name='format')),
                ('people', models.BooleanField(verbose_name='names people')),
                ('traced', models.BooleanField(editable=False, help_text='Whether its parts name everybody who is in it.')),
                ('reason', models.CharField(blank=True, db_default='', max_length=500, verbose_name='why')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='asked for')),
                ('state', models.CharField(choices=[('streamed', 'Handed out at once'), ('queued', 'Waiting'), ('making', 'Being made'), ('done', 'Ready'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('withdrawn', 'Withdrawn'), ('expired', 'Deleted')], max_length=9, verbose_name='state')),
                ('expected', models.BigIntegerField(default=0, help_text='Rows, counted or estimated when it was asked for.')),
                ('rows', models.BigIntegerField(default=0, help_text='Written so far.', verbose_name='rows')),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('begun_anew', models.PositiveSmallIntegerField(default=0, help_text='Tries that no worker died over: somebody in it was erased.')),
                ('file_size', models.BigIntegerField(default=0, help_text='Bytes.', verbose_name='size')),
                ('error', models.TextField(blank=True, db_default='', verbose_name='error')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='made')),
                ('expires_at', models.DateTimeField(editable=False, null=True, verbose_name='kept until')),
                ('by', models.ForeignKey(editable=False, help_text='Empty: from the command line.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'export',
                'verbose_name_plural': 'exports',
                'ordering': ['-created_at'],
                'permissions': [('fetch_export', 'Can fetch files that others had made')],
            },
        ),
        migrations.CreateModel(
            name='ExportPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('people', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Keys of supporters.', size=None)),
                ('export', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='supporters.export')),
            ],
        ),
        migrations.CreateModel(
            name='ImportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('supporters', 'Supporters'), ('donations', 'Donations')], max_length=10, verbose_name='kind')),
                ('state', models.CharField(choices=[('uploaded', 'Uploaded'), ('queued', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('undoing', 'Being undone'), ('undone', 'Undone')], default='uploaded', max_length=9, verbose_name='state')),
                ('file_name', models.CharField(max_length=250, verbose_name='file')),
                ('file_size', models.BigIntegerField(default=0, help_text='Bytes.', verbose_name='size')),
                ('file_hash', models.BinaryField(help_text='SHA-256', null=True)),
                ('layout', models.JSONField(default=dict, help_text='How the file is read: format, encoding, delimiter, sheet, columns, known export.')),
                ('mapping', models.JSONField(default=dict, help_text='Column to field.', verbose_name='mapping')),
                ('options', models.JSONField(default=dict, help_text='What holds for every row: tags, source code, …', verbose_name='options')),
                ('consent_purpose', models.CharField(blank=True, choices=[('email', 'News and appeals by email'), ('post', 'Letters by post'), ('phone', 'Calls and text messages'), ('signature', 'Keeping and counting a signature'), ('partner', 'News from a partner organisation')], default='', max_length=20, verbose_name='consent to')),
                ('consent_wording', models.TextField(blank=True, default='', verbose_name='in these words')),
                ('consent_language', models.CharField(blank=True, default='', max_length=12, verbose_name='language of the words')),
                ('consent_on', models.DateField(blank=True, null=True, verbose_name='given on')),
                ('consent_how', models.CharField(blank=True, default='', max_length=200, verbose_name='how it was given')),
                ('rows', models.BigIntegerField(default=0, verbose_name='rows')),
                ('checkpoint', models.BigIntegerField(default=0, help_text='Rows up to here are in, or listed as failed.', verbose_name='rows done')),
                ('created', models.BigIntegerField(default=0, verbose_name='new')),
                ('updated', models.BigIntegerField(default=0, verbose_name='changed')),
                ('unchanged', models.BigIntegerField(default=0, verbose_name='unchanged')),
                ('failed', models.BigIntegerField(default=0, verbose_name='failed')),
                ('noted', models.BigIntegerField(default=0, help_text="Rows that went in without a value that can't be read; they are listed.", verbose_name='in, less a value')),
                ('held_back', models.BigIntegerField(default=0, help_text='People who had left before: no file brings them back.', verbose_name='consents held back')),
                ('doubtful', models.BigIntegerField(db_default=0, default=0, help_text='Rows that wait for somebody to say whose they are.', verbose_name='doubtful')),
                ('not_taken', models.BigIntegerField(db_default=0, default=0, help_text='Rows of a known export that are none of ours: fees, payouts.', verbose_name='not donations')),
                ('error', models.TextField(blank=True, default='', verbose_name='error')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='uploaded')),
                ('started_at', models.DateTimeField(editable=False, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ImportPreview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('owed', 'Waiting'), ('running', 'Being worked out'), ('done', 'Done'), ('failed', 'Failed')], default='owed', max_length=7, verbose_name='state')),
                ('turn', models.PositiveIntegerField(default=1, help_text='Who was asked again stops what is under way.')),
                ('basis', models.BinaryField(help_text='SHA-256 of the settings that it goes by.')),
                ('checkpoint', models.BigIntegerField(default=0, verbose_name='rows done')),
                ('counts', models.JSONField(default=dict, help_text='Rows by what would become of them.')),
                ('fields', models.JSONField(default=dict, help_text='By field: records in which it would be filled in, and in which it would be replaced.')),
                ('error', models.TextField(blank=True, default='', verbose_name='error')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('made_at', models.DateTimeField(null=True, verbose_name='worked out')),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='preview', to='supporters.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='ImportKey',
            fields=[
                ('pk', models.CompositePrimaryKey('run', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.UUIDField()),
                ('times', models.PositiveIntegerField()),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supporters.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='ImportChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='supporters.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='Donation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('method', models.CharField(choices=[('card', 'Card'), ('swish', 'Swish'), ('bank', 'Bank transfer'), ('debit', 'Direct debit'), ('paypal', 'PayPal'), ('cash', 'Cash'), ('cheque', 'Cheque'), ('other', 'Other')], db_default='other', default='other', max_length=7, verbose_name='method')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('received', 'Received'), ('refunded', 'Refunded'), ('failed', 'Failed')], default='received', max_length=8, verbose_name='state')),
                ('received_on', models.DateField(blank=True, null=True, verbose_name='received')),
                ('provider', models.CharField(blank=True, db_default='', max_length=32, verbose_name='provider')),
                ('provider_id', models.CharField(blank=True, db_default='', max_length=190, verbose_name="provider's id")),
                ('other_ids', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=190), db_default=[], default=list, editable=False, help_text='What else the provider calls this payment, such as its charge.', size=None, verbose_name='other ids')),
                ('source_code', models.CharField(blank=True, db_default='', max_length=64, verbose_name='source code')),
                ('designation', models.CharField(blank=True, db_default='', help_text='What the donor gave for.', max_length=120, verbose_name='designation')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='recorded')),
                ('import_run', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supporters.importrun')),
                ('recurring', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='donations', to='supporters.recurringdonation', verbose_name='agreement')),
            ],
            options={
                'verbose_name': 'donation',
                'verbose_name_plural': 'donations',
                'permissions': [('export_donation', 'Can export donations')],
            },
        ),
        migrations.CreateModel(
            name='ImportTrace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('writer', models.BigIntegerField(help_text='The transaction that wrote it, as it stands in xmin of what it wrote.')),
                ('made', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('made_rows', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('changed', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('changed_rows', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('before', models.JSONField(db_default=[], default=list, help_text='Of those changed: policy.NOTED, as text.')),
                ('after', models.JSONField(db_default=[], default=list)),
                ('references', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('tag_links', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('grants', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('donations', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('donation_rows', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('refunds', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None)),
                ('undone_at', models.DateTimeField(null=True)),
                ('undone_by', models.BigIntegerField(help_text='The transaction that undid it, as `writer`.', null=True)),
                ('counts', models.JSONField(db_default={}, default=dict)),
                ('kept', models.JSONField(db_default=[], default=list, help_text='What could not be undone: row, kind, key, reasons.')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='traces', to='supporters.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='ImportUndo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('looking', 'Being looked at'), ('looked', 'Looked at'), ('undoing', 'Being undone'), ('undone', 'Undone')], default='looking', max_length=7, verbose_name='state')),
                ('turn', models.PositiveIntegerField(default=1, help_text='Who was asked to look again stops what is under way.')),
                ('slices', models.PositiveIntegerField(default=0, help_text='Looked at or undone.')),
                ('counts', models.JSONField(default=dict)),
                ('kept', models.JSONField(default=list, help_text="The first of what can't be undone.")),
                ('looked_at', models.DateTimeField(null=True)),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='undo', to='supporters.importrun')),
            ],
        ),
        migrations.CreateModel(
            name='MergeBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('running', 'Running'), ('stopped', 'Stopped'), ('done', 'Done'), ('undoing', 'Being undone'), ('undone', 'Undone')], db_default='running', default='running', max_length=7, verbose_name='state')),
                ('threshold', models.FloatField(help_text='From 0 to 1.', verbose_name='at least this sure')),
                ('pairs', models.BigIntegerField(db_default=0, default=0, verbose_name='pairs at the start')),
                ('left_out', models.JSONField(db_default={}, default=dict, help_text='Pairs by number, each with the reason.', verbose_name='left out')),
                ('newest_double', models.BigIntegerField(db_default=0, default=0, editable=False, help_text="Pairs found later are not this batch's.")),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='started by')),
                ('taken_back_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='taken back by')),
            ],
            options={
                'verbose_name': 'batch of merges',
                'verbose_name_plural': 'batches of merges',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('away_pk', models.BigIntegerField(editable=False, verbose_name='number of the record merged away')),
                ('away_uuid', models.UUIDField(editable=False)),
                ('other_email', models.EmailField(editable=False, help_text='Known as theirs, and never written to.', max_length=254, null=True, verbose_name='other address')),
                ('away', models.JSONField(db_default={}, default=dict, editable=False, help_text='The record merged away, column by column.')),
                ('changed', models.JSONField(db_default={}, default=dict, editable=False, help_text='Columns of the survivor: what was and what came.')),
                ('kept', models.JSONField(db_default={}, default=dict, editable=False, help_text='By table, what there could only be one of.')),
                ('numbers', models.JSONField(db_default={}, default=dict, editable=False, help_text='By table, how many rows went over.')),
                ('probability', models.FloatField(editable=False, null=True, verbose_name='how sure')),
                ('merged_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='merged')),
                ('settled_at', models.DateTimeField(editable=False, help_text='What undoing takes is gone.', null=True, verbose_name='stands for good since')),
                ('undone_at', models.DateTimeField(editable=False, null=True, verbose_name='undone')),
                ('merged_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='merged by')),
                ('undone_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='undone by')),
                ('batch', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merges', to='supporters.mergebatch', verbose_name='batch')),
            ],
            options={
                'verbose_name': 'merge',
                'verbose_name_plural': 'merges',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='MergeMoved',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(help_text='Model and field: supporters.moves.', max_length=100)),
                ('keys', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('merge', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='moved', to='supporters.merge')),
            ],
            options={
                'verbose_name': 'rows that went over',
                'verbose_name_plural': 'rows that went over',
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('email', 'News and appeals by email'), ('post', 'Letters by post'), ('phone', 'Calls and text messages'), ('signature', 'Keeping and counting a signature'), ('partner', 'News from a partner organisation')], max_length=20, verbose_name='purpose')),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('granted', 'Granted'), ('withdrawn', 'Withdrawn')], max_length=10, verbose_name='state')),
                ('wording', models.TextField(blank=True, db_default='', help_text='The words the person saw.', verbose_name='wording')),
                ('wording_version', models.CharField(blank=True, db_default='', max_length=64, verbose_name='version of the wording')),
                ('language', models.CharField(blank=True, db_default='', max_length=12, verbose_name='language')),
                ('method', models.CharField(choices=[('form', 'A form on our pages'), ('confirmed', 'Confirmed from the inbox'), ('import', 'An imported file'), ('staff', 'Entered by staff'), ('link', 'The unsubscribe page'), ('one_click', "The mail program's unsubscribe button"), ('mailchimp', 'Mailchimp'), ('bounce', 'A bounced message'), ('complaint', 'A spam complaint'), ('merge', 'Two records that were merged')], max_length=10, verbose_name='how')),
                ('source', models.CharField(blank=True, db_default='', help_text='The page, file or message it came from.', max_length=250, verbose_name='source')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='recorded')),
                ('address_hash', models.BinaryField(help_text='Salted hash of the network address it came from.', null=True)),
                ('recorded_by', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('import_run', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supporters.importrun')),
                ('organisation', models.ForeignKey(blank=True, db_index=False, help_text='The partner who may write; empty means ourselves.', null=True, on_delete=django.db.models.deletion.PROTECT, to='supporters.organisation', verbose_name='partner')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
            },
        ),
        migrations.CreateModel(
            name='OrganisationSite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(help_text='For example https://www.partner.org', max_length=255, verbose_name='site')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sites', to='supporters.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'site that may show our form',
                'verbose_name_plural': 'sites that may show our form',
                'ordering': ['origin'],
            },
        ),
        migrations.CreateModel(
            name='PartnerEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invited', 'Invited'), ('password', 'Set a password'), ('login', 'Logged in'), ('refused', 'Wrong password'), ('disabled', 'Login disabled'), ('enabled', 'Login enabled again'), ('removed', 'Said that people who left were removed'), ('erased', 'A person whom the partner had got was erased')], max_length=8, verbose_name='what')),
                ('number', models.PositiveIntegerField(db_default=0, default=0, verbose_name='people')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                ('by', models.ForeignKey(help_text='Who of staff; empty: themselves.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='supporters.organisation', verbose_name='organisation')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='whose login')),
            ],
            options={
                'verbose_name': 'event of a partner',
                'verbose_name_plural': 'events of partners',
            },
        ),
        migrations.CreateModel(
            name='PartnerUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, help_text='What links to a password are made of: another one ends them all.', unique=True)),
                ('invited_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='invited')),
                ('accepted_at', models.DateTimeField(editable=False, null=True, verbose_name='first password')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='logins', to='supporters.organisation', verbose_name='organisation')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='partner', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': "partner's login",
                'verbose_name_plural': "partners' logins",
            },
        ),
        migrations.CreateModel(
            name='PaymentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(choices=[('stripe', 'Stripe'), ('swish', 'Swish'), ('bank', 'Bank')], max_length=6, verbose_name='provider')),
                ('event_id', models.CharField(max_length=190, verbose_name="provider's id")),
                ('kind', models.CharField(max_length=64, verbose_name='type')),
                ('payload', models.TextField(help_text='Emptied 90 days after it was dealt with.', verbose_name='as it came')),
                ('happened_at', models.DateTimeField(help_text="By the provider's clock.", null=True, verbose_name='happened')),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='received')),
                ('state', models.CharField(choices=[('received', 'Received'), ('applied', 'Applied'), ('ignored', 'Nothing to do'), ('review', 'Needs a decision'), ('refused', 'Refused by staff')], db_default='received', default='received', max_length=8, verbose_name='state')),
                ('doubt', models.CharField(blank=True, choices=[('amount', 'The amount is not the one that was pledged.'), ('currency', 'The currency is not the one that was pledged.'), ('unknown', 'It belongs to nothing that we know.'), ('paid_before', 'This pledge was paid before, by another payment.'), ('too_much', 'More would go back than came.'), ('refund_failed', 'A refund did not reach the donor: the money is with us again.'), ('unreadable', 'It is in no form that we know.')], db_default='', max_length=13, verbose_name='reason')),
                ('note', models.CharField(blank=True, db_default='', max_length=250, verbose_name='note')),
                ('waits_for', models.CharField(blank=True, db_default='', help_text='The payment or agreement it is about.', max_length=190, verbose_name='waits for')),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='When it is looked at next.')),
                ('done_at', models.DateTimeField(editable=False, null=True, verbose_name='dealt with')),
                ('decided_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('donation', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='payment_events', to='supporters.donation', verbose_name='donation')),
            ],
            options={
                'verbose_name': 'payment event',
                'verbose_name_plural': 'payment events',
                'permissions': [('settle_paymentevent', 'Can decide on payments in doubt')],
            },
        ),
        migrations.CreateModel(
            name='Petition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='The last part of its address.', unique=True, verbose_name='slug')),
                ('title', models.CharField(max_length=250, verbose_name='title')),
                ('target', models.CharField(blank=True, db_default='', help_text='Who is to act.', max_length=250, verbose_name='target')),
                ('goal', models.PositiveIntegerField(default=1000, help_text='How many signatures we aim for.', verbose_name='goal')),
                ('opens_at', models.DateTimeField(blank=True, null=True, verbose_name='opens')),
                ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='closes')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('open', 'Open'), ('closed', 'Closed')], default='draft', max_length=6, verbose_name='state')),
                ('asks_postcode', models.BooleanField(db_default=False, default=False, help_text='Only if the demand is a local one.', verbose_name='ask for the postcode')),
                ('shows_signers', models.BooleanField(db_default=True, default=True, help_text='First name and country of those who agreed to be shown.', verbose_name='show the latest signers')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'petition',
                'verbose_name_plural': 'petitions',
                'ordering': ['-created_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'open', 'closed'])), name='petition_state'), models.CheckConstraint(condition=models.Q(('goal__gt', 0)), name='petition_goal_positive'), models.CheckConstraint(condition=models.Q(('closes_at__isnull', True), ('opens_at__isnull', True), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='petition_closes_after_opening', violation_error_message='A petition closes after it opens.')],
            },
        ),
        migrations.CreateModel(
            name='PetitionText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('title', models.CharField(max_length=250, verbose_name='title')),
                ('target', models.CharField(blank=True, db_default='', help_text='Who is to act, as this language says it; if empty, as it stands with the petition.', max_length=250, verbose_name='target')),
                ('body', models.TextField(help_text='Markdown.', verbose_name='text')),
                ('petition', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='supporters.petition', verbose_name='petition')),
            ],
            options={
                'verbose_name': 'petition text',
                'verbose_name_plural': 'petition texts',
            },
        ),
        migrations.CreateModel(
            name='PreviewSlice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.BigIntegerField(help_text='Number of a row.')),
                ('last', models.BigIntegerField()),
                ('outcomes', models.JSONField(help_text='By number of the row.')),
                ('examples', models.JSONField(default=dict, help_text='Numbers of the first rows of each outcome.')),
                ('people', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='Who of the file of people is mentioned.', size=None)),
                ('preview', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slices', to='supporters.importpreview')),
            ],
        ),
        migrations.CreateModel(
            name='ReceiptBook',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('sealed_through', models.BigIntegerField(db_default=0, default=0, help_text='Lines of the ledger up to here are sealed, and no other will come among them.')),
                ('checked_lines', models.BigIntegerField(db_default=0, default=0)),
                ('checked_receipts', models.BigIntegerField(db_default=0, default=0)),
                ('checked_day', models.DateField(null=True)),
                ('whole_at', models.DateTimeField(help_text='When all was last found whole.', null=True)),
            ],
            options={
                'verbose_name': 'book of receipts',
                'verbose_name_plural': 'book of receipts',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='receipt_book_one'), models.CheckConstraint(condition=models.Q(('checked_lines__lte', models.F('sealed_through'))), name='receipt_book_checked_what_is_sealed')],
            },
        ),
        migrations.CreateModel(
            name='ReceiptParties',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('controller', models.CharField(max_length=250, verbose_name='organisation')),
                ('site', models.CharField(max_length=250, verbose_name='site')),
                ('partner_number', models.BigIntegerField(help_text='0 for none.', verbose_name="partner's number")),
                ('partner', models.CharField(blank=True, max_length=250, verbose_name='partner')),
            ],
            options={
                'verbose_name': 'parties of receipts',
                'verbose_name_plural': 'parties of receipts',
                'constraints': [models.UniqueConstraint(fields=('controller', 'site', 'partner_number', 'partner'), name='receipt_parties_once')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigIntegerField(primary_key=True, serialize=False, verbose_name='number')),
                ('chain', models.UUIDField(help_text="Of one person, who can't be found by it.", verbose_name='chain')),
                ('number', models.IntegerField(verbose_name='number in the chain')),
                ('asked', models.BigIntegerField(null=True, verbose_name='line that asked')),
                ('salt', models.UUIDField(null=True, verbose_name='salt')),
                ('commitment', models.BinaryField(verbose_name='commitment')),
                ('hash', models.BinaryField(verbose_name='hash')),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='sealed')),
                ('taken_at', models.DateTimeField(null=True, verbose_name='contents taken away')),
                ('taken_for', models.CharField(blank=True, choices=[('erase', 'The person was erased'), ('undo', 'The import that wrote it was undone'), ('merge', 'The merge that wrote it was undone')], db_default='', max_length=5, verbose_name='why')),
                ('told_on', models.DateField(help_text='The day whose digest counts it among those taken away.', null=True, verbose_name='told in the digest of')),
                ('line', models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='receipt', to='supporters.consent', verbose_name='consent')),
                ('parties', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='supporters.receiptparties', verbose_name='parties')),
            ],
            options={
                'verbose_name': 'receipt',
                'verbose_name_plural': 'receipts',
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('refunded_on', models.DateField(verbose_name='refunded')),
                ('provider', models.CharField(blank=True, db_default='', max_length=32, verbose_name='provider')),
                ('provider_id', models.CharField(blank=True, db_default='', max_length=190, verbose_name="provider's id")),
                ('reason', models.CharField(blank=True, db_default='', max_length=250, verbose_name='reason')),
                ('donation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='supporters.donation', verbose_name='donation')),
            ],
            options={
                'verbose_name': 'refund',
                'verbose_name_plural': 'refunds',
            },
        ),
        migrations.CreateModel(
            name='SavedMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=250, verbose_name='name')),
                ('kind', models.CharField(choices=[('supporters', 'Supporters'), ('donations', 'Donations')], max_length=10, verbose_name='kind')),
                ('fingerprint', models.BinaryField(help_text='SHA-256 of the names of the columns, in any order.')),
                ('columns', models.JSONField(help_text='As in ImportRun.mapping, with the names as they were.', verbose_name='columns')),
                ('options', models.JSONField(default=dict, help_text='What holds for every row: country, currency, who wins …', verbose_name='options')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='saved')),
                ('used_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='last used')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'saved mapping',
                'verbose_name_plural': 'saved mappings',
                'ordering': ['-used_at'],
            },
        ),
        migrations.CreateModel(
            name='SignatureCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                ('day', models.DateField(help_text='Of the confirmation, in UTC.', verbose_name='day')),
                ('number', models.BigIntegerField(verbose_name='number')),
                ('organisation', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='supporters.organisation', verbose_name='organisation')),
                ('petition', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='counts', to='supporters.petition', verbose_name='petition')),
            ],
            options={
                'verbose_name': 'count of signatures',
                'verbose_name_plural': 'counts of signatures',
            },
        ),
        migrations.CreateModel(
            name='Supporter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True)),
                ('first_name', models.CharField(blank=True, db_default='', max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, db_default='', max_length=150, verbose_name='last name')),
                ('email', models.CharField(blank=True, max_length=254, null=True, verbose_name='email')),
                ('language', models.CharField(blank=True, db_default='', help_text='As in sv or pt-br; empty if not known.', max_length=12, verbose_name='language')),
                ('country', models.CharField(blank=True, db_default='', help_text='Two letters, ISO 3166; empty if not known.', max_length=2, verbose_name='country')),
                ('birth_date', models.DateField(blank=True, null=True, verbose_name='birth date')),
                ('phone', models.CharField(blank=True, db_default='', max_length=40, verbose_name='phone')),
                ('street', models.CharField(blank=True, db_default='', max_length=250, verbose_name='street')),
                ('postcode', models.CharField(blank=True, db_default='', max_length=20, verbose_name='postcode')),
                ('city', models.CharField(blank=True, db_default='', max_length=120, verbose_name='city')),
                ('region', models.CharField(blank=True, db_default='', max_length=120, verbose_name='region')),
                ('source_code', models.CharField(blank=True, db_default='', help_text='What brought this person in.', max_length=64, verbose_name='source code')),
                ('how_often', models.CharField(blank=True, choices=[('', 'Every appeal'), ('week', 'At most one a week'), ('month', 'At most one in four weeks')], db_default='', default='', help_text='Appeals beyond that are skipped. Receipts and what they ask for themselves always go.', max_length=5, verbose_name='how often')),
                ('discreet', models.BooleanField(db_default=False, default=False, help_text="Subject and sender of every message tell nothing. No Mailchimp: it can't do that.", verbose_name='discreet mail')),
                ('marks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('role', 'Role address'), ('disposable', 'Disposable address'), ('taken', 'Address somebody else has too'), ('malformed', 'Malformed address'), ('phone', 'Doubtful phone number'), ('postcode', 'Doubtful postcode')], max_length=10), db_default=[], default=list, editable=False, help_text='What is odd about how this person can be reached. See supporters.hygiene.marks.', size=None, verbose_name='marks')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='updated')),
                ('search', models.GeneratedField(db_persist=True, expression=supporters.models.functions.Fold(django.db.models.functions.text.Concat(models.F('first_name'), models.Value(' '), models.F('last_name'), models.Value(' '), django.db.models.functions.comparison.Coalesce(models.F('email'), models.Value(''), output_field=models.TextField()), models.Value(' '), models.F('phone'), models.Value(' '), models.F('city'), output_field=models.TextField())), output_field=models.TextField())),
                ('organisation', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='supporters', to='supporters.organisation', verbose_name='organisation')),
                ('shares_email_with', models.ForeignKey(blank=True, db_index=False, help_text='Whose email address this person shares. Mail goes to that person only.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sharing_email', to='supporters.supporter', verbose_name='reached through')),
            ],
            options={
                'verbose_name': 'supporter',
                'verbose_name_plural': 'supporters',
                'permissions': [('disclose_supporter', 'Can hand out all that is held of a supporter'), ('erase_supporter', 'Can erase supporters'), ('export_supporter', 'Can export supporters'), ('merge_supporter', 'Can merge two supporters, and undo it'), ('merge_supporter_batch', 'Can merge the certain doubles all at once, and undo it')],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('validated', 'Validated'), ('invalidated', 'Invalidated')], default='pending', max_length=11, verbose_name='state')),
                ('country', models.CharField(blank=True, db_default='', max_length=2, verbose_name='country')),
                ('language', models.CharField(blank=True, db_default='', max_length=12, verbose_name='language')),
                ('source_code', models.CharField(blank=True, db_default='', max_length=64, verbose_name='source code')),
                ('comment', models.TextField(blank=True, db_default='', max_length=2000, verbose_name='comment')),
                ('shown', models.BooleanField(db_default=False, default=False, help_text='First name and country may stand on the page.', verbose_name='shown')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True)),
                ('email', models.EmailField(editable=False, help_text='As typed by a signer who has yet to confirm: only then does it say who they are.', max_length=254, null=True, verbose_name='email')),
                ('typed', models.JSONField(db_default={}, default=dict, editable=False, help_text='What else they typed, and the words they ticked.')),
                ('doubled', models.BooleanField(db_default=False, default=False, editable=False, help_text='Of somebody who was on file twice and signed twice: it is not the one that counts.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='signed')),
                ('validated_at', models.DateTimeField(blank=True, null=True, verbose_name='validated')),
                ('taken_back_at', models.DateTimeField(editable=False, help_text='By the signer, who may sign again.', null=True, verbose_name='taken back')),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='supporters.organisation', verbose_name='organisation')),
                ('petition', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='supporters.petition', verbose_name='petition')),
                ('supporter', models.ForeignKey(db_index=False, help_text='Empty until the signer has confirmed, and once the person was erased: the signature still counts.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'signature',
                'verbose_name_plural': 'signatures',
                'permissions': [('export_signature', 'Can export signatures')],
            },
        ),
        migrations.CreateModel(
            name='Reference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system', models.CharField(max_length=64, verbose_name='system')),
                ('identifier', models.CharField(max_length=128, verbose_name='identifier')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='references', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'reference',
                'verbose_name_plural': 'references',
            },
        ),
        migrations.AddField(
            model_name='recurringdonation',
            name='supporter',
            field=models.ForeignKey(help_text='Empty once the person was erased.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recurring_donations', to='supporters.supporter', verbose_name='supporter'),
        ),
        migrations.CreateModel(
            name='Pledge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, unique=True)),
                ('method', models.CharField(choices=[('card', 'Card or wallet'), ('swish', 'Swish'), ('bank', 'Bank transfer')], max_length=5, verbose_name='method')),
                ('minor_units', models.BigIntegerField(help_text="As in 10000 for 100 SEK; in the currency's own units, ISO 4217.", verbose_name='amount in minor units')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('interval', models.CharField(choices=[('once', 'Once'), ('month', 'Monthly')], default='once', max_length=5, verbose_name='how often')),
                ('state', models.CharField(choices=[('waiting', 'Waiting for the money'), ('paid', 'Paid'), ('failed', 'Payment failed'), ('lapsed', 'Lapsed')], db_default='waiting', default='waiting', max_length=7, verbose_name='state')),
                ('reference', models.CharField(help_text='What the payer writes with the money.', max_length=25, unique=True, verbose_name='reference')),
                ('email', models.EmailField(blank=True, db_default='', max_length=254, verbose_name='email')),
                ('first_name', models.CharField(blank=True, db_default='', max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, db_default='', max_length=150, verbose_name='last name')),
                ('language', models.CharField(blank=True, db_default='', max_length=12, verbose_name='language')),
                ('source_code', models.CharField(blank=True, db_default='', max_length=64, verbose_name='source code')),
                ('news', models.JSONField(editable=False, help_text='The words of the box for news, if it was ticked; see Wording.as_json.', null=True)),
                ('idempotency_key', models.UUIDField(default=uuid.uuid4, editable=False, help_text='Stored before the provider is asked, so that asking twice is once.')),
                ('session_id', models.CharField(blank=True, db_default='', max_length=190, verbose_name="provider's session")),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='pledged')),
                ('donation', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='pledge', to='supporters.donation', verbose_name='donation')),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supporters.organisation', verbose_name='organisation')),
                ('recurring', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='pledge', to='supporters.recurringdonation', verbose_name='agreement')),
                ('supporter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'pledge',
                'verbose_name_plural': 'pledges',
            },
        ),
        migrations.CreateModel(
            name='OrganisationContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('function', models.CharField(blank=True, db_default='', max_length=120, verbose_name='function')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='supporters.organisation', verbose_name='organisation')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='supporters.supporter', verbose_name='person')),
            ],
            options={
                'verbose_name': 'contact',
                'verbose_name_plural': 'contacts',
            },
        ),
        migrations.AddField(
            model_name='organisation',
            name='contacts',
            field=models.ManyToManyField(related_name='contact_of', through='supporters.OrganisationContact', to='supporters.supporter', verbose_name='contacts'),
        ),
        migrations.AddField(
            model_name='merge',
            name='survivor',
            field=models.ForeignKey(help_text='Whoever they are by now: a merge of the survivor takes it along.', on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='supporters.supporter', verbose_name='person'),
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('confirm', 'Confirm a signature'), ('remind', 'Reminder to confirm a signature'), ('receipt', 'Receipt for a donation'), ('preferences', "Link to one's own choices"), ('never', 'Confirm never to be written to'), ('move', 'Confirm a new address'), ('moving', 'Word of a new address, to the old one'), ('invitation', 'Invitation to log in'), ('password', 'Link to a new password')], max_length=12, verbose_name='kind')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('state', models.CharField(choices=[('owed', 'Owed'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed'), ('unknown', 'Unknown')], db_default='owed', default='owed', max_length=7, verbose_name='state')),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='due')),
                ('taken_at', models.DateTimeField(editable=False, null=True, verbose_name='last taken up')),
                ('times', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='times sent')),
                ('error', models.CharField(blank=True, db_default='', max_length=250, verbose_name='what the mail server said')),
                ('donation', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='supporters.donation', verbose_name='donation')),
                ('inbox_request', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='supporters.inboxrequest', verbose_name='request to an inbox')),
                ('partner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='supporters.partneruser', verbose_name="partner's login")),
                ('signature', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='supporters.signature', verbose_name='signature')),
                ('supporter', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'letter',
                'verbose_name_plural': 'letters',
            },
        ),
        migrations.AddField(
            model_name='inboxrequest',
            name='supporter',
            field=models.ForeignKey(help_text='Who wants to be reached there.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='inbox_requests', to='supporters.supporter', verbose_name='supporter'),
        ),
        migrations.CreateModel(
            name='ImportRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(help_text='Counted as a spreadsheet does: the first row below the header is 2.', verbose_name='row')),
                ('values', models.JSONField(verbose_name='values')),
                ('reason', models.TextField(verbose_name='reason')),
                ('went_in', models.BooleanField(db_default=False, default=False, help_text='All of it but the value that the reason names.', verbose_name='went in')),
                ('verdict', models.CharField(blank=True, choices=[('waiting', 'Waits for you'), ('same', 'The same person'), ('second', 'A second person'), ('left_out', 'Left out')], db_default='', help_text='Empty where none is needed.', max_length=8, verbose_name='verdict')),
                ('decided_at', models.DateTimeField(editable=False, null=True, verbose_name='decided')),
                ('settled_at', models.DateTimeField(editable=False, null=True, verbose_name='done')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='failures', to='supporters.importrun', verbose_name='import')),
                ('supporter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supporters.supporter', verbose_name='who it may be')),
            ],
            options={
                'verbose_name': 'row to look at',
                'verbose_name_plural': 'rows to look at',
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Handover',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(help_text='As it was handed out.', max_length=254, verbose_name='email')),
                ('handed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                ('export', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers', to='supporters.export', verbose_name='last in the export')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers', to='supporters.organisation', verbose_name='organisation')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'handover',
                'verbose_name_plural': 'handovers',
            },
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(db_index=True, help_text='Of the record, which leads here once the person is erased.', verbose_name='number')),
                ('state', models.CharField(choices=[('received', 'To be decided'), ('approved', 'Being carried out'), ('elsewhere', 'Erased here, not yet elsewhere'), ('done', 'Done'), ('refused', 'Refused'), ('taken_back', 'Taken back')], default='received', max_length=10, verbose_name='state')),
                ('door', models.CharField(choices=[('email', 'By email'), ('letter', 'By letter'), ('phone', 'By phone'), ('meeting', 'In person'), ('page', 'On our pages'), ('ours', 'Nobody asked: we need the data no longer')], max_length=7, verbose_name='how they asked')),
                ('identified', models.CharField(blank=True, choices=[('inbox', 'Wrote from, or answered at, the address on file'), ('details', 'Told what only they can know'), ('known', 'Is known to us in person'), ('document', 'Showed a document'), ('link', 'Followed the link in a message to them'), ('needless', 'Not needed: nobody asked')], max_length=8, verbose_name='how we know it is they')),
                ('note', models.TextField(blank=True, db_default='', help_text='Goes with the person.', verbose_name='note')),
                ('received_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='received')),
                ('due_on', models.DateField(verbose_name='due')),
                ('extended_on', models.DateField(null=True, verbose_name='extended')),
                ('extension', models.CharField(blank=True, db_default='', max_length=250, verbose_name='why it takes longer')),
                ('ground', models.CharField(blank=True, choices=[('expression', 'Freedom of expression and information, 17(3)(a)'), ('law', 'A legal obligation, or a task in the public interest, 17(3)(b)'), ('health', 'Public health, 17(3)(c)'), ('archive', 'Archiving, research or statistics, 17(3)(d)'), ('claims', 'Legal claims, 17(3)(e)'), ('unfounded', 'Manifestly unfounded or excessive, 12(5)'), ('unidentified', "We can't tell that it is they who ask, 12(6)")], db_default='', max_length=12, verbose_name='refused on the ground of')),
                ('refusal', models.TextField(blank=True, db_default='', verbose_name='why it was refused')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                ('batch', models.UUIDField(editable=False, help_text='What was asked for with it, from one list.', null=True)),
                ('trouble', models.CharField(blank=True, db_default='', max_length=500, verbose_name='what keeps it')),
                ('look_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='When a worker looks at it next.')),
                ('files_to', models.BigIntegerField(db_default=0, default=0, editable=False, help_text='The import up to which stored files were gone through.')),
                ('owed', models.JSONField(default=dict, editable=False, help_text='Rows by holding that stay until somebody outside has forgotten the person too.')),
                ('kept', models.JSONField(default=dict, editable=False, help_text='Rows by holding.', verbose_name='what stayed')),
                ('erased_at', models.DateTimeField(null=True, verbose_name='erased here')),
                ('done_at', models.DateTimeField(null=True, verbose_name='done')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written down by')),
                ('supporter', models.ForeignKey(help_text='Empty once the person was erased.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='erasure_requests', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'erasure request',
                'verbose_name_plural': 'erasure requests',
            },
        ),
        migrations.CreateModel(
            name='Double',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('probability', models.FloatField(help_text='From 0 to 1, that they are one person.', verbose_name='how sure')),
                ('evidence', models.JSONField(default=list, help_text='Per comparison: what was compared, how it agrees, what that weighs.', verbose_name='why')),
                ('cluster', models.BigIntegerField(help_text='The smallest number of its supporters.', verbose_name='group')),
                ('cluster_size', models.PositiveIntegerField(db_default=2, default=2, verbose_name='people in the group')),
                ('loose', models.BooleanField(db_default=False, default=False, help_text='The group is large or held together by little: it may be more than one person.', verbose_name='look closely')),
                ('certain', models.BooleanField(db_default=False, default=False, help_text='Sure enough to be merged without a look.', verbose_name='certain')),
                ('state', models.CharField(choices=[('open', 'To be looked at'), ('merged', 'Merged'), ('different', 'Not the same')], db_default='open', default='open', max_length=9, verbose_name='state')),
                ('found_by', models.CharField(choices=[('file', 'Search of the whole file'), ('door', 'On the way in'), ('staff', 'Staff')], db_default='file', default='file', max_length=5, verbose_name='found by')),
                ('found_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='found')),
                ('decided_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='decided')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supporters.supporter', verbose_name='supporter')),
                ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supporters.supporter', verbose_name='perhaps the same')),
            ],
            options={
                'verbose_name': 'possible double',
                'verbose_name_plural': 'possible doubles',
                'permissions': [('decide_double', 'Can say whether two supporters are the same')],
            },
        ),
        migrations.AddField(
            model_name='donation',
            name='supporter',
            field=models.ForeignKey(help_text='Empty once the person was erased: the books keep the gift.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='donations', to='supporters.supporter', verbose_name='supporter'),
        ),
        migrations.CreateModel(
            name='Disclosure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('form', models.CharField(choices=[('html', 'A page to read and to print'), ('json', 'JSON, for other programs'), ('given', 'JSON of what they gave us, to take elsewhere')], max_length=5, verbose_name='form')),
                ('language', models.CharField(blank=True, help_text="In which the person gathers it themselves; empty where staff do, for whom it is in the person's own.", max_length=10, verbose_name='language')),
                ('reason', models.CharField(max_length=200, verbose_name='why')),
                ('state', models.CharField(choices=[('queued', 'Being made'), ('done', 'Ready'), ('failed', 'Failed'), ('expired', 'Deleted')], default='queued', max_length=7, verbose_name='state')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='asked for')),
                ('made_at', models.DateTimeField(editable=False, null=True, verbose_name='made')),
                ('expires_at', models.DateTimeField(editable=False, null=True, verbose_name='kept until')),
                ('content', models.BinaryField(help_text='The file, packed by zlib.', null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='disclosures', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'disclosure',
                'verbose_name_plural': 'disclosures',
            },
        ),
        migrations.AddField(
            model_name='consent',
            name='supporter',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='supporters.supporter', verbose_name='supporter'),
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email_hash', models.BinaryField()),
                ('reason', models.CharField(choices=[('left', 'Left'), ('hard_bounce', 'Hard bounce'), ('complaint', 'Spam complaint'), ('erased', 'Erased'), ('by_hand', 'By hand'), ('never', 'Never again, by their own word')], max_length=12, verbose_name='reason')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='since')),
            ],
            options={
                'verbose_name': 'suppression',
                'verbose_name_plural': 'suppressions',
                'constraints': [models.UniqueConstraint(fields=('email_hash', 'reason'), name='suppression_unique'), models.CheckConstraint(condition=models.Q(('reason__in', ['left', 'hard_bounce', 'complaint', 'erased', 'by_hand', 'never'])), name='suppression_reason')],
            },
        ),
        migrations.CreateModel(
            name='Tag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
            ],
            options={
                'verbose_name': 'tag',
                'verbose_name_plural': 'tags',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='tag_name_unique', violation_error_message='There is such a tag.'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), ('name', django.db.models.functions.text.Trim('name'))), name='tag_name_trimmed')],
            },
        ),
        migrations.AddField(
            model_name='supporter',
            name='tags',
            field=models.ManyToManyField(blank=True, related_name='supporters', to='supporters.tag', verbose_name='tags'),
        ),
        migrations.CreateModel(
            name='TallyScan',
            fields=[
                ('tally', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='scan', serialize=False, to='supporters.tally')),
                ('content', models.BinaryField()),
            ],
            options={
                'verbose_name': 'scan',
                'verbose_name_plural': 'scans',
            },
        ),
        migrations.AddField(
            model_name='tally',
            name='organisation',
            field=models.ForeignKey(blank=True, help_text='Who gathered them; empty means ourselves.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supporters.organisation', verbose_name='organisation'),
        ),
        migrations.AddField(
            model_name='tally',
            name='petition',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tallies', to='supporters.petition', verbose_name='petition'),
        ),
        migrations.AddField(
            model_name='tally',
            name='withdrawn_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by'),
        ),
        migrations.CreateModel(
            name='Tidying',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('look', 'Look only: nothing is written'), ('mark', 'Write marks'), ('write', 'Write marks, and values in their one form')], max_length=5, verbose_name='what')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='begun')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('checkpoint', models.BigIntegerField(db_default=0, default=0, editable=False, help_text='The last supporter that was looked at.')),
                ('people', models.BigIntegerField(db_default=0, default=0, verbose_name='people looked at')),
                ('counts', models.JSONField(default=dict, help_text='How many would be or were changed, by what was changed.', verbose_name='found')),
                ('conflicts', models.JSONField(default=list, help_text='Keys of supporters, pair by pair.', verbose_name='addresses of two people')),
            ],
            options={
                'verbose_name': 'look through all records',
                'verbose_name_plural': 'looks through all records',
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['look', 'mark', 'write'])), name='tidying_kind'), models.UniqueConstraint(models.F('kind'), condition=models.Q(('finished_at', None)), name='tidying_one_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('state', models.CharField(choices=[('open', 'Open'), ('won', 'Won'), ('lost', 'Lost')], default='open', max_length=4, verbose_name='state')),
                ('reason', models.CharField(blank=True, db_default='', max_length=64, verbose_name='reason')),
                ('provider', models.CharField(max_length=32, verbose_name='provider')),
                ('provider_id', models.CharField(max_length=190, verbose_name="provider's id")),
                ('opened_on', models.DateField(verbose_name='opened')),
                ('closed_on', models.DateField(blank=True, null=True, verbose_name='closed')),
                ('donation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='supporters.donation', verbose_name='donation')),
            ],
            options={
                'verbose_name': 'dispute',
                'verbose_name_plural': 'disputes',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('amount__lt', Decimal('1E+12'))), ('amount__isnull', True), _connector='OR'), name='dispute_amount_positive', violation_error_message='An amount is above 0.'), models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('provider', 'provider_id'), name='dispute_provider_unique', violation_error_message='This payment is on file already.'), models.CheckConstraint(condition=models.Q(('provider_id', ''), models.Q(('provider', ''), _negated=True), _connector='OR'), name='dispute_provider_named', violation_error_message="A provider's id needs its provider."), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'won', 'lost'])), name='dispute_state')],
            },
        ),
        migrations.AddIndex(
            model_name='export',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'making'])), fields=['id'], name='export_owed'),
        ),
        migrations.AddIndex(
            model_name='export',
            index=models.Index(condition=models.Q(('state', 'done')), fields=['expires_at'], name='export_kept'),
        ),
        migrations.AddIndex(
            model_name='export',
            index=models.Index(fields=['by', '-created_at'], name='export_of_user'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['streamed', 'queued', 'making', 'done', 'failed', 'cancelled', 'withdrawn', 'expired'])), name='export_state'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('format__in', ['xlsx', 'ods', 'csv', 'json'])), name='export_format'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('people', False), ('reason__regex', '\\S'), _connector='OR'), name='export_of_people_says_why', violation_error_message='Say why people leave the house in a file.'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('expires_at__isnull', False), _connector='OR'), name='export_file_expires'),
        ),
        migrations.AddConstraint(
            model_name='exportpart',
            constraint=models.UniqueConstraint(fields=('export', 'number'), name='export_part_unique'),
        ),
        migrations.AddIndex(
            model_name='importrun',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['id'], name='import_owed'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['supporters', 'donations'])), name='import_kind'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['uploaded', 'queued', 'running', 'done', 'failed', 'cancelled', 'undoing', 'undone'])), name='import_state'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(('consent_purpose', ''), models.Q(models.Q(('consent_wording', ''), _negated=True), ('consent_on__isnull', False), models.Q(('consent_how', ''), _negated=True)), _connector='OR'), name='import_consent_has_proof', violation_error_message='Say what was consented to in which words, when and how.'),
        ),
        migrations.AddIndex(
            model_name='importpreview',
            index=models.Index(condition=models.Q(('state__in', ['owed', 'running'])), fields=['id'], name='import_preview_owed'),
        ),
        migrations.AddConstraint(
            model_name='importpreview',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['owed', 'running', 'done', 'failed'])), name='import_preview_state'),
        ),
        migrations.AddConstraint(
            model_name='importchunk',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='import_chunk_unique'),
        ),
        migrations.AddIndex(
            model_name='importtrace',
            index=models.Index(condition=models.Q(('undone_at', None)), fields=['run', '-id'], name='import_trace_owed'),
        ),
        migrations.AddIndex(
            model_name='importundo',
            index=models.Index(condition=models.Q(('state__in', ['looking', 'undoing'])), fields=['id'], name='import_undo_owed'),
        ),
        migrations.AddConstraint(
            model_name='importundo',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['looking', 'looked', 'undoing', 'undone'])), name='import_undo_state'),
        ),
        migrations.AddIndex(
            model_name='mergebatch',
            index=models.Index(condition=models.Q(('state__in', ['running', 'undoing'])), fields=['id'], name='merge_batch_owed'),
        ),
        migrations.AddConstraint(
            model_name='mergebatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['running', 'stopped', 'done', 'undoing', 'undone'])), name='merge_batch_state'),
        ),
        migrations.AddConstraint(
            model_name='mergebatch',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gte', 0), ('threshold__lte', 1)), name='merge_batch_threshold'),
        ),
        migrations.AddConstraint(
            model_name='mergemoved',
            constraint=models.UniqueConstraint(fields=('merge', 'table'), name='merge_moved_once'),
        ),
        migrations.AddConstraint(
            model_name='organisationsite',
            constraint=models.UniqueConstraint(fields=('organisation', 'origin'), name='organisation_site_once', violation_error_message='This site is on the list.'),
        ),
        migrations.AddConstraint(
            model_name='organisationsite',
            constraint=models.CheckConstraint(condition=models.Q(('origin__regex', '^(https://[a-z0-9-]+(\\.[a-z0-9-]+)+|http://(localhost|127\\.0\\.0\\.1))(:[0-9]{1,5})?$')), name='organisation_site_origin'),
        ),
        migrations.AddIndex(
            model_name='partnerevent',
            index=models.Index(fields=['organisation', '-id'], name='partner_event_newest'),
        ),
        migrations.AddConstraint(
            model_name='partnerevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['invited', 'password', 'login', 'refused', 'disabled', 'enabled', 'removed', 'erased'])), name='partner_event_kind'),
        ),
        migrations.AddConstraint(
            model_name='partnerevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'erased'), ('user__isnull', False), _connector='OR'), name='partner_event_whose'),
        ),
        migrations.AddIndex(
            model_name='paymentevent',
            index=models.Index(condition=models.Q(('state', 'received')), fields=['due_at'], name='payment_event_owed'),
        ),
        migrations.AddIndex(
            model_name='paymentevent',
            index=models.Index(condition=models.Q(('state', 'received'), models.Q(('waits_for', ''), _negated=True)), fields=['waits_for'], name='payment_event_waiting'),
        ),
        migrations.AddIndex(
            model_name='paymentevent',
            index=models.Index(condition=models.Q(('state', 'review')), fields=['id'], name='payment_event_in_doubt'),
        ),
        migrations.AddIndex(
            model_name='paymentevent',
            index=models.Index(condition=models.Q(('payload', ''), _negated=True), fields=['done_at'], name='payment_event_to_forget'),
        ),
        migrations.AddConstraint(
            model_name='paymentevent',
            constraint=models.UniqueConstraint(fields=('provider', 'event_id'), name='payment_event_once'),
        ),
        migrations.AddConstraint(
            model_name='paymentevent',
            constraint=models.CheckConstraint(condition=models.Q(('provider__in', ['stripe', 'swish', 'bank'])), name='payment_event_provider'),
        ),
        migrations.AddConstraint(
            model_name='paymentevent',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['received', 'applied', 'ignored', 'review', 'refused'])), name='payment_event_state'),
        ),
        migrations.AddConstraint(
            model_name='paymentevent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'review'), _negated=True), models.Q(('doubt', ''), _negated=True), _connector='OR'), name='payment_event_review_says_why'),
        ),
        migrations.AddConstraint(
            model_name='petitiontext',
            constraint=models.UniqueConstraint(fields=('petition', 'language'), name='petition_text_unique'),
        ),
        migrations.AddConstraint(
            model_name='previewslice',
            constraint=models.UniqueConstraint(fields=('preview', 'first'), name='import_preview_slice_unique'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(condition=models.Q(('taken_at__isnull', False), ('told_on__isnull', True)), fields=['id'], name='receipt_taken'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(condition=models.Q(('told_on__isnull', False)), fields=['told_on'], name='receipt_told'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(fields=('chain', 'number'), name='receipt_chain'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('line__isnull', False), ('salt__isnull', False), ('taken_at__isnull', True), ('taken_for', '')), models.Q(('asked__isnull', True), ('line__isnull', True), ('salt__isnull', True), ('taken_at__isnull', False), ('taken_for__in', ['erase', 'undo', 'merge'])), _connector='OR'), name='receipt_whole_or_taken'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('amount__lt', Decimal('1E+12'))), ('amount__isnull', True), _connector='OR'), name='refund_amount_positive', violation_error_message='An amount is above 0.'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('provider', 'provider_id'), name='refund_provider_unique', violation_error_message='This payment is on file already.'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('provider_id', ''), models.Q(('provider', ''), _negated=True), _connector='OR'), name='refund_provider_named', violation_error_message="A provider's id needs its provider."),
        ),
        migrations.AddConstraint(
            model_name='savedmapping',
            constraint=models.UniqueConstraint(fields=('kind', 'fingerprint'), name='saved_mapping_unique'),
        ),
        migrations.AddConstraint(
            model_name='savedmapping',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['supporters', 'donations'])), name='saved_mapping_kind'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(models.F('petition'), models.OrderBy(models.F('validated_at'), descending=True), condition=models.Q(('shown', True), ('state', 'validated'), ('supporter__isnull', False)), name='signature_shown'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(condition=models.Q(('email__isnull', False)), fields=['created_at'], name='signature_unconfirmed'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(fields=['supporter', 'petition'], name='signature_of_supporter'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(fields=['-created_at', '-id'], name='signature_newest'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(condition=models.Q(('state', 'validated'), models.Q(('source_code', ''), _negated=True)), fields=['source_code'], name='signature_source'),
        ),
        migrations.AddIndex(
            model_name='signature',
            index=models.Index(condition=models.Q(('state', 'validated')), fields=['petition'], name='signature_counted'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.UniqueConstraint(condition=models.Q(('doubled', False)), fields=('petition', 'supporter'), name='signature_once', violation_error_message='This person has signed already.'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'validated', 'invalidated'])), name='signature_state'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('doubled', False), models.Q(('state', 'validated'), _negated=True), _connector='OR'), name='signature_counted_once'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'validated'), _negated=True), ('validated_at__isnull', False), _connector='OR'), name='signature_validated_when', violation_error_message='A validated signature says when.'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending'), _negated=True), ('validated_at__isnull', True), _connector='OR'), name='signature_pending_not_validated'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('taken_back_at__isnull', True), ('state', 'invalidated'), _connector='OR'), name='signature_taken_back'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('country', ''), ('country__regex', '^[A-Z]{2}$'), _connector='OR'), name='signature_country_iso'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.UniqueConstraint(condition=models.Q(('email__isnull', False)), fields=('petition', 'email'), name='signature_typed_once'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.CheckConstraint(condition=models.Q(('email__isnull', True), models.Q(('state', 'pending'), ('supporter__isnull', True)), _connector='OR'), name='signature_typed_while_pending'),
        ),
        migrations.AddConstraint(
            model_name='reference',
            constraint=models.UniqueConstraint(fields=('system', 'identifier'), name='reference_unique', violation_error_message='This reference belongs to somebody already.'),
        ),
        migrations.AddConstraint(
            model_name='reference',
            constraint=models.CheckConstraint(condition=models.Q(('identifier__regex', '^\\S(.*\\S)?$'), ('system__regex', '^\\S(.*\\S)?$')), name='reference_trimmed', violation_error_message='A reference is filled in, without spaces around it.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('amount__lt', Decimal('1E+12'))), ('amount__isnull', True), _connector='OR'), name='recurring_amount_positive', violation_error_message='An amount is above 0.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='recurring_currency_iso', violation_error_message='A currency is three capital letters, such as SEK.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency__in', ['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF']), _negated=True), ('amount', django.db.models.functions.math.Round('amount')), _connector='OR'), name='recurring_whole_units', violation_error_message='This currency has no smaller unit.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('provider', 'provider_id'), name='recurring_provider_unique', violation_error_message='This payment is on file already.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(('provider_id', ''), models.Q(('provider', ''), _negated=True), _connector='OR'), name='recurring_provider_named', violation_error_message="A provider's id needs its provider."),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(('ended_on__isnull', True), ('started_on__isnull', True), ('ended_on__gte', models.F('started_on')), _connector='OR'), name='recurring_ends_after_start', violation_error_message='An agreement ends after it starts.'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(('interval__in', ['month', 'quarter', 'year'])), name='recurring_interval'),
        ),
        migrations.AddConstraint(
            model_name='recurringdonation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'active', 'failing', 'paused', 'ended'])), name='recurring_state'),
        ),
        migrations.AddIndex(
            model_name='pledge',
            index=models.Index(fields=['-created_at'], name='pledge_newest'),
        ),
        migrations.AddIndex(
            model_name='pledge',
            index=models.Index(condition=models.Q(models.Q(('state', 'paid'), _negated=True), models.Q(('email', ''), _negated=True)), fields=['created_at'], name='pledge_to_forget'),
        ),
        migrations.AddIndex(
            model_name='pledge',
            index=models.Index(condition=models.Q(('email', ''), _negated=True), fields=['email'], name='pledge_email'),
        ),
        migrations.AddConstraint(
            model_name='pledge',
            constraint=models.CheckConstraint(condition=models.Q(('minor_units__gt', 0)), name='pledge_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='pledge',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='pledge_currency_iso'),
        ),
        migrations.AddConstraint(
            model_name='pledge',
            constraint=models.CheckConstraint(condition=models.Q(('method__in', ['card', 'swish', 'bank'])), name='pledge_method'),
        ),
        migrations.AddConstraint(
            model_name='pledge',
            constraint=models.CheckConstraint(condition=models.Q(('interval__in', ['once', 'month'])), name='pledge_interval'),
        ),
        migrations.AddConstraint(
            model_name='pledge',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'paid', 'failed', 'lapsed'])), name='pledge_state'),
        ),
        migrations.AddConstraint(
            model_name='organisationcontact',
            constraint=models.UniqueConstraint(fields=('organisation', 'supporter'), name='organisation_contact_unique'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='organisation_name_unique', violation_error_message='There is such an organisation.'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('source_code'), name='organisation_source_unique', violation_error_message='This source code is taken.'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('source_code', ''), _negated=True)), name='organisation_filled'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('country', ''), ('country__regex', '^[A-Z]{2}$'), _connector='OR'), name='organisation_country_iso', violation_error_message='A country is two capital letters, such as SE.'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['partner', 'member', 'ally', 'funder', 'authority'])), name='organisation_role'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(condition=models.Q(('undone_at', None)), fields=['away_uuid'], name='merge_away_uuid'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(condition=models.Q(('undone_at', None), ('other_email__isnull', False)), fields=['other_email'], name='merge_other_email'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', '-id'], name='merge_of_batch'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('away_pk',), name='merge_once'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.CheckConstraint(condition=models.Q(('undone_at', None), models.Q(('away', {}), ('changed', {}), ('kept', {}), ('other_email', None)), _connector='OR'), name='merge_undone_emptied'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.CheckConstraint(condition=models.Q(('settled_at', None), models.Q(('changed', {}), ('kept', {}), ('undone_at', None)), _connector='OR'), name='merge_settled_emptied'),
        ),
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('state', 'owed')), fields=['due_at'], name='letter_owed'),
        ),
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['taken_at'], name='letter_under_way'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['confirm', 'remind', 'receipt', 'preferences', 'moving', 'never', 'move', 'invitation', 'password'])), name='letter_kind'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['owed', 'sending', 'sent', 'failed', 'unknown'])), name='letter_state'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('donation__isnull', True), ('inbox_request__isnull', True), ('kind__in', ('confirm', 'remind')), ('partner__isnull', True), ('signature__isnull', False), ('supporter__isnull', True)), models.Q(('donation__isnull', False), ('inbox_request__isnull', True), ('kind__in', ('receipt',)), ('partner__isnull', True), ('signature__isnull', True), ('supporter__isnull', True)), models.Q(('donation__isnull', True), ('inbox_request__isnull', True), ('kind__in', ('preferences', 'moving')), ('partner__isnull', True), ('signature__isnull', True), ('supporter__isnull', False)), models.Q(('donation__isnull', True), ('inbox_request__isnull', False), ('kind__in', ('never', 'move')), ('partner__isnull', True), ('signature__isnull', True), ('supporter__isnull', True)), models.Q(('donation__isnull', True), ('inbox_request__isnull', True), ('kind__in', ('invitation', 'password')), ('partner__isnull', False), ('signature__isnull', True), ('supporter__isnull', True)), _connector='OR'), name='letter_about_something'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(fields=('signature', 'kind'), name='letter_once'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(condition=models.Q(('donation__isnull', False)), fields=('donation', 'kind'), name='letter_once_for_donation'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(condition=models.Q(('supporter__isnull', False)), fields=('supporter', 'kind'), name='letter_once_for_supporter'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(condition=models.Q(('inbox_request__isnull', False)), fields=('inbox_request', 'kind'), name='letter_once_for_inbox_request'),
        ),
        migrations.AddConstraint(
            model_name='letter',
            constraint=models.UniqueConstraint(condition=models.Q(('partner__isnull', False)), fields=('partner', 'kind'), name='letter_once_for_partner'),
        ),
        migrations.AddIndex(
            model_name='inboxrequest',
            index=models.Index(fields=['asked_at'], name='inbox_request_asked'),
        ),
        migrations.AddConstraint(
            model_name='inboxrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'move'), ('supporter__isnull', False)), models.Q(('kind', 'never'), ('supporter', None)), _connector='OR'), name='inbox_request_kind'),
        ),
        migrations.AddConstraint(
            model_name='inboxrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'never')), fields=('email',), name='inbox_request_never_once'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(condition=models.Q(('verdict', 'waiting')), fields=['run', 'number'], name='import_row_waiting'),
        ),
        migrations.AddIndex(
            model_name='importrow',
            index=models.Index(condition=models.Q(('settled_at', None), ('verdict__in', ['same', 'second'])), fields=['run', 'number'], name='import_row_owed'),
        ),
        migrations.AddConstraint(
            model_name='importrow',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='import_row_unique'),
        ),
        migrations.AddConstraint(
            model_name='importrow',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['', 'waiting', 'same', 'second', 'left_out'])), name='import_row_verdict'),
        ),
        migrations.AddConstraint(
            model_name='handover',
            constraint=models.UniqueConstraint(fields=('organisation', 'email'), name='handover_once'),
        ),
        migrations.AddIndex(
            model_name='erasurerequest',
            index=models.Index(condition=models.Q(('state__in', ['received', 'approved', 'elsewhere'])), fields=['due_on'], name='erasure_due'),
        ),
        migrations.AddIndex(
            model_name='erasurerequest',
            index=models.Index(condition=models.Q(('state', 'approved')), fields=['look_at'], name='erasure_owed'),
        ),
        migrations.AddIndex(
            model_name='erasurerequest',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch'], name='erasure_batch'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['received', 'approved'])), fields=('supporter',), name='erasure_one_open', violation_error_message='There is a request already.'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['received', 'approved', 'elsewhere', 'done', 'refused', 'taken_back'])), name='erasure_state'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(('door__in', ['email', 'letter', 'phone', 'meeting', 'page', 'ours'])), name='erasure_door'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'elsewhere', 'done']), _negated=True), models.Q(('identified', ''), _negated=True), _connector='OR'), name='erasure_identified', violation_error_message='Say how you know that it is they who ask.'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(models.Q(('ground', ''), _negated=True), ('refusal__regex', '\\S')), _connector='OR'), name='erasure_refused_why', violation_error_message='A refusal has its reason.'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['elsewhere', 'done']), _negated=True), models.Q(('erased_at__isnull', False), ('note', ''), ('refusal', ''), ('supporter', None)), _connector='OR'), name='erasure_forgets'),
        ),
        migrations.AddConstraint(
            model_name='erasurerequest',
            constraint=models.CheckConstraint(condition=models.Q(('due_on__gte', models.F('received_on'))), name='erasure_due_later'),
        ),
        migrations.AddIndex(
            model_name='double',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['-probability', '-id'], name='double_open'),
        ),
        migrations.AddIndex(
            model_name='double',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['cluster'], name='double_cluster'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.UniqueConstraint(fields=('first', 'second'), name='double_unique'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='double_ordered'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='double_probability'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'merged', 'different'])), name='double_state'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.CheckConstraint(condition=models.Q(('found_by__in', ['file', 'door', 'staff'])), name='double_found_by'),
        ),
        migrations.AddConstraint(
            model_name='double',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='double_decided'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=models.Index(condition=models.Q(('state', 'received')), fields=['supporter', 'received_on'], include=('amount', 'currency', 'recurring'), name='donation_given'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=models.Index(condition=models.Q(('recurring__isnull', False)), fields=['recurring'], name='donation_recurring'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=models.Index(fields=['-received_on', '-id'], name='donation_newest'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('other_ids', []), _negated=True), fields=['other_ids'], name='donation_other_ids'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=models.Index(fields=['-amount', '-id'], name='donation_largest'),
        ),
        migrations.AddIndex(
            model_name='donation',
            index=models.Index(condition=models.Q(('source_code', ''), _negated=True), fields=['source_code'], name='donation_source'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('amount__lt', Decimal('1E+12'))), ('amount__isnull', True), _connector='OR'), name='donation_amount_positive', violation_error_message='An amount is above 0.'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='donation_currency_iso', violation_error_message='A currency is three capital letters, such as SEK.'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency__in', ['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF']), _negated=True), ('amount', django.db.models.functions.math.Round('amount')), _connector='OR'), name='donation_whole_units', violation_error_message='This currency has no smaller unit.'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('provider', 'provider_id'), name='donation_provider_unique', violation_error_message='This payment is on file already.'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(('provider_id', ''), models.Q(('provider', ''), _negated=True), _connector='OR'), name='donation_provider_named', violation_error_message="A provider's id needs its provider."),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(('method__in', ['card', 'swish', 'bank', 'debit', 'paypal', 'cash', 'cheque', 'other'])), name='donation_method'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'received', 'refunded', 'failed'])), name='donation_state'),
        ),
        migrations.AddConstraint(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['received', 'refunded']), _negated=True), ('received_on__isnull', False), _connector='OR'), name='donation_received_when', violation_error_message='A received donation says when.'),
        ),
        migrations.AddIndex(
            model_name='disclosure',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['id'], name='disclosure_owed'),
        ),
        migrations.AddIndex(
            model_name='disclosure',
            index=models.Index(condition=models.Q(('state', 'done')), fields=['expires_at'], name='disclosure_kept'),
        ),
        migrations.AddConstraint(
            model_name='disclosure',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'done', 'failed', 'expired'])), name='disclosure_state'),
        ),
        migrations.AddConstraint(
            model_name='disclosure',
            constraint=models.CheckConstraint(condition=models.Q(('form__in', ['html', 'json', 'given'])), name='disclosure_form'),
        ),
        migrations.AddConstraint(
            model_name='disclosure',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='disclosure_says_why'),
        ),
        migrations.AddConstraint(
            model_name='disclosure',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('content__isnull', False), ('expires_at__isnull', False), ('state', 'done')), models.Q(models.Q(('state', 'done'), _negated=True), ('content', None)), _connector='OR'), name='disclosure_file_expires'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('purpose', 'email'), ('state', 'withdrawn')), fields=['supporter'], name='consent_withdrawn'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(models.F('supporter'), models.F('purpose'), models.OrderBy(models.F('happened_at'), descending=True), models.OrderBy(models.F('state'), descending=True), models.OrderBy(models.F('id'), descending=True), models.F('organisation'), name='consent_latest'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('purpose', 'partner'), ('state', 'granted')), fields=['organisation', '-id'], name='consent_to_partner'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(models.F('organisation'), models.F('supporter'), models.OrderBy(models.F('happened_at'), descending=True), models.OrderBy(models.F('state'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('purpose', 'partner')), name='consent_of_partner'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('recorded_by__isnull', False)), fields=['recorded_by'], name='consent_by'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('state', 'withdrawn'), models.Q(('source', ''), _negated=True)), fields=['source'], name='consent_left'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'granted', 'withdrawn'])), name='consent_state'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['email', 'post', 'phone', 'signature', 'partner'])), name='consent_purpose'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('method__in', ['form', 'confirmed', 'import', 'staff', 'link', 'one_click', 'mailchimp', 'bounce', 'complaint', 'merge'])), name='consent_method'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'granted'), _negated=True), ('wording__regex', '\\S'), _connector='OR'), name='consent_grant_shows_wording', violation_error_message='A grant needs the words that the person agreed to.'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('organisation__isnull', False), ('purpose', 'partner')), models.Q(models.Q(('purpose', 'partner'), _negated=True), ('organisation__isnull', True)), _connector='OR'), name='consent_partner_named', violation_error_message='Only a consent to hear from a partner names one.'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(models.F('search'), name='gin_trgm_ops'), name='supporter_search'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(fields=['country', 'language'], name='supporter_place'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(condition=models.Q(('source_code', ''), _negated=True), fields=['source_code'], name='supporter_source'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(condition=models.Q(('organisation__isnull', False)), fields=['organisation'], name='supporter_organisation'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(condition=models.Q(('shares_email_with__isnull', False)), fields=['shares_email_with'], name='supporter_sharing'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(fields=['-created_at', '-id'], name='supporter_newest'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('marks', []), _negated=True), fields=['marks'], name='supporter_marks'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(supporters.models.functions.PhoneKey('phone'), condition=models.Q(('phone', ''), _negated=True), name='supporter_phone'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(supporters.models.functions.EmailKey('email'), condition=models.Q(('email__isnull', False)), name='supporter_email_key'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(models.F('birth_date'), supporters.models.functions.NameKey('first_name', 'last_name'), condition=models.Q(('birth_date__isnull', False)), name='supporter_born'),
        ),
        migrations.AddIndex(
            model_name='supporter',
            index=models.Index(supporters.models.functions.PostcodeKey('postcode'), supporters.models.functions.NameKey('first_name', 'last_name'), condition=models.Q(('postcode', ''), _negated=True), name='supporter_home'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.UniqueConstraint(models.F('email'), name='supporter_email_unique', violation_error_message='Somebody on file has this address.'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower(django.db.models.functions.text.Trim('email'))), ('email__regex', '^[^@\\s]+@[a-z0-9.-]+$')), name='supporter_email_normalised', violation_error_message='An address is stored in lower case, without spaces, with one @, and its domain in ASCII.'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('shares_email_with', None), ('email', None), _connector='OR'), name='supporter_shares_or_owns', violation_error_message="Who shares somebody's address has none of their own."),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('shares_email_with', None), models.Q(('shares_email_with', models.F('id')), _negated=True), _connector='OR'), name='supporter_shares_with_another', violation_error_message='Nobody shares an address with themselves.'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('country', ''), ('country__regex', '^[A-Z]{2}$'), _connector='OR'), name='supporter_country_iso', violation_error_message='A country is two capital letters, such as SE.'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('language', ''), ('language__regex', '^[a-z]{2,3}(-[a-z0-9]{2,8})*$'), _connector='OR'), name='supporter_language_tag', violation_error_message='A language is a code such as sv or pt-br.'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('how_often__in', ['', 'week', 'month'])), name='supporter_how_often'),
        ),
        migrations.AddConstraint(
            model_name='supporter',
            constraint=models.CheckConstraint(condition=models.Q(('marks__contained_by', ['role', 'disposable', 'taken', 'malformed', 'phone', 'postcode'])), name='supporter_marks_known'),
        ),
        migrations.AddIndex(
            model_name='tally',
            index=models.Index(condition=models.Q(('state', 'checked')), fields=['petition'], include=('way', 'country', 'gathered_on', 'number'), name='tally_counted'),
        ),
        migrations.AddIndex(
            model_name='tally',
            index=models.Index(condition=models.Q(('state', 'entered')), fields=['id'], name='tally_waiting'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('way__in', ['paper', 'partner'])), name='tally_way'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1), ('number__lte', 10000000)), name='tally_number'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('gathered_on__gte', datetime.date(2000, 1, 1))), name='tally_day'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('country__regex', '^[A-Z]{2}$')), name='tally_country_iso'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('source__regex', '\\S')), name='tally_has_source', violation_error_message='Say where the number comes from.'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(('way', 'paper'), ('organisation__isnull', False), _connector='OR'), name='tally_partner_named', violation_error_message="A partner's own number names the partner."),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('no_scan', ''), ('scan_hash__isnull', False), ('scan_size__isnull', False), ('scan_type__in', ['application/pdf', 'image/jpeg', 'image/png'])), models.Q(('no_scan__regex', '\\S'), ('scan_hash__isnull', True), ('scan_size__isnull', True), ('scan_type', '')), _connector='OR'), name='tally_scan_or_reason', violation_error_message='A batch has a scan, or a reason why there is none.'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('checked_by__isnull', True), ('state', 'entered'), ('withdrawn_by__isnull', True)), models.Q(('checked_by__isnull', False), ('state', 'checked'), ('withdrawn_by__isnull', True)), models.Q(('state', 'withdrawn'), ('withdrawn_because__regex', '\\S'), ('withdrawn_by__isnull', False)), _connector='OR'), name='tally_state'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('checked_at__isnull', True), ('checked_by__isnull', True)), models.Q(('checked_at__isnull', False), models.Q(('checked_by', models.F('entered_by')), _negated=True)), _connector='OR'), name='tally_four_eyes', violation_error_message='Somebody else checks it than who entered it.'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False)), _connector='OR'), name='tally_withdrawn_when'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), _negated=True), ('scan_hash__isnull', False)), fields=('petition', 'scan_hash', 'country'), name='tally_scan_once', violation_error_message='This scan was entered for this country before.'),
        ),
    ]
