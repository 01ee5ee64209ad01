"""A Flask application without a line of Onward."""

import os

import flask
import requests

app = flask.Flask(__name__)


@app.get("/<name>")
def call_on(name):
    requests.get(f"{os.environ['RECORDER']}/{name}", timeout=20)
    return "done"
