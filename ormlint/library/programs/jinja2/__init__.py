from jinja2.environment import Environment
