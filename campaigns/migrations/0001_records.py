import campaigns.models.click
import campaigns.models.pacing
import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('supporters', '0002_records'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Audience',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('list_id', models.CharField(help_text='Mailchimp: Audience, Settings, Audience ID.', max_length=32, unique=True, verbose_name='list id')),
                ('purpose', models.CharField(choices=[('email', 'News and appeals by email'), ('post', 'Letters by post'), ('phone', 'Calls and text messages'), ('signature', 'Keeping and counting a signature'), ('partner', 'News from a partner organisation')], default='email', editable=False, max_length=20, verbose_name='purpose')),
                ('merge_fields', models.JSONField(blank=True, default=dict, help_text="Mailchimp's merge tag to our field.", verbose_name='merge fields')),
                ('groups', models.JSONField(default=dict, editable=False, help_text='What Mailchimp asks people to choose, to our purpose: i:… an interest, p:… a marketing permission.')),
                ('merge_types', models.JSONField(default=dict, editable=False, help_text="Of Mailchimp's merge tags, as it described them last.")),
                ('made_tags', models.JSONField(default=list, editable=False, help_text='Ids of all tags there that were ever ours, those too whose segment was taken out since.')),
                ('takes_edits', models.BooleanField(default=True, help_text='A name, language or address that is changed in Mailchimp, and only there, changes here too. Otherwise ours is put back.', verbose_name='take changes made in Mailchimp')),
                ('paused', models.BooleanField(default=False, verbose_name='paused')),
                ('archives', models.BooleanField(db_default=False, default=False, help_text='Otherwise they only lose their tags and stay subscribed. Mailchimp does not bill for archived ones.', verbose_name='archive who is in no segment any more')),
                ('most_taken', models.PositiveSmallIntegerField(db_default=10, default=10, help_text='Per cent. A sync that would untag, archive or unsubscribe more, other than those who left, asks first.', verbose_name='largest share taken away unasked')),
                ('signup_url', models.CharField(blank=True, db_default='', default='', editable=False, max_length=300)),
                ('alarmed_at', models.DateTimeField(editable=False, help_text='When staff were told that it has failed for a day.', null=True)),
                ('sync_requested_at', models.DateTimeField(editable=False, null=True)),
                ('pull_requested_at', models.DateTimeField(editable=False, help_text='Since when Mailchimp has had something to tell that is not read yet.', null=True)),
                ('changed_since', models.DateTimeField(editable=False, help_text="How far the read of Mailchimp's own changes has come, by its clock.", null=True)),
                ('place', models.JSONField(default=dict, editable=False, help_text='Where a read that was cut short goes on (campaigns.mailchimp.reading).')),
                ('preview', models.JSONField(editable=False, help_text='What a sync would do, as a worker last found it (campaigns.mailchimp.plan).', null=True)),
                ('preview_requested_at', models.DateTimeField(editable=False, null=True)),
                ('webhook_id', models.CharField(blank=True, default='', editable=False, max_length=32)),
                ('webhook_token', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('webhook_secret', models.CharField(blank=True, default='', editable=False, max_length=128)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'audience',
                'verbose_name_plural': 'audiences',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='WarmUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', campaigns.models.pacing.DomainField(max_length=253, unique=True, verbose_name="sender's domain")),
                ('starts_on', models.DateField(verbose_name='starts')),
                ('plan', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]), default=campaigns.models.pacing._plan, help_text='One number for each day from the first on, with commas between.', size=120, verbose_name='messages a day')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'warm-up',
                'verbose_name_plural': 'warm-ups',
                'ordering': ['domain'],
            },
        ),
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text="For staff; supporters don't see it.", max_length=200, verbose_name='name')),
                ('channel', models.CharField(choices=[('mail', 'Our own mail'), ('mailchimp', 'Mailchimp')], default='mail', max_length=9, verbose_name='channel')),
                ('purpose', models.CharField(choices=[('email', 'News and appeals by email'), ('post', 'Letters by post'), ('phone', 'Calls and text messages'), ('signature', 'Keeping and counting a signature'), ('partner', 'News from a partner organisation')], default='email', editable=False, max_length=20, verbose_name='purpose')),
                ('source_code', models.SlugField(help_text='Marks what this appeal brings in.', max_length=64, verbose_name='source code')),
                ('default_language', models.CharField(choices=[('bg', 'Bulgarian'), ('hr', 'Croatian'), ('cs', 'Czech'), ('da', 'Danish'), ('nl', 'Dutch'), ('en', 'English'), ('et', 'Estonian'), ('fi', 'Finnish'), ('fr', 'French'), ('de', 'German'), ('el', 'Greek'), ('hu', 'Hungarian'), ('ga', 'Irish'), ('it', 'Italian'), ('lv', 'Latvian'), ('lt', 'Lithuanian'), ('mt', 'Maltese'), ('pl', 'Polish'), ('pt', 'Portuguese'), ('ro', 'Romanian'), ('sk', 'Slovak'), ('sl', 'Slovene'), ('es', 'Spanish'), ('sv', 'Swedish'), ('uk', 'Ukrainian'), ('ar', 'Arabic')], default='en', help_text='Translations follow this text, and it goes to people whose language has none.', max_length=12, verbose_name='main language')),
                ('sender_name', models.CharField(max_length=120, verbose_name="sender's name")),
                ('sender_email', models.EmailField(max_length=254, verbose_name="sender's address")),
                ('reply_to', models.EmailField(blank=True, default='', max_length=254, verbose_name='replies to')),
                ('count_clicks', models.BooleanField(default=True, help_text='Links lead through this site, which counts them. Without it they lead straight to their targets.', verbose_name='count clicks')),
                ('test_share', models.PositiveSmallIntegerField(default=20, help_text='So many of the readers get one of the variants at once; the others wait for the best.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(90)], verbose_name='share of the test, in %')),
                ('test_hours', models.PositiveSmallIntegerField(default=4, help_text='After which the best goes to those who wait.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(168)], verbose_name='hours of the test')),
                ('test_by', models.CharField(choices=[('clicks', 'Clicks'), ('gifts', 'Gifts')], default='clicks', max_length=6, verbose_name='best by')),
                ('winner', models.CharField(blank=True, default='', editable=False, max_length=1)),
                ('verdict', models.CharField(blank=True, choices=[('better', 'It did best.'), ('even', 'Several did equally well, and it is the first of them.'), ('too_few', 'Too few reacted to tell them apart, so A it was.'), ('by_hand', 'It was chosen by hand.')], default='', editable=False, max_length=7)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('counted_at', models.DateTimeField(editable=False, null=True, verbose_name='results counted')),
                ('clicks_forgotten_at', models.DateTimeField(editable=False, help_text='Since when only the sums are kept.', null=True)),
                ('scheduled_at', models.DateTimeField(blank=True, null=True, verbose_name='goes out')),
                ('time_zone', models.CharField(default='Europe/Stockholm', max_length=64, verbose_name='time zone')),
                ('hours_from', models.TimeField(blank=True, help_text='Of the day where each person lives. Empty: at any hour.', null=True, verbose_name='not before')),
                ('hours_until', models.TimeField(blank=True, null=True, verbose_name='not after')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('scheduled', 'Scheduled'), ('sending', 'Sending'), ('paused', 'Paused'), ('sent', 'Sent'), ('cancelled', 'Cancelled')], default='draft', editable=False, max_length=9, verbose_name='state')),
                ('pause_reason', models.CharField(blank=True, default='', editable=False, max_length=250)),
                ('send_anyway', models.BooleanField(default=False, editable=False, help_text='Staff know of missing or outdated translations.')),
                ('trouble', models.CharField(blank=True, default='', editable=False, help_text='Why nothing goes out just now.', max_length=400)),
                ('trouble_since', models.DateTimeField(editable=False, null=True)),
                ('retry_at', models.DateTimeField(editable=False, help_text='Nobody tries again before, while there is trouble.', null=True)),
                ('recipients', models.BigIntegerField(editable=False, null=True, verbose_name='recipients')),
                ('launched_at', models.DateTimeField(editable=False, null=True, verbose_name='launched')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('audience', models.ForeignKey(blank=True, help_text='For the channel Mailchimp: the audience that the segment goes to.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='campaigns.audience', verbose_name='audience in Mailchimp')),
            ],
            options={
                'verbose_name': 'appeal',
                'verbose_name_plural': 'appeals',
                'ordering': ['-created_at'],
                'permissions': [('schedule_appeal', 'Can schedule and send appeals')],
            },
        ),
        migrations.CreateModel(
            name='AppealLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(default=campaigns.models.click._code, editable=False, max_length=16, unique=True)),
                ('target', models.TextField(blank=True, db_default='', verbose_name='leads to')),
                ('people', models.PositiveIntegerField(db_default=0, editable=False, verbose_name='people')),
                ('clicks', models.PositiveIntegerField(db_default=0, editable=False, verbose_name='clicks')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'link of an appeal',
                'verbose_name_plural': 'links of appeals',
            },
        ),
        migrations.CreateModel(
            name='AppealResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(help_text="Empty where it can't be told.", max_length=12, verbose_name='language')),
                ('variant', models.CharField(max_length=1, verbose_name='variant')),
                ('clicked', models.PositiveIntegerField(default=0, verbose_name='people who clicked')),
                ('clicks', models.PositiveIntegerField(default=0, verbose_name='clicks')),
                ('opened', models.PositiveIntegerField(default=0, verbose_name='people who opened it')),
                ('by_programs', models.PositiveIntegerField(default=0, help_text='Messages whose links were followed, but not by a person.', verbose_name='clicked by programs')),
                ('left', models.PositiveIntegerField(default=0, verbose_name='unsubscribed')),
                ('signatures', models.PositiveIntegerField(default=0, verbose_name='signatures')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'result of an appeal',
                'verbose_name_plural': 'results of appeals',
            },
        ),
        migrations.CreateModel(
            name='AppealText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('bg', 'Bulgarian'), ('hr', 'Croatian'), ('cs', 'Czech'), ('da', 'Danish'), ('nl', 'Dutch'), ('en', 'English'), ('et', 'Estonian'), ('fi', 'Finnish'), ('fr', 'French'), ('de', 'German'), ('el', 'Greek'), ('hu', 'Hungarian'), ('ga', 'Irish'), ('it', 'Italian'), ('lv', 'Latvian'), ('lt', 'Lithuanian'), ('mt', 'Maltese'), ('pl', 'Polish'), ('pt', 'Portuguese'), ('ro', 'Romanian'), ('sk', 'Slovak'), ('sl', 'Slovene'), ('es', 'Spanish'), ('sv', 'Swedish'), ('uk', 'Ukrainian'), ('ar', 'Arabic')], max_length=12, verbose_name='language')),
                ('subject', models.CharField(max_length=200, verbose_name='subject')),
                ('preheader', models.CharField(blank=True, default='', help_text='What the inbox shows beside the subject.', max_length=200, verbose_name='preview line')),
                ('body', models.TextField(help_text='Markdown, with merge fields such as {{ first_name }}.', verbose_name='text')),
                ('revision', models.PositiveIntegerField(default=1, editable=False)),
                ('follows', models.PositiveIntegerField(default=1, editable=False, help_text='Revision of the main text it translates.')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='changed')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'text',
                'verbose_name_plural': 'texts',
            },
        ),
        migrations.CreateModel(
            name='AppealVariant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('letter', models.CharField(choices=[('B', 'B'), ('C', 'C'), ('D', 'D')], default='B', max_length=1, verbose_name='variant')),
                ('language', models.CharField(choices=[('bg', 'Bulgarian'), ('hr', 'Croatian'), ('cs', 'Czech'), ('da', 'Danish'), ('nl', 'Dutch'), ('en', 'English'), ('et', 'Estonian'), ('fi', 'Finnish'), ('fr', 'French'), ('de', 'German'), ('el', 'Greek'), ('hu', 'Hungarian'), ('ga', 'Irish'), ('it', 'Italian'), ('lv', 'Latvian'), ('lt', 'Lithuanian'), ('mt', 'Maltese'), ('pl', 'Polish'), ('pt', 'Portuguese'), ('ro', 'Romanian'), ('sk', 'Slovak'), ('sl', 'Slovene'), ('es', 'Spanish'), ('sv', 'Swedish'), ('uk', 'Ukrainian'), ('ar', 'Arabic')], max_length=12, verbose_name='language')),
                ('subject', models.CharField(blank=True, default='', help_text='Empty: as in the text itself.', max_length=200, verbose_name='subject')),
                ('preheader', models.CharField(blank=True, default='', help_text='Empty: as in the text itself.', max_length=200, verbose_name='preview line')),
                ('body', models.TextField(blank=True, default='', help_text='Empty: as in the text itself.', verbose_name='text')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='variants', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'variant to test',
                'verbose_name_plural': 'variants to test',
                'ordering': ['language', 'letter'],
            },
        ),
        migrations.CreateModel(
            name='Addition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('supporters', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('hashes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), help_text="Mailchimp's ids of these, in the same order.", size=None)),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='additions', to='campaigns.audience')),
            ],
            options={
                'verbose_name': 'addition under way',
                'verbose_name_plural': 'additions under way',
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('source_code', models.SlugField(help_text='Marks what this campaign brings in.', max_length=64, verbose_name='source code')),
                ('description', models.TextField(blank=True, default='', verbose_name='description')),
                ('goal_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='goal')),
                ('goal_currency', models.CharField(default='SEK', max_length=3, verbose_name='currency')),
                ('starts_on', models.DateField(blank=True, null=True, verbose_name='starts')),
                ('ends_on', models.DateField(blank=True, null=True, verbose_name='ends')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'campaign',
                'verbose_name_plural': 'campaigns',
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('source_code'), name='campaign_source_unique', violation_error_message='This source code is taken.'), models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('starts_on__isnull', True), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='campaign_ends_after_start', violation_error_message='A campaign ends after it starts.'), models.CheckConstraint(condition=models.Q(models.Q(('goal_amount__gt', 0), ('goal_amount__lt', Decimal('1E+12'))), ('goal_amount__isnull', True), _connector='OR'), name='campaign_goal_amount_positive', violation_error_message='An amount is above 0.'), models.CheckConstraint(condition=models.Q(('goal_currency__regex', '^[A-Z]{3}$')), name='campaign_currency_iso', violation_error_message='A currency is three capital letters, such as SEK.')],
            },
        ),
        migrations.AddField(
            model_name='appeal',
            name='campaign',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='campaigns.campaign', verbose_name='campaign'),
        ),
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(help_text="The folder of journals on the worker's machine.", max_length=32)),
                ('journal', models.CharField(help_text='The file in it.', max_length=32)),
                ('boot', models.CharField(help_text='The running of that machine; another one since, and it crashed.', max_length=36)),
                ('taken_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('given_up_at', models.DateTimeField(help_text='Its machine did not come back in time.', null=True)),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='claims', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'claim',
                'verbose_name_plural': 'claims',
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False)),
                ('state', models.CharField(choices=[('held', 'Waiting for the test'), ('queued', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent'), ('bounced', 'Bounced'), ('complained', 'Complained'), ('failed', 'Failed'), ('skipped', 'Skipped'), ('unknown', 'Not known')], db_default='queued', default='queued', max_length=10, verbose_name='state')),
                ('language', models.CharField(db_default='', max_length=12, verbose_name='language')),
                ('variant', models.CharField(blank=True, db_default='', editable=False, help_text='campaigns.appeals.variants.', max_length=1, verbose_name='variant')),
                ('receiver', models.CharField(db_default='', editable=False, help_text='The mark of who takes this mail: campaigns.mail.pacing.', max_length=253)),
                ('claim', models.BigIntegerField(editable=False, help_text='The claim that holds it: campaigns.appeals.', null=True)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='attempts')),
                ('doubled', models.BooleanField(db_default=False, default=False, editable=False, help_text='Of somebody who was on file twice and had another one: nothing more is sent by it.')),
                ('not_before', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='It is owed from then on.')),
                ('reason', models.CharField(blank=True, db_default='', help_text='Why it was not sent, or what came back.', max_length=250, verbose_name='reason')),
                ('sent_at', models.DateTimeField(null=True, verbose_name='sent')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='changed')),
                ('appeal', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='campaigns.appeal', verbose_name='appeal')),
                ('supporter', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
            },
        ),
        migrations.CreateModel(
            name='Click',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('times', models.PositiveSmallIntegerField(db_default=1, verbose_name='times')),
                ('first_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='first')),
                ('last_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='last')),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.appeallink', verbose_name='link')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clicks', to='campaigns.delivery', verbose_name='delivery')),
            ],
            options={
                'verbose_name': 'click',
                'verbose_name_plural': 'clicks',
            },
        ),
        migrations.CreateModel(
            name='DeliveryCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('variant', models.CharField(max_length=1, verbose_name='variant')),
                ('state', models.CharField(max_length=10, verbose_name='state')),
                ('number', models.BigIntegerField(verbose_name='number')),
                ('appeal', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='counts', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'count of deliveries',
                'verbose_name_plural': 'counts of deliveries',
            },
        ),
        migrations.CreateModel(
            name='HandedIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(help_text='What they do, such as “archive”.', max_length=10)),
                ('batch', models.CharField(blank=True, db_default='', help_text="Mailchimp's id; empty until it is known that it has them.", max_length=64)),
                ('handed_in_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('look_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When it is asked again whether they are done.')),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handed_in', to='campaigns.audience')),
            ],
            options={
                'verbose_name': 'calls under way',
                'verbose_name_plural': 'calls under way',
            },
        ),
        migrations.CreateModel(
            name='AudienceMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscriber_hash', models.CharField(help_text="MD5 of the address in lower case: Mailchimp's id of a member.", max_length=32)),
                ('moving_to', models.CharField(blank=True, db_default='', help_text='The id they may have by now: they were given a new address, and no answer came.', max_length=32)),
                ('sent', models.JSONField(editable=False, help_text='What that call says of them: fields, language and the digest.', null=True)),
                ('status', models.CharField(blank=True, choices=[('subscribed', 'Subscribed'), ('unsubscribed', 'Unsubscribed'), ('cleaned', 'Cleaned'), ('pending', 'Pending'), ('archived', 'Archived'), ('transactional', 'Transactional'), ('forgotten', 'Deleted for good'), ('', 'Not there')], db_default='', max_length=13, verbose_name='status')),
                ('status_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='When we learnt of the status, by our clock.')),
                ('leaving_applied', models.BooleanField(db_default=False, default=False, editable=False, help_text='Whether it being unsubscribed or cleaned holds here too.')),
                ('left_at', models.DateTimeField(editable=False, help_text="The last leaving there that was applied here, by Mailchimp's clock.", null=True)),
                ('contact', models.CharField(blank=True, db_default='', editable=False, help_text='Stays the same when the address changes.', max_length=32)),
                ('digest', models.BinaryField(help_text='Of the fields last sent.', null=True)),
                ('agreed', models.JSONField(editable=False, help_text='What both sides had last, by merge tag: the base of a three-way merge (campaigns.mailchimp.merging).', null=True)),
                ('tags', models.JSONField(db_default=models.Value([], models.JSONField()), default=list, help_text='Tag ids of ours it has there.')),
                ('ours', models.BooleanField(db_default=True, default=True, help_text='Whether we added it.')),
                ('archived_by_us', models.BooleanField(db_default=False, default=False)),
                ('asked_back_at', models.DateTimeField(help_text='When Mailchimp was last told to ask them to confirm.', null=True)),
                ('to_delete', models.BooleanField(db_default=False, default=False, help_text='Erased here: owed a deletion there.')),
                ('refusal', models.CharField(blank=True, db_default='', max_length=500, verbose_name='refused because')),
                ('refused_at', models.DateTimeField(null=True, verbose_name='refused')),
                ('permissions', models.JSONField(editable=False, help_text='The marketing permissions it has there.', null=True)),
                ('note', models.CharField(blank=True, db_default='', help_text='What was decided when both sides differed.', max_length=500, verbose_name='note')),
                ('differs', models.JSONField(db_default=models.Value([], models.JSONField()), default=list, help_text='What the last full comparison found to be different there.', verbose_name='differs')),
                ('seen_in', models.BigIntegerField(editable=False, help_text='The last full comparison that met it there.', null=True)),
                ('last_changed', models.DateTimeField(null=True, verbose_name='changed there')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='synced')),
                ('audience', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='campaigns.audience', verbose_name='audience')),
                ('retired_from', models.ForeignKey(db_index=False, editable=False, help_text='Whose other address this is, who has a member of their own: it is to be archived there.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='supporters.supporter')),
                ('supporter', models.ForeignKey(db_index=False, help_text='Empty for members that others added, and once the person was erased.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='memberships', to='supporters.supporter', verbose_name='supporter')),
                ('handed_in', models.ForeignKey(db_constraint=False, db_index=False, editable=False, help_text='Among which calls one about them is under way: nothing is done with them meanwhile, unless they leave or are erased.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='campaigns.handedin')),
            ],
            options={
                'verbose_name': 'audience member',
                'verbose_name_plural': 'audience members',
            },
        ),
        migrations.CreateModel(
            name='Mailing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('bg', 'Bulgarian'), ('hr', 'Croatian'), ('cs', 'Czech'), ('da', 'Danish'), ('nl', 'Dutch'), ('en', 'English'), ('et', 'Estonian'), ('fi', 'Finnish'), ('fr', 'French'), ('de', 'German'), ('el', 'Greek'), ('hu', 'Hungarian'), ('ga', 'Irish'), ('it', 'Italian'), ('lv', 'Latvian'), ('lt', 'Lithuanian'), ('mt', 'Maltese'), ('pl', 'Polish'), ('pt', 'Portuguese'), ('ro', 'Romanian'), ('sk', 'Slovak'), ('sl', 'Slovene'), ('es', 'Spanish'), ('sv', 'Swedish'), ('uk', 'Ukrainian'), ('ar', 'Arabic')], max_length=12, verbose_name='language')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, help_text='In its title there, by which it is found again.')),
                ('state', models.CharField(choices=[('planned', 'Being prepared'), ('made', 'Ready in Mailchimp'), ('asked', 'Handed over'), ('scheduled', 'Scheduled in Mailchimp'), ('sending', 'Mailchimp is sending it'), ('sent', 'Sent'), ('cancelled', 'Cancelled')], db_default='planned', default='planned', max_length=9, verbose_name='state')),
                ('list_id', models.CharField(blank=True, default='', editable=False, max_length=32)),
                ('tag_id', models.BigIntegerField(editable=False, help_text="Mailchimp's id of the tag of its recipients.", null=True)),
                ('campaign_id', models.CharField(blank=True, default='', editable=False, max_length=32)),
                ('asked_at', models.DateTimeField(editable=False, help_text="When it was last asked for what can't be asked twice.", null=True)),
                ('checked', models.BooleanField(default=False, editable=False, help_text='Whether the recipients there were read and compared.')),
                ('cursor', models.JSONField(default=dict, editable=False, help_text='How far a reading in pages has come.')),
                ('results', models.JSONField(default=dict, editable=False, help_text="Sums from Mailchimp's report.", verbose_name='results')),
                ('sent_at', models.DateTimeField(editable=False, null=True, verbose_name='sent')),
                ('results_at', models.DateTimeField(editable=False, null=True, verbose_name='results read')),
                ('next_results_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='mailings', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'mailing',
                'verbose_name_plural': 'mailings',
                'ordering': ['language'],
            },
        ),
        migrations.CreateModel(
            name='Receiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(editable=False, help_text='What deliveries are marked with.', max_length=253, unique=True)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('per_minute', models.PositiveIntegerField(blank=True, help_text='All appeals together. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='messages a minute')),
                ('burst', models.PositiveIntegerField(default=100, help_text='Messages that may leave in one go after a pause.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='at once')),
                ('slowed_until', models.DateTimeField(editable=False, null=True, verbose_name='slowed until')),
                ('slowed_because', models.CharField(blank=True, default='', editable=False, max_length=250, verbose_name='because')),
            ],
            options={
                'verbose_name': 'receiver',
                'verbose_name_plural': 'receivers',
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('per_minute__isnull', True), ('per_minute__gt', 0), _connector='OR'), name='receiver_per_minute'), models.CheckConstraint(condition=models.Q(('burst__gt', 0)), name='receiver_burst')],
            },
        ),
        migrations.CreateModel(
            name='ReceiverDomain',
            fields=[
                ('domain', campaigns.models.pacing.DomainField(max_length=253, primary_key=True, serialize=False, verbose_name='domain')),
                ('receiver', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='domains', to='campaigns.receiver', verbose_name='receiver')),
            ],
            options={
                'verbose_name': 'domain',
                'verbose_name_plural': 'domains',
                'ordering': ['domain'],
            },
        ),
        migrations.CreateModel(
            name='ReturnedMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('mailbox', 'Mailbox'), ('pipe', 'Piped message'), ('provider', 'Mail provider')], max_length=8, verbose_name='came by')),
                ('provider', models.CharField(blank=True, db_default='', max_length=32, verbose_name='provider')),
                ('digest', models.BinaryField(help_text='Of what came: the same thing twice is kept once.')),
                ('raw', models.BinaryField(help_text='The message, until it is forgotten.', null=True)),
                ('event', models.JSONField(editable=False, help_text="What the provider told, in anymail's words.", null=True)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='received')),
                ('applied_at', models.DateTimeField(editable=False, null=True, verbose_name='applied')),
                ('error', models.CharField(blank=True, db_default='', max_length=250, verbose_name='error')),
            ],
            options={
                'verbose_name': 'returned message',
                'verbose_name_plural': 'returned messages',
                'indexes': [models.Index(condition=models.Q(('applied_at__isnull', True)), fields=['id'], name='returned_message_owed'), models.Index(condition=models.Q(('raw__isnull', False), ('event__isnull', False), _connector='OR'), fields=['received_at'], name='returned_message_kept')],
                'constraints': [models.UniqueConstraint(fields=('digest',), name='returned_message_unique'), models.CheckConstraint(condition=models.Q(('channel__in', ['mailbox', 'pipe', 'provider'])), name='returned_message_channel')],
            },
        ),
        migrations.CreateModel(
            name='Return',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('hard', 'Bounced for good'), ('soft', 'Bounced for now'), ('complaint', 'Spam complaint'), ('opt_out', 'Wish to leave'), ('alert', 'Failed authentication'), ('delayed', 'Delayed'), ('other', 'Nothing to do')], max_length=9, verbose_name='what')),
                ('reason', models.CharField(choices=[('userunknown', 'Nobody has this address'), ('hostunknown', 'There is no such domain'), ('hasmoved', 'The address has moved'), ('notaccept', 'The domain takes no mail'), ('mailboxfull', 'The mailbox is full'), ('suspend', 'The mailbox is switched off for now'), ('filtered', "Refused by the recipient's filter"), ('rejected', 'Our sender address was refused'), ('blocked', 'Our mail server is blocked there'), ('badreputation', 'Our mail server has a bad name there'), ('requireptr', "Our mail server's name is not set up (reverse DNS)"), ('authfailure', 'Our mail did not pass SPF, DKIM or DMARC'), ('policyviolation', "Against the receiver's policy"), ('spamdetected', 'Taken for spam'), ('virusdetected', 'Taken for a virus'), ('contenterror', 'Something in the message was refused'), ('notcompliantrfc', 'The message was not well formed'), ('mesgtoobig', 'The message is too large'), ('exceedlimit', 'The message is larger than this mailbox takes'), ('speeding', 'We sent too fast'), ('toomanyconn', 'We opened too many connections'), ('securityerror', 'Refused for security'), ('failedstarttls', 'No safe connection could be made'), ('norelaying', "The server doesn't take mail for this address from us"), ('syntaxerror', 'The servers did not understand each other'), ('networkerror', 'The way there failed'), ('systemerror', 'The receiving server has a fault'), ('systemfull', 'The receiving server is full'), ('mailererror', "A program at the receiver's failed"), ('expired', 'It could not be delivered in time'), ('onhold', 'Refused, without a reason we know'), ('feedback', 'The reader said so'), ('vacation', 'An automatic answer'), ('delivered', 'It was delivered'), ('undefined', 'Not known')], max_length=16, verbose_name='reason')),
                ('status', models.CharField(blank=True, db_default='', max_length=12, verbose_name='status code')),
                ('said', models.CharField(blank=True, db_default='', max_length=500, verbose_name="the server's words")),
                ('address', models.CharField(blank=True, db_default='', max_length=320, verbose_name='address')),
                ('match', models.CharField(blank=True, choices=[('verp', 'Address it came back to'), ('message_id', 'Message number'), ('provider', "Provider's word"), ('address', 'Address only'), ('', 'Not matched')], db_default='', max_length=10, verbose_name='matched by')),
                ('done', models.CharField(choices=[('suppressed', 'No more mail to this address'), ('noted', 'Noted on the delivery'), ('look', 'Waits for a person'), ('dismissed', 'Looked at, nothing done'), ('nothing', 'Nothing')], db_default='nothing', max_length=10, verbose_name='done')),
                ('happened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='returns', to='campaigns.delivery', verbose_name='delivery')),
                ('settled_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by')),
                ('supporter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='returns', to='supporters.supporter', verbose_name='supporter')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='returns', to='campaigns.returnedmessage', verbose_name='message')),
            ],
            options={
                'verbose_name': 'return',
                'verbose_name_plural': 'returns',
                'permissions': [('settle_return', 'Can decide on returns that wait for a person')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('description', models.TextField(blank=True, default='', verbose_name='description')),
                ('rules', models.JSONField(default=dict, verbose_name='rules')),
                ('size', models.BigIntegerField(editable=False, null=True, verbose_name='people')),
                ('languages', models.JSONField(editable=False, help_text='Language to how many speak it, as of the last refresh.', null=True)),
                ('refreshed_at', models.DateTimeField(editable=False, null=True, verbose_name='refreshed')),
                ('refresh_requested_at', models.DateTimeField(editable=False, null=True)),
                ('error', models.TextField(blank=True, default='', editable=False, verbose_name='error')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'segment',
                'verbose_name_plural': 'segments',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='AudienceSegment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag_id', models.BigIntegerField(editable=False, help_text="Mailchimp's id of the tag (static segment).", null=True)),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='campaigns.audience')),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='campaigns.segment', verbose_name='segment')),
            ],
            options={
                'verbose_name': 'segment',
                'verbose_name_plural': 'segments',
            },
        ),
        migrations.AddField(
            model_name='audience',
            name='segments',
            field=models.ManyToManyField(related_name='audiences', through='campaigns.AudienceSegment', to='campaigns.segment', verbose_name='segments'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='segment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='campaigns.segment', verbose_name='segment'),
        ),
        migrations.CreateModel(
            name='SegmentMember',
            fields=[
                ('pk', models.CompositePrimaryKey('segment_id', 'supporter_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='campaigns.segment')),
                ('supporter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supporters.supporter')),
            ],
        ),
        migrations.CreateModel(
            name='SendingControl',
            fields=[
                ('id', models.PositiveSmallIntegerField(db_default=1, default=1, editable=False, primary_key=True, serialize=False)),
                ('stopped_at', models.DateTimeField(editable=False, null=True)),
                ('per_minute', models.PositiveIntegerField(blank=True, help_text='All appeals together. Empty: as fast as the mail server takes them.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='messages a minute')),
                ('per_hour', models.PositiveIntegerField(blank=True, help_text='All appeals together. Empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='messages an hour')),
                ('stopped_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'limits of sending',
                'verbose_name_plural': 'limits of sending',
            },
        ),
        migrations.CreateModel(
            name='SyncRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('push', 'To Mailchimp'), ('pull', 'From Mailchimp'), ('compare', 'Full comparison')], max_length=7, verbose_name='direction')),
                ('state', models.CharField(choices=[('running', 'Running'), ('held', 'Asks first'), ('done', 'Done'), ('failed', 'Failed')], default='running', max_length=7, verbose_name='state')),
                ('counts', models.JSONField(default=dict, verbose_name='did')),
                ('error', models.TextField(blank=True, default='', verbose_name='error')),
                ('takes', models.PositiveIntegerField(editable=False, help_text='How many it would take away.', null=True)),
                ('approved', models.PositiveIntegerField(editable=False, help_text='How many staff let it take away.', null=True)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='started')),
                ('worked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='When a worker last took it up.')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='campaigns.audience', verbose_name='audience')),
            ],
            options={
                'verbose_name': 'sync',
                'verbose_name_plural': 'syncs',
                'ordering': ['-started_at'],
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delivery', models.BigIntegerField(help_text='What it was taken for: the number of a delivery.')),
                ('taken_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='taken')),
                ('supporter', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='turn', to='supporters.supporter', verbose_name='supporter')),
            ],
            options={
                'verbose_name': 'turn',
                'verbose_name_plural': 'turns',
            },
        ),
        migrations.CreateModel(
            name='WarmUpDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('taken', models.PositiveIntegerField(db_default=0, default=0)),
                ('warm_up', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='campaigns.warmup')),
            ],
        ),
        migrations.CreateModel(
            name='WebhookEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32, verbose_name='type')),
                ('data', models.JSONField(default=dict)),
                ('digest', models.BinaryField(help_text='Of the message: told twice, it is kept once.', null=True)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='received')),
                ('applied_at', models.DateTimeField(editable=False, null=True, verbose_name='applied')),
                ('error', models.TextField(blank=True, default='', verbose_name='error')),
                ('audience', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='campaigns.audience', verbose_name='audience')),
            ],
            options={
                'verbose_name': 'webhook event',
                'verbose_name_plural': 'webhook events',
            },
        ),
        migrations.CreateModel(
            name='AppealHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.PositiveSmallIntegerField(verbose_name='hour')),
                ('clicked', models.PositiveIntegerField(default=0, verbose_name='people who clicked')),
                ('gifts', models.PositiveIntegerField(default=0, verbose_name='gifts')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'hour of an appeal',
                'verbose_name_plural': 'hours of appeals',
                'constraints': [models.UniqueConstraint(fields=('appeal', 'hour'), name='appeal_hour_unique')],
            },
        ),
        migrations.CreateModel(
            name='AppealIncome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(help_text="Empty where it can't be told.", max_length=12, verbose_name='language')),
                ('variant', models.CharField(max_length=1, verbose_name='variant')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('gifts', models.PositiveIntegerField(verbose_name='gifts')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='amount')),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='income', to='campaigns.appeal', verbose_name='appeal')),
            ],
            options={
                'verbose_name': 'income of an appeal',
                'verbose_name_plural': 'income of appeals',
                'constraints': [models.UniqueConstraint(fields=('appeal', 'language', 'variant', 'currency'), name='appeal_income_unique')],
            },
        ),
        migrations.AddConstraint(
            model_name='appeallink',
            constraint=models.UniqueConstraint(models.F('appeal'), django.db.models.functions.text.MD5('target'), name='appeal_link_unique'),
        ),
        migrations.AddConstraint(
            model_name='appealresult',
            constraint=models.UniqueConstraint(fields=('appeal', 'language', 'variant'), name='appeal_result_unique'),
        ),
        migrations.AddConstraint(
            model_name='appealtext',
            constraint=models.UniqueConstraint(fields=('appeal', 'language'), name='appeal_text_unique', violation_error_message='This appeal has a text in that language.'),
        ),
        migrations.AddConstraint(
            model_name='appealvariant',
            constraint=models.UniqueConstraint(fields=('appeal', 'language', 'letter'), name='appeal_variant_unique', violation_error_message='This appeal has that variant in that language.'),
        ),
        migrations.AddConstraint(
            model_name='appealvariant',
            constraint=models.CheckConstraint(condition=models.Q(('letter__in', ['B', 'C', 'D'])), name='appeal_variant_letter'),
        ),
        migrations.AddConstraint(
            model_name='appealvariant',
            constraint=models.CheckConstraint(condition=models.Q(('body', ''), ('preheader', ''), ('subject', ''), _negated=True), name='appeal_variant_differs', violation_error_message='A variant differs in its subject, its preview line or its text.'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['appeal', 'receiver', 'not_before', 'id'], name='delivery_queued'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('claim__isnull', False)), fields=['claim'], name='delivery_claimed'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['appeal', 'state'], name='delivery_outcome'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('supporter'), models.OrderBy(models.F('sent_at'), descending=True), name='delivery_of_supporter'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(condition=models.Q(('doubled', False)), fields=('appeal', 'supporter'), name='delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('uuid',), name='delivery_uuid_unique'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['held', 'queued', 'sending', 'sent', 'bounced', 'complained', 'failed', 'skipped', 'unknown'])), name='delivery_state'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'sending'), _negated=True), ('claim__isnull', False), _connector='OR'), name='delivery_sending_claimed'),
        ),
        migrations.AddConstraint(
            model_name='click',
            constraint=models.UniqueConstraint(fields=('link', 'delivery'), name='click_once'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('to_delete', True)), fields=['audience', 'id'], name='audience_member_to_delete'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('refusal', ''), _negated=True), fields=['audience', 'id'], name='audience_member_refused'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('retired_from__isnull', False)), fields=['retired_from'], name='audience_member_retired'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('contact', ''), _negated=True), fields=['audience', 'contact'], name='audience_member_contact'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('differs', []), _negated=True), fields=['audience', 'id'], name='audience_member_differs'),
        ),
        migrations.AddIndex(
            model_name='audiencemember',
            index=models.Index(condition=models.Q(('handed_in__isnull', False)), fields=['handed_in'], name='audience_member_handed_in'),
        ),
        migrations.AddConstraint(
            model_name='audiencemember',
            constraint=models.UniqueConstraint(fields=('audience', 'subscriber_hash'), name='audience_member_unique'),
        ),
        migrations.AddConstraint(
            model_name='audiencemember',
            constraint=models.UniqueConstraint(fields=('supporter', 'audience'), name='audience_member_once'),
        ),
        migrations.AddConstraint(
            model_name='audiencemember',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['', 'subscribed', 'unsubscribed', 'cleaned', 'pending', 'archived', 'transactional', 'forgotten'])), name='audience_member_status'),
        ),
        migrations.AddIndex(
            model_name='mailing',
            index=models.Index(condition=models.Q(('next_results_at__isnull', False)), fields=['next_results_at'], name='mailing_results_due'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.UniqueConstraint(fields=('appeal', 'language'), name='mailing_unique'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.UniqueConstraint(fields=('uuid',), name='mailing_uuid_unique'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'made', 'asked', 'scheduled', 'sending', 'sent', 'cancelled'])), name='mailing_state'),
        ),
        migrations.AddConstraint(
            model_name='mailing',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'cancelled']), models.Q(('campaign_id', ''), _negated=True), _connector='OR'), name='mailing_made_has_id'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(models.F('supporter'), models.OrderBy(models.F('happened_at'), descending=True), name='return_of_supporter'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['address'], name='return_address'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['-happened_at'], name='return_newest'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(condition=models.Q(('done', 'look')), fields=['id'], name='return_waiting'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['hard', 'soft', 'complaint', 'opt_out', 'alert', 'delayed', 'other'])), name='return_kind'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('match__in', ['verp', 'message_id', 'provider', 'address', ''])), name='return_match'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('done__in', ['suppressed', 'noted', 'look', 'dismissed', 'nothing'])), name='return_done'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done', 'suppressed'), _negated=True), ('match__in', ['verp', 'message_id', 'provider']), ('settled_by__isnull', False), _connector='OR'), name='return_suppressed_for_sure'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='segment_name_unique', violation_error_message='There is a segment of this name.'),
        ),
        migrations.AddConstraint(
            model_name='audiencesegment',
            constraint=models.UniqueConstraint(fields=('audience', 'segment'), name='audience_segment_unique'),
        ),
        migrations.AddIndex(
            model_name='appeal',
            index=models.Index(condition=models.Q(('state', 'scheduled')), fields=['scheduled_at'], name='appeal_due'),
        ),
        migrations.AddIndex(
            model_name='appeal',
            index=models.Index(condition=models.Q(('state', 'sending')), fields=['id'], name='appeal_sending'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('source_code'), name='appeal_source_unique', violation_error_message='This source code is taken.'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled'])), name='appeal_state'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('test_by__in', ['clicks', 'gifts']), ('test_hours__range', (1, 168)), ('test_share__range', (1, 90))), name='appeal_test', violation_error_message='A test takes 1 to 90 % and 1 to 168 hours.'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('winner__in', ['', 'A', 'B', 'C', 'D'])), name='appeal_winner'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['mail', 'mailchimp'])), name='appeal_channel'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel', 'mailchimp'), _negated=True), ('audience__isnull', False), _connector='OR'), name='appeal_mailchimp_audience', violation_error_message='For the channel Mailchimp, choose an audience there.'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'scheduled'), _negated=True), ('scheduled_at__isnull', False), _connector='OR'), name='appeal_scheduled_when', violation_error_message='A scheduled appeal says when it goes out.'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['sending', 'sent']), _negated=True), ('launched_at__isnull', False), _connector='OR'), name='appeal_sending_launched'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hours_from__isnull', True), ('hours_until__isnull', True)), models.Q(('hours_from__isnull', False), ('hours_from__lt', models.F('hours_until')), ('hours_until__isnull', False)), _connector='OR'), name='appeal_hours', violation_error_message='Sending hours begin before they end, on the same day.'),
        ),
        migrations.AddConstraint(
            model_name='sendingcontrol',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='sending_control_single'),
        ),
        migrations.AddIndex(
            model_name='syncrun',
            index=models.Index(fields=['audience', '-started_at'], name='sync_run_newest'),
        ),
        migrations.AddConstraint(
            model_name='syncrun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['running', 'held', 'done', 'failed'])), name='sync_run_state'),
        ),
        migrations.AddConstraint(
            model_name='syncrun',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['push', 'pull', 'compare'])), name='sync_run_kind'),
        ),
        migrations.AddConstraint(
            model_name='warmupday',
            constraint=models.UniqueConstraint(fields=('warm_up', 'day'), name='warm_up_day_unique'),
        ),
        migrations.AddIndex(
            model_name='webhookevent',
            index=models.Index(condition=models.Q(('applied_at__isnull', True)), fields=['id'], name='webhook_event_owed'),
        ),
        migrations.AddConstraint(
            model_name='webhookevent',
            constraint=models.UniqueConstraint(fields=('audience', 'digest'), name='webhook_event_once'),
        ),
    ]
