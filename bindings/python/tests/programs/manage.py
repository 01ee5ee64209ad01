"""A Django project in one file, without a line of Onward."""

import os
import sys

import requests
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none", DEBUG=True, WSGI_APPLICATION=None)


def call_on(request, name):
    requests.get(f"{os.environ['RECORDER']}/{name}", timeout=20)
    return HttpResponse("done")


urlpatterns = [path("<name>", call_on)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
else:
    application = get_wsgi_application()
    asgi_application = get_asgi_application()
