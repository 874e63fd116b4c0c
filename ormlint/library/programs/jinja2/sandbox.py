from jinja2.environment import Environment


class SandboxedEnvironment(Environment):
    pass
