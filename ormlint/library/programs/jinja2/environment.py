from ormlint.intrinsics import show


class Environment:
    def get_template(self, name, parent=None, globals=None):
        return Template(name)

    def select_template(self, names, parent=None, globals=None):
        return Template(names)

    def get_or_select_template(self, template_name_or_list, parent=None, globals=None):
        return Template(template_name_or_list)


class Template:
    def __init__(self, source):
        self.name = source

    def render(self, *args, **kwargs):
        return show(self.name, dict(*args, **kwargs))

    def render_async(self, *args, **kwargs):
        return show(self.name, dict(*args, **kwargs))

    def stream(self, *args, **kwargs):
        return show(self.name, dict(*args, **kwargs))

    def generate(self, *args, **kwargs):
        return show(self.name, dict(*args, **kwargs))

    def generate_async(self, *args, **kwargs):
        return show(self.name, dict(*args, **kwargs))
