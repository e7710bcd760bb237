from django.urls import URLPattern, URLResolver, path

from supporters.public import in_every_language
from supporters.views import me, moving, never
from supporters.views.confirming import confirm
from supporters.views.embed import embed, embed_script, embed_signed
from supporters.views.give import cancelled, give, given, news, pay
from supporters.views.paid import stripe_webhook
from supporters.views.petition import petition, poster, signed, standing, thanks
from supporters.views.receipts import receipts, receipts_json
from supporters.views.totals import totals_json, totals_page

app_name = "supporters"
pages: list[URLPattern] = [
    path("p/<slug:slug>/", petition, name="petition"),
    path("p/<slug:slug>/embed/", embed, name="embed"),
    path("p/<slug:slug>/embed/signed/", embed_signed, name="embed_signed"),
    path("p/<slug:slug>/signed/", signed, name="signed"),
    path("p/<slug:slug>/thanks/", thanks, name="thanks"),
    path("p/<slug:slug>/poster/", poster, name="poster"),
    path("p/<slug:slug>/standing/", standing, name="standing"),
    path("p/<slug:slug>/totals/", totals_page, name="totals"),
    path("s/<str:token>/", confirm, name="confirm"),
    path("me/", me.ask, name="me_ask"),
    path("me/asked/", me.asked, name="me_asked"),
    path("me/<str:token>/", me.me, name="me"),
    path("me/<str:token>/receipts/", receipts, name="receipts"),
    path("me/<str:token>/receipts.json", receipts_json, name="receipts_json"),
    path("me/address/done/", moving.done, name="moved"),
    path("me/address/<str:token>/", moving.confirm, name="move"),
    path("never/", never.ask, name="never"),
    path("never/asked/", never.asked, name="never_asked"),
    path("never/done/", never.done, name="never_done"),
    path("never/<str:token>/", never.confirm, name="never_confirm"),
    path("give/", give, name="give"),
    path("give/pay/<str:token>/", pay, name="pay"),
    path("give/thanks/<str:token>/", given, name="given"),
    path("give/cancelled/<str:token>/", cancelled, name="cancelled"),
    path("give/news/<str:token>/", news, name="news"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    *in_every_language(pages),
    path("p/<slug:slug>/totals.json", totals_json, name="totals_json"),
    path("embed.js", embed_script, name="embed_script"),
    path("webhooks/stripe/", stripe_webhook, name="stripe_webhook"),
]
