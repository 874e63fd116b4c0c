from flask.helpers import make_response
from flask.json import jsonify
from flask.templating import render_template, stream_template
from flask.wrappers import Response
