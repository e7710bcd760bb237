from django.urls import URLPattern, include, path

from supporters.partners.views import door, files, own
from supporters.public import in_every_language

app_name = "partners"
pages: list[URLPattern] = [
    path("", own.overview, name="overview"),
    path("login/", door.log_in, name="login"),
    path("logout/", door.log_out, name="logout"),
    path("password/", door.ask_for_password, name="password"),
    path("password/asked/", door.asked_for_password, name="password_asked"),
    path("password/<str:token>/", door.set_password, name="set_password"),
    path("petitions/<slug:slug>/", own.petition, name="petition"),
    path("people/", own.people, name="people"),
    path("people/left/", own.left, name="left"),
    path("files/", files.files, name="files"),
    path("files/new/<slug:name>/", files.new, name="new_file"),
    path("files/<int:pk>/", files.fetch, name="file"),
]
urlpatterns = in_every_language([path("partners/", include(pages))])
