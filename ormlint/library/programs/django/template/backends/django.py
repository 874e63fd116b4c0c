from ormlint.intrinsics import show


class Template:
    def __init__(self, template, backend=None):
        self.template = template

    def render(self, context=None, request=None):
        return show(self.template, context)
